package badger

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

// TestDamage spoils a room behind the store's back, one entry at a time, and loads
// it: it must be refused, say what is wrong, and leave its neighbour alone.
func TestDamage(t *testing.T) {
	record := func(seq store.Seq) []byte { return appendRecordKey(nil, "a", seq) }
	head := appendHeadKey(nil, "a")
	for name, c := range map[string]struct {
		spoil func(t *testing.T, db *badger.DB, e entry)
		want  string
	}{
		"a record is gone":           {func(t *testing.T, db *badger.DB, _ entry) { remove(t, db, record(7)) }, "record 8 comes where 7 was expected"},
		"the first record is gone":   {func(t *testing.T, db *badger.DB, _ entry) { remove(t, db, record(4)) }, "record 5 comes where 4 was expected"},
		"the last record is gone":    {func(t *testing.T, db *badger.DB, _ entry) { remove(t, db, record(10)) }, "ends before record 10"},
		"a record too many":          {func(t *testing.T, db *badger.DB, _ entry) { swap(t, db, record(10), record(11), false) }, "record 11 comes"},
		"two records changed places": {func(t *testing.T, db *badger.DB, _ entry) { swap(t, db, record(5), record(6), true) }, "record 5: damaged"},
		"another room's record": {func(t *testing.T, db *badger.DB, _ entry) {
			swap(t, db, appendRecordKey(nil, "b", 5), record(5), false)
		}, "record 5: damaged"},
		"a bit of a record":         {func(t *testing.T, db *badger.DB, _ entry) { flipValue(t, db, record(5), -1) }, "record 5: damaged"},
		"a bit of a record's epoch": {func(t *testing.T, db *badger.DB, _ entry) { flipValue(t, db, record(5), 8) }, "record 5: damaged"},
		"a record's kind":           {func(t *testing.T, db *badger.DB, _ entry) { flipValue(t, db, record(5), 0) }, "record of kind 1"},
		"a bit of the head":         {func(t *testing.T, db *badger.DB, _ entry) { flipValue(t, db, head, 10) }, "wrong checksum"},
		"a short head":              {func(t *testing.T, db *badger.DB, _ entry) { set(t, db, head, []byte("short")) }, "head of 5 bytes"},
		"the head is gone":          {func(t *testing.T, db *badger.DB, _ entry) { remove(t, db, head) }, "no head"},
		"another room's head":       {func(t *testing.T, db *badger.DB, _ entry) { swap(t, db, appendHeadKey(nil, "b"), head, false) }, "wrong checksum"},
		"a large record's chunk is gone": {func(t *testing.T, db *badger.DB, _ entry) {
			remove(t, db, appendChunkKey(nil, largeBlob(t, db), 1))
		}, "at seq 9"},
		"a large record's last chunk is gone": {func(t *testing.T, db *badger.DB, _ entry) {
			remove(t, db, appendChunkKey(nil, largeBlob(t, db), 2))
		}, "at seq 9"},
		"a bit of a large record's chunk": {func(t *testing.T, db *badger.DB, _ entry) {
			flipValue(t, db, appendChunkKey(nil, largeBlob(t, db), 2), 0)
		}, "record 9: damaged"},
		"a short chunk": {func(t *testing.T, db *badger.DB, _ entry) {
			set(t, db, appendChunkKey(nil, largeBlob(t, db), 0), []byte("short"))
		}, "chunk 0 of the value at seq 9"},
		"a chunk too many": {func(t *testing.T, db *badger.DB, _ entry) {
			set(t, db, appendChunkKey(nil, largeBlob(t, db), 3), []byte("more"))
		}, "chunk 3 of the value at seq 9"},
		"a bit of the snapshot": {func(t *testing.T, db *badger.DB, e entry) {
			flipValue(t, db, appendChunkKey(nil, e.snapshot("a"), 1), 77)
		}, "snapshot at seq 3 has a wrong checksum"},
		"two chunks of the snapshot changed places": {func(t *testing.T, db *badger.DB, e entry) {
			swap(t, db, appendChunkKey(nil, e.snapshot("a"), 0), appendChunkKey(nil, e.snapshot("a"), 1), true)
		}, "snapshot at seq 3 has a wrong checksum"},
		"the snapshot is gone": {func(t *testing.T, db *badger.DB, e entry) {
			for i := range uint32(3) {
				remove(t, db, appendChunkKey(nil, e.snapshot("a"), i))
			}
		}, "ends after 0 of"},
	} {
		t.Run(name, func(t *testing.T) {
			opt := testOptions(t.TempDir())
			s := openStore(t, opt)
			e := writeDamageRooms(t, s)
			c.spoil(t, s.db, e)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openStore(t, opt)
			err := s.Load(t.Context(), "a", 0, discard{})
			if store.KindOf(err) != store.Corrupt || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Load: %v, want corrupt and %q", err, c.want)
			}
			if room, err := storetest.Adapt(s).Load(t.Context(), "b", 0); err != nil || len(room.Records) != 10 {
				t.Errorf("the neighbour: %d records, %v", len(room.Records), err)
			}
		})
	}
}

