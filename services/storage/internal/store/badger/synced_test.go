package badger

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

func TestParseSynced(t *testing.T) {
	want := synced{since: 3, upto: 1 << 40}
	data := appendSynced(nil, want)
	if got, err := parseSynced(data); err != nil || got != want || len(data) != syncedLen {
		t.Fatalf("%+v, %v of %d bytes; want %+v", got, err, len(data), want)
	}
	for bit := range len(data) * 8 {
		flipBit(data, bit)
		if got, err := parseSynced(data); err == nil {
			t.Errorf("bit %d flipped: %+v", bit, got)
		}
		flipBit(data, bit)
	}
	for n := range data {
		if _, err := parseSynced(data[:n]); err == nil {
			t.Errorf("%d bytes of it are taken", n)
		}
	}
	if _, err := parseSynced(appendSynced(nil, synced{since: 2, upto: 1})); err == nil {
		t.Error("more since than up to is taken")
	}
}

// awaitSynced waits until SYNCED says all that was stored: the committer answers first.
func awaitSynced(t *testing.T, s *Store) {
	t.Helper()
	deadline := time.Now().Add(slowDisk)
	for last := lastTransaction(s.db); ; time.Sleep(time.Millisecond) {
		says, err := readSynced(s.opt)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("SYNCED says %+v, %v; the last transaction is %d", says, err, last)
		}
		if says.upto >= last {
			return
		}
	}
}

// lostDirectory returns a directory as a kill leaves it: some transactions in tables,
// the rest in a log, whose name and bytes are returned too.
func lostDirectory(t *testing.T) (dir, log string, data []byte) {
	t.Helper()
	opt := testOptions(t.TempDir())
	for turn := range 2 {
		s := openStore(t, opt)
		for _, room := range []string{"a", "b"} {
			epoch := mustClaim(t, s, room)
			for seq := range store.Seq(5) {
				mustAppend(t, s, room, epoch, 5*store.Seq(turn)+seq+1, crashData(0, uint64(seq), 700))
			}
		}
		if turn == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		awaitSynced(t, s)
		dir = t.TempDir()
		copyDir(t, dir, opt.Dir)
	}
	names, err := logNames(dir)
	if err != nil || len(names) != 1 {
		t.Fatalf("logs %q, %v", names, err)
	}
	data, err = os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Base(names[0]), data
}

// TestLostLog: a log that is gone, or ends where one of its transactions does, as if
// there had never been more, is noticed; and who accepts the loss gets what is left.
func TestLostLog(t *testing.T) {
	t.Parallel() // it waits for the disk
	dir, name, data := lostDirectory(t)
	ends := transactions(data)
	cases := map[string][]byte{"gone": nil, "empty": {}, "zeros": make([]byte, len(data)), "its header alone": data[:logHeader]}
	for i, end := range ends[:len(ends)-1] {
		cut := bytes.Clone(data)
		clear(cut[end:])
		cases[fmt.Sprintf("%d of %d transactions", i, len(ends)-1)] = cut
		cut = bytes.Clone(cut)
		copy(cut[end:], data[end:end+40]) // and a torn one
		cases[fmt.Sprintf("%d and a half of %d", i, len(ends)-1)] = cut
	}
	for what, bytes := range cases {
		work := t.TempDir()
		copyDir(t, work, dir)
		log := filepath.Join(work, name)
		if err := os.Remove(log); err != nil {
			t.Fatal(err)
		}
		if bytes != nil {
			if err := writeSparse(log, bytes); err != nil {
				t.Fatal(err)
			}
		}
		opt := testOptions(work)
		opt.Log = slog.New(slog.DiscardHandler)
		_, err := Open(t.Context(), opt)
		if err == nil || !strings.Contains(err.Error(), "restore a backup, or accept the loss") {
			t.Errorf("%s: %v, want to be told", what, err)
			continue
		}
		opt.AcceptLoss = true
		s := openStore(t, opt)
		for _, room := range []string{"a", "b"} {
			var got gatherer
			if err := s.Load(t.Context(), room, 0, &got); err != nil || len(got.seqs) < 5 {
				t.Errorf("%s: %d records of %s, %v", what, len(got.seqs), room, err)
			}
		}
		mustAppend(t, s, "new", mustClaim(t, s, "new"), 1, []byte("r"))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := prepareDir(t.Context(), testOptions(work)); err != nil {
			t.Errorf("%s: the next start: %v", what, err)
		}
	}
	// Without SYNCED, as in a directory of an older build, it can't be known.
	work := t.TempDir()
	copyDir(t, work, dir)
	for _, file := range []string{name, syncedName} {
		if err := os.Remove(filepath.Join(work, file)); err != nil {
			t.Fatal(err)
		}
	}
	openStore(t, testOptions(work))
}

