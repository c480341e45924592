package badger

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// TestKeysApart makes all keys of names that look like parts of one another, and
// compares every two.
func TestKeysApart(t *testing.T) {
	rooms := []string{"a", "ab", "a\x00", "a\x00\x00\x00\x00\x00\x00\x00\x01", "\x01a", "\x01", "\x02", "r\x01a", "c", "h", "x", strings.Repeat("a", 255)}
	seqs := []store.Seq{0, 1, 2, 256, 1 << 32, 1<<64 - 1}
	seen := map[string]string{}
	add := func(what string, key []byte) {
		if other, ok := seen[string(key)]; ok {
			t.Errorf("%s and %s have the same key %q", what, other, key)
		}
		seen[string(key)] = what
	}
	add("format", formatKey())
	for _, room := range rooms {
		add("head "+room, appendHeadKey(nil, room))
		for _, seq := range seqs {
			add("record "+room, appendRecordKey(nil, room, seq))
			add("trim "+room, appendTrimSweepKey(nil, room, seq))
			for _, kind := range []byte{kindRecordChunk, kindSnapshotChunk} {
				for _, id := range []uint64{0, 1, 1 << 63} {
					b := blob{kind: kind, room: room, seq: seq, id: id}
					add("sweep "+room, appendBlobSweepKey(nil, b))
					add("chunk "+room, appendChunkKey(nil, b, 0))
					add("chunk "+room, appendChunkKey(nil, b, 1<<16))
				}
			}
		}
	}
}

// TestKeyOrder: heads in the order of names, a room's records in that of seqs, and
// no other room's keys between them.
func TestKeyOrder(t *testing.T) {
	var heads, records [][]byte
	for _, room := range []string{"\x00", "a", "a\x00", "aa", "b", "ä", "\U0010ffff"} {
		heads = append(heads, appendHeadKey(nil, room))
	}
	for _, seq := range []store.Seq{0, 1, 255, 256, 1<<32 - 1, 1 << 32, 1<<64 - 1} {
		records = append(records, appendRecordKey(nil, "a", seq))
	}
	if !slices.IsSortedFunc(heads, bytes.Compare) || !slices.IsSortedFunc(records, bytes.Compare) {
		t.Error("keys are out of order")
	}
	prefix := appendRangePrefix(nil, kindRecord, "a")
	for _, room := range []string{"ab", "a\x00", "\x01a", "b"} {
		if bytes.HasPrefix(appendRecordKey(nil, room, 1), prefix) {
			t.Errorf("a record of %q lies among those of a", room)
		}
	}
}

func FuzzKeys(f *testing.F) {
	f.Add("a", uint64(1), uint64(2), uint32(3), "b", uint64(1), uint64(2), uint32(3))
	f.Add("a\x00", uint64(1), uint64(0), uint32(0), "a", uint64(1), uint64(0), uint32(0))
	f.Fuzz(func(t *testing.T, roomA string, seqA, idA uint64, indexA uint32, roomB string, seqB, idB uint64, indexB uint32) {
		if store.CheckRoom(roomA) != nil || store.CheckRoom(roomB) != nil {
			t.Skip()
		}
		a := blob{kind: kindSnapshotChunk, room: roomA, seq: store.Seq(seqA), id: idA}
		b := blob{kind: kindSnapshotChunk, room: roomB, seq: store.Seq(seqB), id: idB}
		key := appendChunkKey(nil, a, indexA)
		if got, index, err := parseChunkKey(key); err != nil || got != a || index != indexA {
			t.Fatalf("chunk key of %+v, %d reads as %+v, %d, %v", a, indexA, got, index, err)
		}
		if same := a == b && indexA == indexB; bytes.Equal(key, appendChunkKey(nil, b, indexB)) != same {
			t.Fatalf("keys of %+v and %+v", a, b)
		}
		if room, seq, err := parseRecordKey(appendRecordKey(nil, roomA, a.seq)); err != nil || room != roomA || seq != a.seq {
			t.Fatalf("record key of %q, %d reads as %q, %d, %v", roomA, seqA, room, seq, err)
		}
		if room, err := parseHeadKey(appendHeadKey(nil, roomA)); err != nil || room != roomA {
			t.Fatalf("head key of %q reads as %q, %v", roomA, room, err)
		}
		if want := cmp.Compare(roomA, roomB); bytes.Compare(appendHeadKey(nil, roomA), appendHeadKey(nil, roomB)) != want {
			t.Fatalf("head keys of %q and %q are out of order", roomA, roomB)
		}
	})
}

