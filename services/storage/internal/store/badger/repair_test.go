package badger

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4/y"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

func quiet(opt Options) Options {
	opt.Log = slog.New(slog.DiscardHandler)
	return opt
}

// TestRepairLogs damages one record in the middle of a log. Who accepts the loss keeps
// the other rooms as they were, and is told of the one whose record is lost.
func TestRepairLogs(t *testing.T) {
	t.Parallel() // it waits for the disk
	dir, name, data := lostDirectory(t)
	lost := bytes.Index(data, crashData(0, 2, 700)) // the third of a's second five
	if lost < 0 {
		t.Fatal("the record isn't in the log")
	}
	clear(data[lost+100 : lost+200])
	if err := writeSparse(filepath.Join(dir, name), data); err != nil {
		t.Fatal(err)
	}
	opt := quiet(testOptions(dir))
	if _, err := Open(t.Context(), opt); err == nil || !strings.Contains(err.Error(), name+" is damaged at byte") {
		t.Fatalf("%v, want to be told of the log", err)
	}
	opt.AcceptLoss = true
	s := openStore(t, opt)
	if err := s.Load(t.Context(), "a", 0, discard{}); store.KindOf(err) != store.Corrupt {
		t.Errorf("the room with the lost record: %v, want corrupt", err)
	}
	var got gatherer
	if err := s.Load(t.Context(), "b", 0, &got); err != nil || len(got.seqs) != 10 {
		t.Errorf("its neighbour: %d records, %v", len(got.seqs), err)
	}
	if err := s.Salvage(t.Context(), "a", &got); err != nil || !slices.Contains(got.seqs, 10) {
		t.Errorf("salvaged %v, %v; want the last one too", got.seqs, err)
	}
	if aside, err := filepath.Glob(filepath.Join(dir, asidePattern+"*", name)); err != nil || len(aside) != 1 {
		t.Errorf("set aside were %q, %v", aside, err)
	}
}

// TestRepairLogsTorn: a transaction that a crash has torn stays out of the repaired
// log: half of it would make a room damaged that has lost nothing.
func TestRepairLogsTorn(t *testing.T) {
	log, starts := testLog(testLogSize, 1, 2, 3)
	clear(log[starts[3]-60:]) // 3 without its end
	log[starts[0]+60] ^= 3
	dir := t.TempDir()
	name := filepath.Join(dir, "00001.mem")
	if err := os.WriteFile(name, log, 0o600); err != nil {
		t.Fatal(err)
	}
	for upto, want := range map[uint64]uint64{0: 2, 3: 3} {
		if err := repairLogs(dir, 0, upto); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if scan := scanLog(data); scan.first != 1 || scan.last != want || !scan.bare || scan.stop != len(data) {
			t.Errorf("repaired with transactions up to %d: %+v of %d bytes, want 1 to %d", upto, scan, len(data), want)
		}
		if err := os.WriteFile(name, log, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLogHeader: the number of the key that a log is encrypted with is 0; other bytes
// in its place are mended, unless the whole isn't a log.
func TestLogHeader(t *testing.T) {
	t.Parallel() // it waits for the disk
	dir, name, data := lostDirectory(t)
	copy(data, "\xff\x00\x12\x34noise")
	log := filepath.Join(dir, name)
	if err := writeSparse(log, data); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), quiet(testOptions(dir)))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Load(t.Context(), "a", 0, discard{}), s.Close()); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "00009.mem"), []byte("no log, and longer than a header"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), quiet(testOptions(dir))); err == nil || !strings.Contains(err.Error(), "00009.mem begins with bytes that aren't a log's") {
		t.Errorf("%v, want to be told of what isn't a log", err)
	}
}