// writeDamageRooms fills the rooms a and b and returns a's head: a snapshot of
// three chunks up to 3, small records, and at 9 one of three chunks.
func writeDamageRooms(t *testing.T, s *Store) entry {
	t.Helper()
	for _, room := range []string{"a", "b"} {
		mustClaim(t, s, room)
		for seq := store.Seq(1); seq <= 10; seq++ {
			size := 50
			if room == "a" && seq == 9 {
				size = 600 << 10
			}
			mustAppend(t, s, room, 1, seq, crashData(0, uint64(seq), size))
		}
	}
	mustSnapshot(t, s, "a", 1, 3, crashData(1, 33, damagedSnapshot)) // of chunks that differ
	waitSwept(t, s)
	var e entry
	if err := s.db.View(func(txn *badger.Txn) (err error) {
		e, err = readHead(txn, "a")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return e
}

func largeBlob(t *testing.T, db *badger.DB) blob {
	t.Helper()
	r, err := parseRecord(get(t, db, appendRecordKey(nil, "a", 9)))
	if err != nil || !r.large {
		t.Fatalf("record 9: %+v, %v", r, err)
	}
	return blob{kind: kindRecordChunk, room: "a", seq: 9, id: r.id}
}

func get(t *testing.T, db *badger.DB, key []byte) (value []byte) {
	t.Helper()
	if err := db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(key)
		if err != nil {
			return err
		}
		value, err = item.ValueCopy(nil)
		return err
	}); err != nil {
		t.Fatalf("key %q: %v", key, err)
	}
	return value
}

func set(t *testing.T, db *badger.DB, key, value []byte) {
	t.Helper()
	if err := db.Update(func(txn *badger.Txn) error { return txn.Set(key, value) }); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, db *badger.DB, key []byte) {
	t.Helper()
	get(t, db, key)
	if err := db.Update(func(txn *badger.Txn) error { return txn.Delete(key) }); err != nil {
		t.Fatal(err)
	}
}

// swap sets to's value to from's, and from's to to's if both ways.
func swap(t *testing.T, db *badger.DB, from, to []byte, both bool) {
	t.Helper()
	value := get(t, db, from)
	if both {
		set(t, db, from, get(t, db, to))
	}
	set(t, db, to, value)
}

// flipValue turns over a bit of the value's byte at; -1 is the last one.
func flipValue(t *testing.T, db *badger.DB, key []byte, at int) {
	t.Helper()
	value := get(t, db, key)
	if at < 0 {
		at = len(value) - 1
	}
	value[at] ^= 1
	set(t, db, key, value)
}

// TestDamagedHead: a room whose head is damaged can't be written either, and is
// listed without numbers, beside the others.
func TestDamagedHead(t *testing.T) {
	opt := testOptions(t.TempDir())
	s := openStore(t, opt)
	writeDamageRooms(t, s)
	flipValue(t, s.db, appendHeadKey(nil, "a"), 10)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, opt)
	_, claimErr := s.Claim(t.Context(), "a")
	_, deleteErr := s.Delete(t.Context(), "a", 0)
	for name, err := range map[string]error{
		"Claim": claimErr, "Delete": deleteErr,
		"Append":       s.Append(t.Context(), []store.Item{{Room: "a", Epoch: 1, Seq: 11, Data: []byte("r")}})[0].Err,
		"large Append": s.Append(t.Context(), []store.Item{{Room: "a", Epoch: 1, Seq: 11, Data: make([]byte, 1<<20)}})[0].Err,
	} {
		if store.KindOf(err) != store.Corrupt {
			t.Errorf("%s: %v, want corrupt", name, err)
		}
	}
	rooms, more, err := s.List(t.Context(), store.Page{Limit: 10})
	if err != nil || more || len(rooms) != 2 || rooms[0] != (store.Info{Room: "a"}) || rooms[1].Head.Last != 10 {
		t.Errorf("listed %+v, %v, %v", rooms, more, err)
	}
}

// gatherer is a store.Sink that keeps what it gets.
type gatherer struct {
	head     store.Head
	snapshot int
	seqs     []store.Seq
}

func (g *gatherer) Head(h store.Head) error {
	g.head = h
	return nil
}

func (g *gatherer) SnapshotChunk(chunk []byte) error {
	g.snapshot += len(chunk)
	return nil
}

func (g *gatherer) Record(r store.Record) error {
	g.seqs = append(g.seqs, r.Seq)
	return nil
}

