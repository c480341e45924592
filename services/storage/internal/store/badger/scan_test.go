package badger

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

// testLog makes a log as Badger does, of the transactions with these timestamps.
// It returns where each begins, and where the last one ends.
func testLog(size int, timestamps ...uint64) (data []byte, starts []int) {
	data = make([]byte, logHeader, size)
	random := rand.New(rand.NewPCG(uint64(len(timestamps)), 0))
	for _, ts := range timestamps {
		starts = append(starts, len(data))
		for i := range 3 {
			value := make([]byte, 40+random.IntN(1200)*(i%2))
			for j := range value {
				value[j] = byte(1 + random.IntN(255)) // no zeros: they are a crash's
			}
			data = appendEntry(data, logMetaTxn, ts, []byte("key"+strconv.Itoa(i)), value)
		}
		data = appendEntry(data, logMetaFin, ts, []byte(logEndKey), strconv.AppendUint(nil, ts, 10))
	}
	starts = append(starts, len(data))
	return append(data, make([]byte, size-len(data))...), starts
}

const testLogSize = 64 << 10

func judgeLogs(logs ...[]byte) (int, string) {
	scans := make([]logScan, len(logs))
	for i, data := range logs {
		scans[i] = scanLog(data)
	}
	return judge(scans, 0, func() uint64 { return 0 })
}

func TestScanWhole(t *testing.T) {
	one, _ := testLog(testLogSize, 1, 2, 3)
	two, starts := testLog(testLogSize, 4, 5)
	empty, _ := testLog(testLogSize)
	for name, logs := range map[string][][]byte{
		"none":             {},
		"one":              {one},
		"two":              {one, two},
		"an empty one":     {one, empty},
		"only empty ones":  {empty, empty},
		"cut by Badger":    {one, two[:starts[2]]},
		"one of no length": {nil},
	} {
		if at, text := judgeLogs(logs...); text != "" {
			t.Errorf("%s: log %d %s", name, at, text)
		}
	}
	if s := scanLog(one); s.first != 1 || s.last != 3 {
		t.Errorf("a log of 1 to 3: %+v", s)
	}
}

// TestScanTorn lets a crash tear the last transaction in every way it can.
func TestScanTorn(t *testing.T) {
	older, _ := testLog(testLogSize, 1, 2)
	whole, starts := testLog(testLogSize, 3, 4, 5)
	begin, end := starts[2], starts[3]
	check := func(what string, data []byte) {
		t.Helper()
		for _, logs := range [][][]byte{{data}, {older, data}} {
			if at, text := judgeLogs(logs...); text != "" {
				t.Fatalf("%s: log %d of %d %s", what, at, len(logs), text)
			}
		}
	}
	for at := begin; at < end; at++ { // killed while it wrote
		data := bytes.Clone(whole)
		clear(data[at:end])
		check("killed at byte "+strconv.Itoa(at-begin), data)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range 2000 { // power cut: any of its sectors, or none, came to the disk
		data := bytes.Clone(whole)
		for sector := begin - begin%sectorSize; sector < end; sector += sectorSize {
			if random.IntN(2) == 0 {
				clear(data[max(sector, begin):min(sector+sectorSize, end)])
			}
		}
		check("sectors", data)
	}
}

// TestScanReused is a log whose torn end was cut, but whose cut was lost in the
// next crash: the next process has written the transaction anew.
func TestScanReused(t *testing.T) {
	one, starts := testLog(testLogSize, 1, 2, 3)
	clear(one[starts[2]+50:])
	two, _ := testLog(testLogSize, 3, 4)
	if at, text := judgeLogs(one, two); text != "" {
		t.Errorf("log %d %s", at, text)
	}
}

func TestScanDamage(t *testing.T) {
	one, ones := testLog(testLogSize, 1, 2, 3)
	two, twos := testLog(testLogSize, 4, 5, 6)
	type spoil func(data []byte)
	flip := func(at int) spoil { return func(data []byte) { data[at] ^= 0x10 } }
	zero := func(from, to int) spoil { return func(data []byte) { clear(data[from:to]) } }
	for name, c := range map[string]struct {
		one, two spoil
		at       int
	}{
		"first byte":                          {one: flip(logHeader), at: 0},
		"a bit of the first transaction":      {one: flip(ones[0] + 60), at: 0},
		"a bit of an older log's last one":    {one: flip(ones[2] + 60), at: 0},
		"the last end of an older log":        {one: flip(ones[3] - 3), at: 0},
		"an older log's tail is zero":         {one: zero(ones[2], testLogSize), at: 0},
		"a bit of the newest log's first one": {two: flip(twos[0] + 60), at: 1},
		"a bit of the one before the last":    {two: flip(twos[1] + 60), at: 1},
		"its end":                             {two: flip(twos[2] - 3), at: 1},
		"a bit of the last one":               {two: flip(twos[2] + 60), at: 1},
		"the last one's end":                  {two: flip(twos[3] - 10), at: 1},
		"a sector of the one before the last": {two: zero(twos[1]-twos[1]%sectorSize+sectorSize, twos[1]-twos[1]%sectorSize+2*sectorSize), at: 1},
	} {
		t.Run(name, func(t *testing.T) {
			logs := [][]byte{bytes.Clone(one), bytes.Clone(two)}
			if c.one != nil {
				c.one(logs[0])
			}
			if c.two != nil {
				c.two(logs[1])
			}
			if at, text := judgeLogs(logs...); text == "" || at != c.at {
				t.Errorf("judged log %d %q, want log %d damaged", at, text, c.at)
			}
		})
	}
	t.Run("a log is gone", func(t *testing.T) {
		three, _ := testLog(testLogSize, 7, 8)
		if _, text := judgeLogs(one, three); text == "" {
			t.Error("transactions 4 to 6 are missing, and nobody said so")
		}
	})
}

// TestScanRealLog reads a log that Badger wrote, whole and damaged.
func TestScanRealLog(t *testing.T) {
	s := openStore(t, testOptions(t.TempDir()))
	writeFlipRooms(t, s)
	waitSwept(t, s) // or its last transaction comes while we look
	dir := t.TempDir()
	copyDir(t, dir, s.opt.Dir)
	name := filepath.Join(dir, "00001.mem")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	scan := scanLog(data)
	if want := s.db.MaxVersion(); scan.first != 1 || scan.last != want || scan.damage(0, 0) != "" {
		t.Fatalf("a log of the transactions 1 to %d: %+v", want, scan)
	}
	data[scan.stop/2] ^= 3 // a single bit would be turned back
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), testOptions(dir)); err == nil || !strings.Contains(err.Error(), "00001.mem is damaged at byte") {
		t.Fatalf("Open of a damaged log: %v", err)
	}
	opt := testOptions(dir)
	opt.AcceptLoss = true
	accepted := openStore(t, opt)
	if _, err := accepted.Claim(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	aside, err := filepath.Glob(filepath.Join(dir, "damaged-*", "00001.mem"))
	if err != nil || len(aside) != 1 {
		t.Fatalf("the damaged log was not set aside: %q, %v", aside, err)
	}
	kept, err := os.ReadFile(aside[0])
	if err != nil || !bytes.Equal(kept, bytes.TrimRight(data, "\x00")) {
		t.Fatalf("the log that was set aside has %d bytes, %v", len(kept), err)
	}
}