// FuzzParseKey: what parses is what its parts make again.
func FuzzParseKey(f *testing.F) {
	b := blob{kind: kindRecordChunk, room: "a", seq: 1, id: 2}
	for _, key := range [][]byte{
		appendHeadKey(nil, "a"), appendRecordKey(nil, "a", 1), appendChunkKey(nil, b, 3),
		appendBlobSweepKey(nil, b), appendTrimSweepKey(nil, "a", 9),
	} {
		f.Add(key, []byte("12345678"))
		f.Add(key, []byte(nil))
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		var again []byte
		if room, err := parseHeadKey(key); err == nil {
			again = appendHeadKey(nil, room)
		} else if room, seq, err := parseRecordKey(key); err == nil {
			again = appendRecordKey(nil, room, seq)
		} else if b, index, err := parseChunkKey(key); err == nil {
			again = appendChunkKey(nil, b, index)
		} else if g, err := parseSweep(key, value); err == nil {
			again = g.sweepKey()
			if !utf8.ValidString(g.room + g.blob.room) {
				t.Fatalf("a sweep of the room %q", g.room+g.blob.room)
			}
		} else {
			return
		}
		if !bytes.Equal(again, key) {
			t.Fatalf("%q was read as the key %q", key, again)
		}
	})
}

func FuzzParseHead(f *testing.F) {
	key := appendHeadKey(nil, "a")
	f.Add(key, appendHead(nil, key, entry{Head: store.Head{Epoch: 3, Last: 7, Base: 5}}))
	f.Add(key, appendHead(nil, key, entry{Head: store.Head{Epoch: 3, Last: 7, Base: 7, Deleted: true}}))
	f.Add(key, appendHead(nil, key, entry{Head: store.Head{Epoch: 3, Last: 7, Base: 5, SnapshotSeq: 5, SnapshotSize: 9}, snapshotID: 1, snapshotSum: 2}))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		e, err := parseHead(key, value)
		if err != nil {
			return
		}
		if again := appendHead(nil, key, e); !bytes.Equal(again, value) {
			t.Fatalf("%x was read as %+v, which is %x", value, e, again)
		}
	})
}

func FuzzHead(f *testing.F) {
	f.Add("a", uint64(1), uint64(2), uint64(1), uint64(9), uint64(8), uint32(7), uint16(3))
	f.Fuzz(func(t *testing.T, room string, epoch, last, base, size, id uint64, sum uint32, bit uint16) {
		if store.CheckRoom(room) != nil {
			t.Skip()
		}
		e := entry{Head: store.Head{Epoch: store.Epoch(epoch), Last: store.Seq(last), Base: store.Seq(base)}}
		if size > 0 && base > 0 {
			e.SnapshotSeq, e.SnapshotSize, e.snapshotID, e.snapshotSum = e.Base, size, id, sum
		}
		key := appendHeadKey(nil, room)
		value := appendHead(nil, key, e)
		got, err := parseHead(key, value)
		if e.check() != nil {
			if err == nil {
				t.Fatalf("%+v contradicts itself and was read", e)
			}
			return
		}
		if err != nil || got != e {
			t.Fatalf("%+v reads as %+v, %v", e, got, err)
		}
		if _, err := parseHead(appendHeadKey(nil, "other"+room), value); err == nil {
			t.Fatal("another room's head was read")
		}
		value[int(bit/8)%len(value)] ^= 1 << (bit % 8)
		if _, err := parseHead(key, value); err == nil {
			t.Fatalf("a head with bit %d turned over was read", bit)
		}
	})
}

func FuzzParseRecord(f *testing.F) {
	key := appendRecordKey(nil, "a", 1)
	f.Add(appendRecord(nil, key, record{epoch: 1, data: []byte("data")}))
	f.Add(appendRecord(nil, key, record{epoch: 1, large: true, size: maxChunk + 1, id: 2, sum: 3}))
	f.Add([]byte{recordSmall})
	f.Fuzz(func(t *testing.T, value []byte) {
		r, err := parseRecord(value)
		if err != nil {
			return
		}
		whole := addSum(recordSum(key, value), r.data) == r.sum
		again := appendRecord(nil, key, r)
		if (r.large || whole) != bytes.Equal(again, value) {
			t.Fatalf("%x was read as %+v, which is %x; checksum right: %v", value, r, again, whole)
		}
	})
}

// TestRecordSum turns over every bit of a record, and moves it to other places.
func TestRecordSum(t *testing.T) {
	key := appendRecordKey(nil, "a", 7)
	value := appendRecord(nil, key, record{epoch: 3, data: []byte("some data")})
	right := func(key, value []byte) bool {
		r, err := parseRecord(value)
		return err == nil && !r.large && addSum(recordSum(key, value), r.data) == r.sum
	}
	if !right(key, value) {
		t.Fatal("the record itself is wrong")
	}
	for bit := range 8 * len(value) {
		spoiled := bytes.Clone(value)
		spoiled[bit/8] ^= 1 << (bit % 8)
		if right(key, spoiled) {
			t.Errorf("bit %d of the record may be turned over", bit)
		}
	}
	for _, other := range [][]byte{appendRecordKey(nil, "a", 8), appendRecordKey(nil, "b", 7)} {
		if right(other, value) {
			t.Errorf("the record is right under the key %q too", other)
		}
	}
	if right(key, value[:len(value)-1]) || right(key, append(bytes.Clone(value), 0)) {
		t.Error("the record may be cut or grow")
	}
}