// TestDamagedEnd: damage to the very last transaction, with zeros in it, isn't taken
// for what a crash has torn, and a single bit of it is turned back.
func TestDamagedEnd(t *testing.T) {
	t.Parallel() // it waits for the disk
	s := openStore(t, testOptions(t.TempDir()))
	mustAppend(t, s, "a", mustClaim(t, s, "a"), 1, make([]byte, 5000))
	awaitSynced(t, s)
	dir := t.TempDir()
	copyDir(t, dir, s.opt.Dir)
	log := filepath.Join(dir, "00001.mem")
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	ends := transactions(data)
	at := ends[len(ends)-2] + 60 // in the record
	flipBit(data, 8*at)
	if scan := scanLog(data); !scan.torn {
		t.Fatal("it doesn't look torn: the test shows nothing")
	}
	if err := writeSparse(log, data); err != nil {
		t.Fatal(err)
	}
	if err := openStore(t, testOptions(dir)).Load(t.Context(), "a", 0, discard{}); err != nil {
		t.Error(err)
	}
}

// TestTransactionsStay: the newest transaction of all tables is the last one that
// there was, whatever compactions drop: the sweeper's, which only delete, and those
// of an upload that came to nothing.
func TestTransactionsStay(t *testing.T) {
	t.Parallel() // it waits for the disk
	opt := testOptions(t.TempDir())
	opt.tune = func(o *badger.Options) { o.NumLevelZeroTables, o.CompactL0OnClose = 1, true }
	last := uint64(0)
	for turn := range store.Seq(4) {
		s := openStore(t, opt)
		if now := lastTransaction(s.db); now < last {
			t.Fatalf("the last transaction was %d, and now it is %d", last, now)
		}
		epoch := mustClaim(t, s, "a")
		for range 3 {
			head, err := s.Claim(t.Context(), "b")
			if err != nil {
				t.Fatal(err)
			}
			mustAppend(t, s, "b", head.Epoch, head.Last+1, crashData(0, 1, 300<<10))
			mustSnapshot(t, s, "b", head.Epoch, head.Last+1, []byte("snapshot"))
		}
		mustAppend(t, s, "a", epoch, turn+1, []byte("r"))
		if _, err := s.commitChunks(blob{kind: kindSnapshotChunk, room: "b", seq: 99, id: 7}, 0, []byte("chunk")); err != nil {
			t.Fatal(err)
		}
		s.sweeper.push(garbage{blob: blob{kind: kindSnapshotChunk, room: "b", seq: 99, id: 7}})
		waitSwept(t, s)
		last = lastTransaction(s.db)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		says, err := readSynced(opt)
		if err != nil || says.upto != last {
			t.Errorf("SYNCED says %+v, %v; the last transaction is %d", says, err, last)
		}
	}
	list, err := readTableList(opt)
	if err != nil {
		t.Fatal(err)
	}
	opt.Log = slog.New(slog.DiscardHandler)
	tables, _, err := checkTables(t.Context(), opt, list, tellAfter)
	newest := uint64(0)
	for _, table := range tables {
		newest = max(newest, table.newest)
	}
	if err != nil || newest != last {
		t.Errorf("the newest transaction in the tables is %d, %v; want %d", newest, err, last)
	}
}