// TestScanRotated reads the logs of a store that fills one after the other, between
// its writes: there must be nothing wrong with them then.
func TestScanRotated(t *testing.T) {
	t.Parallel() // it waits for the disk
	opt := testOptions(t.TempDir())
	// While a record is synced Badger would make a table of the log before, and none of
	// them would be seen beside another.
	opt.tune = func(o *badger.Options) { o.SyncWrites = false }
	s := openStore(t, opt)
	head, err := s.Claim(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	data := crashData(0, 0, maxChunk)
	several := 0
	for seq := store.Seq(1); several < 3; seq++ {
		if seq > 2000 {
			t.Fatalf("%d times there was more than one log among %d records: Badger is too fast for this test", several, seq)
		}
		if r := s.Append(t.Context(), []store.Item{{Room: "a", Epoch: head.Epoch, Seq: seq, Data: data}}); r[0].Err != nil {
			t.Fatal(r[0].Err)
		}
		before := logSizes(t, s.opt.Dir)
		if len(before) < 2 {
			continue
		}
		names, scans, err := scanLogs(s.opt.Dir)
		if err != nil || !maps.Equal(before, logSizes(t, s.opt.Dir)) {
			continue // Badger removed one meanwhile
		}
		several++
		if at, text := judge(scans, 0, newestTabled(s.opt)); text != "" {
			t.Fatalf("at record %d, of %d logs %s %s", seq, len(before), names[at], text)
		}
	}
}

// TestLogRemovedBeforeAnOlder: Badger removes a log that has become tables when nobody
// reads it any more. A process that is killed while somebody still reads an older one
// leaves a hole between the logs, and has lost nothing.
func TestLogRemovedBeforeAnOlder(t *testing.T) {
	opt := testOptions(t.TempDir())
	s := openStore(t, opt)
	epoch := mustClaim(t, s, "a")
	mustAppend(t, s, "a", epoch, 1, []byte("one"))
	reader := s.db.NewTransaction(false)
	defer reader.Discard()
	it := reader.NewIterator(badger.DefaultIteratorOptions)
	defer it.Close()
	logs := func() (names []string) {
		all, err := logNames(opt.Dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range all {
			names = append(names, filepath.Base(name))
		}
		return names
	}
	seq := store.Seq(2)
	for data := crashData(0, 1, 200<<10); !slices.Contains(logs(), "00004.mem"); seq++ {
		mustAppend(t, s, "a", epoch, seq, data)
	}
	for deadline := time.Now().Add(time.Minute); !slices.Equal(logs(), []string{"00001.mem", "00004.mem"}); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the logs are %v, want the one that is read and the one that is written", logs())
		}
	}
	killed := testOptions(t.TempDir())
	copyDir(t, killed.Dir, opt.Dir)
	room, err := storetest.Adapt(openStore(t, killed)).Load(t.Context(), "a", 0)
	if err != nil || len(room.Records) != int(seq)-1 {
		t.Errorf("%d records, %v; want %d", len(room.Records), err, seq-1)
	}
	// With the list of tables gone too, it is a loss.
	lost := testOptions(t.TempDir())
	copyDir(t, lost.Dir, opt.Dir)
	if err := os.Remove(filepath.Join(lost.Dir, manifestName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), lost); err == nil || !strings.Contains(err.Error(), "begins with") {
		t.Errorf("without the list of tables: %v, want a hole between the logs", err)
	}
}

func logSizes(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		t.Fatal(err)
	}
	sizes := make(map[string]int64, len(names))
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			sizes[name] = info.Size()
		}
	}
	return sizes
}

func FuzzReadLogEntry(f *testing.F) {
	log, _ := testLog(8<<10, 1, 2)
	f.Add(log[logHeader:])
	f.Fuzz(func(t *testing.T, data []byte) {
		e, ok := readLogEntry(data)
		if ok && (e.size < 4 || e.size > len(data)) {
			t.Fatalf("an entry of %d bytes in %d", e.size, len(data))
		}
		scanLog(data)
	})
}