// TestRepairLogsSwapped: logs that have changed places are put in order, and holes
// between them and behind them are bridged.
func TestRepairLogsSwapped(t *testing.T) {
	one, _ := testLog(testLogSize, 3, 4)
	two, _ := testLog(testLogSize, 5, 6)
	three, _ := testLog(testLogSize, 9, 10)
	dir := t.TempDir()
	for i, log := range [][]byte{three, one, two} {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.mem", i+1)), log, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := repairLogs(dir, 1, 12); err != nil {
		t.Fatal(err)
	}
	_, scans, err := scanLogs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if at, text := judge(scans, 12, func() uint64 { return 1 }); text != "" {
		t.Errorf("log %d %s", at, text)
	}
	if text := (synced{upto: 12}).lost(scans, 1); text != "" || scans[0].first != 2 || scans[1].first != 5 || scans[2].last != 12 {
		t.Errorf("%+v: %s", scans, text)
	}
}

func entriesOf(t *testing.T, data []byte, blocks []extent) (keys []string) {
	t.Helper()
	for _, b := range blocks {
		if err := eachEntry(data[b.from:b.to], func(key []byte, value y.ValueStruct) {
			keys = append(keys, fmt.Sprintf("%q %d", key, len(value.Value)))
		}); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

// TestRepairTable: of a damaged table all blocks are kept that are whole, with its
// index and without.
func TestRepairTable(t *testing.T) {
	_, data := realTable(t)
	index, start, _, _ := tableIndex(data)
	all, _ := readIndex(index, start)
	random := rand.New(rand.NewPCG(1, 1))
	for _, withIndex := range []bool{true, false} {
		for range 20 {
			bad := random.IntN(len(all))
			spoiled := bytes.Clone(data)
			for range 3 {
				flipBit(spoiled, 8*all[bad].from+random.IntN(8*(all[bad].to-all[bad].from-20)))
			}
			if !withIndex {
				noise(random, spoiled, start, len(data))
			}
			name := filepath.Join(t.TempDir(), "000001.sst")
			if err := os.WriteFile(name, spoiled, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := repairTable(name); err != nil {
				t.Fatal(err)
			}
			repaired, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if at := (&mender{data: repaired}).table(); at >= 0 {
				t.Fatalf("the repaired table is damaged at byte %d", at)
			}
			blocks := append(slices.Clone(all[:bad]), all[bad+1:]...)
			newIndex, end, _, _ := tableIndex(repaired)
			kept, _ := readIndex(newIndex, end)
			if got, want := entriesOf(t, repaired, kept), entriesOf(t, data, blocks); !slices.Equal(got, want) {
				t.Fatalf("block %d of %d damaged, index %v: %d entries are kept, want %d", bad, len(all), withIndex, len(got), len(want))
			}
		}
	}
	name := filepath.Join(t.TempDir(), "000001.sst")
	if err := os.WriteFile(name, bytes.Repeat([]byte("noise"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := repairTable(name); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Errorf("a table of which nothing can be read is still there: %v", err)
	}
}

// TestSweepInUse: a sweep entry that damage has left behind doesn't take away what a
// head points at.
func TestSweepInUse(t *testing.T) {
	opt := quiet(testOptions(t.TempDir()))
	s := openStore(t, opt)
	e := writeDamageRooms(t, s) // a: a snapshot up to 3, a large record 9
	set(t, s.db, appendBlobSweepKey(nil, e.snapshot("a")), nil)
	set(t, s.db, appendBlobSweepKey(nil, largeBlob(t, s.db)), nil)
	set(t, s.db, appendTrimSweepKey(nil, "b", 5), make([]byte, 8))
	left := blob{kind: kindSnapshotChunk, room: "a", seq: 3, id: e.snapshotID + 1}
	set(t, s.db, appendBlobSweepKey(nil, left), nil)
	set(t, s.db, appendChunkKey(nil, left, 0), []byte("garbage"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, opt)
	if n := waitSwept(t, s); n[kindSnapshotChunk] != 3 {
		t.Errorf("%d chunks of snapshots are left, want the three of a's", n[kindSnapshotChunk])
	}
	for _, room := range []string{"a", "b"} {
		if err := s.Load(t.Context(), room, 0, discard{}); err != nil {
			t.Error(err)
		}
	}
}