// damagedSnapshot is the size of the snapshot that writeDamageRooms makes.
const damagedSnapshot = 600 << 10

// wounds are ways to damage the room a of writeDamageRooms, and what is whole then.
var wounds = map[string]wound{
	"a record": {func(t *testing.T, db *badger.DB, _ entry) {
		flipValue(t, db, appendRecordKey(nil, "a", 5), -1)
	}, damagedSnapshot, []store.Seq{4, 6, 7, 8, 9, 10}},
	"a large record": {func(t *testing.T, db *badger.DB, _ entry) {
		flipValue(t, db, appendChunkKey(nil, largeBlob(t, db), 1), 0)
	}, damagedSnapshot, []store.Seq{4, 5, 6, 7, 8, 10}},
	"the snapshot": {func(t *testing.T, db *badger.DB, e entry) {
		flipValue(t, db, appendChunkKey(nil, e.snapshot("a"), 1), 77)
	}, 0, []store.Seq{4, 5, 6, 7, 8, 9, 10}},
	"the head": {func(t *testing.T, db *badger.DB, _ entry) {
		flipValue(t, db, appendHeadKey(nil, "a"), 10)
	}, 0, []store.Seq{4, 5, 6, 7, 8, 9, 10}},
}

type wound struct {
	spoil    func(t *testing.T, db *badger.DB, e entry)
	snapshot int
	seqs     []store.Seq
}

// TestSalvage: of a damaged room all is read that is whole, and once it is scrapped
// it can be used again, by owners whom no earlier one can fence.
func TestSalvage(t *testing.T) {
	for name, c := range wounds {
		t.Run(name, func(t *testing.T) {
			opt := testOptions(t.TempDir())
			s := openStore(t, opt)
			e := writeDamageRooms(t, s)
			c.spoil(t, s.db, e)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openStore(t, opt)
			var got gatherer
			if err := s.Salvage(t.Context(), "a", &got); err != nil || got.snapshot != c.snapshot || !slices.Equal(got.seqs, c.seqs) {
				t.Errorf("salvaged %d bytes of the snapshot and records %v, %v", got.snapshot, got.seqs, err)
			}
			if want := name != "the head"; (got.head != store.Head{}) != want {
				t.Errorf("salvaged the head %+v; it can be read: %v", got.head, want)
			}
			if err := s.Scrap(t.Context(), "a", got.head); err != nil {
				t.Fatal(err)
			}
			head, err := s.Claim(t.Context(), "a")
			if err != nil || head.Epoch < 2 || head.Last < 10 || head.Base != head.Last {
				t.Fatalf("claimed with %+v, %v", head, err)
			}
			if err := s.Append(t.Context(), []store.Item{{Room: "a", Epoch: 1, Seq: 11, Data: []byte("late")}})[0].Err; store.KindOf(err) != store.Fenced {
				t.Errorf("the owner before: %v, want fenced", err)
			}
			mustAppend(t, s, "a", head.Epoch, head.Last+1, []byte("anew"))
			got = gatherer{}
			if err := s.Load(t.Context(), "a", 0, &got); err != nil || got.snapshot != 0 || !slices.Equal(got.seqs, []store.Seq{head.Last + 1}) {
				t.Errorf("loaded %+v, %v", got, err)
			}
			waitSwept(t, s)
			if n := countKeys(t, s); n[kindSnapshotChunk] != 0 || n[kindRecordChunk] != 0 || n[kindRecord] != 11 || n[kindSweep] != 0 {
				t.Errorf("left of the scrapped room, beside its neighbour's 10 records and its own new one: %v", n)
			}
			if room, err := storetest.Adapt(s).Load(t.Context(), "b", 0); err != nil || len(room.Records) != 10 {
				t.Errorf("the neighbour: %d records, %v", len(room.Records), err)
			}
		})
	}
}

// TestSalvageEnds: a snapshot that nobody has found damaged isn't left out because
// the call ends.
func TestSalvageEnds(t *testing.T) {
	s := openStore(t, testOptions(t.TempDir()))
	mustClaim(t, s, "a")
	mustAppend(t, s, "a", 1, 1, []byte("r"))
	snap := store.Snapshot{Room: "a", Epoch: 1, Seq: 1, Size: 5000}
	if _, err := s.PutSnapshot(t.Context(), snap, bytes.NewReader(crashData(0, 1, 5000))); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	var got gatherer
	if err := s.Salvage(ended, "a", &got); !errors.Is(err, context.Canceled) {
		t.Errorf("%v with %d bytes of the snapshot, want context canceled", err, got.snapshot)
	}
	if err := s.Salvage(t.Context(), "a", &got); err != nil || got.snapshot != 5000 {
		t.Errorf("%v with %d bytes of the snapshot, want all", err, got.snapshot)
	}
}