// TestSyncedOlderBuild: an older build leaves transactions that only delete, and
// compactions drop them. Nothing is missing then, whether SYNCED has never been there
// or is from before.
func TestSyncedOlderBuild(t *testing.T) {
	t.Parallel() // it waits for the disk
	for _, before := range []string{"no SYNCED", "an old SYNCED"} {
		opt := testOptions(t.TempDir())
		opt.Log = slog.New(slog.DiscardHandler)
		opt.tune = func(o *badger.Options) { o.NumLevelZeroTables, o.CompactL0OnClose = 1, true }
		s := openStore(t, opt)
		mustAppend(t, s, "a", mustClaim(t, s, "a"), 1, []byte("r"))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if before == "no SYNCED" {
			if err := os.Remove(filepath.Join(opt.Dir, syncedName)); err != nil {
				t.Fatal(err)
			}
		}
		untuned := opt
		untuned.tune = nil // so its last transaction isn't dropped yet
		db, err := badger.Open(badgerOptions(untuned))
		if err != nil {
			t.Fatal(err)
		}
		key := appendBlobSweepKey(nil, blob{kind: kindSnapshotChunk, room: "a", seq: 1, id: 1})
		for _, change := range []func(txn *badger.Txn) error{
			func(txn *badger.Txn) error { return txn.Set(key, nil) },
			func(txn *badger.Txn) error { return txn.Delete(key) },
		} {
			if err := db.Update(change); err != nil {
				t.Fatal(err)
			}
		}
		deleted := lastTransaction(db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		// It is dropped when this build opens the directory: a kill comes then.
		s = openStore(t, opt)
		if err := s.db.Flatten(1); err != nil {
			t.Fatal(err)
		}
		newest := uint64(0)
		for _, table := range s.db.Tables() {
			newest = max(newest, table.MaxVersion)
		}
		if newest >= deleted {
			t.Fatalf("%s: the tables still have transaction %d: the test shows nothing", before, newest)
		}
		dir := t.TempDir()
		copyDir(t, dir, opt.Dir)
		opt.Dir = dir
		for range 2 {
			s := openStore(t, opt)
			if err := s.Load(t.Context(), "a", 0, discard{}); err != nil {
				t.Errorf("%s: %v", before, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestSyncedMarks: of a hole only what is known to have left a mark is missed.
func TestSyncedMarks(t *testing.T) {
	log := func(first, last uint64) []logScan { return []logScan{{}, {first: first, last: last}} }
	for _, c := range []struct {
		says   synced
		newest uint64 // in the tables
		logs   []logScan
		lost   bool
	}{
		{synced{5, 10}, 10, nil, false},
		{synced{5, 10}, 9, nil, true},
		{synced{10, 10}, 9, nil, false}, // an older build's, dropped
		{synced{10, 11}, 9, nil, true},
		{synced{5, 10}, 8, log(10, 12), true},
		{synced{5, 10}, 8, log(9, 12), false},
		{synced{5, 10}, 19, log(21, 22), false}, // an older build came after
		{synced{5, 10}, 3, log(6, 12), false},
		{synced{5, 10}, 3, log(7, 12), true},
		{synced{}, 3, log(7, 12), false},
	} {
		if text := c.says.lost(c.logs, c.newest); (text != "") != c.lost {
			t.Errorf("SYNCED %+v, tables up to %d, logs %+v: %q", c.says, c.newest, c.logs, text)
		}
	}
}

// TestSyncedFailedUpload: Badger counts a transaction as done with when it has failed.
func TestSyncedFailedUpload(t *testing.T) {
	t.Parallel() // it waits for the disk
	s := openStore(t, quiet(testOptions(t.TempDir())))
	mustAppend(t, s, "a", mustClaim(t, s, "a"), 1, []byte("r"))
	if _, err := s.Delete(t.Context(), "none", 0); err != nil { // the committer rests, once it has answered this
		t.Fatal(err)
	}
	want := s.synced.now
	s.chunks.Add(1)
	if err := s.db.Update(markTransaction); err != nil {
		t.Fatal(err)
	}
	s.noteSynced()
	if s.synced.now != want {
		t.Errorf("while an upload's outcome isn't known: %+v, want %+v", s.synced.now, want)
	}
	s.chunks.Add(-1)
	s.noteSynced()
	if want.upto++; s.synced.now != want {
		t.Errorf("once it is: %+v, want %+v", s.synced.now, want)
	}
}
