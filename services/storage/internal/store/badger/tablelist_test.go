package badger

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// stages writes a store five times, and returns copies of its directory: before it
// was closed, when a log held the last writes; after, when the last of five tables
// does; and when these were compacted.
func stages(t *testing.T) (logged, flushed, compacted string) {
	t.Helper()
	opt := testOptions(t.TempDir())
	logged, flushed, compacted = t.TempDir(), t.TempDir(), t.TempDir()
	for turn := range 5 {
		s := openStore(t, opt)
		mustClaim(t, s, "a")
		epoch, seq := store.Epoch(turn+1), store.Seq(turn+1)
		mustAppend(t, s, "a", epoch, seq, crashData(0, uint64(turn), 3000))
		waitSwept(t, s)
		if turn == 4 {
			copyDir(t, logged, opt.Dir)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	copyDir(t, flushed, opt.Dir)
	s := openStore(t, opt)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for slices.ContainsFunc(s.db.Tables(), func(t badger.TableInfo) bool { return t.Level == 0 }) {
		select { // five tables are what Badger begins at
		case <-ctx.Done():
			t.Fatal("the tables aren't compacted")
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	copyDir(t, compacted, opt.Dir)
	return logged, flushed, compacted
}

func manifestOf(t *testing.T, dir string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func liveIn(t *testing.T, dir string) []uint64 {
	t.Helper()
	l, err := readTableList(testOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	return l.live
}

// prepareWith prepares a copy of dir whose list is data; nil is none.
func prepareWith(t *testing.T, dir string, data []byte) (live []uint64, err error) {
	t.Helper()
	work := t.TempDir()
	copyDir(t, work, dir)
	name := filepath.Join(work, manifestName)
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if data != nil {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	opt := testOptions(work)
	opt.Log = slog.New(slog.DiscardHandler)
	if err := prepareDir(t.Context(), opt); err != nil {
		return nil, err
	}
	return liveIn(t, work), nil
}

// TestTableListDamaged damages the list in every way that is more than a crash's:
// Badger may not get to see it, unless what it would open is the same.
func TestTableListDamaged(t *testing.T) {
	t.Parallel() // it waits for the disk
	_, flushed, compacted := stages(t)
	for _, dir := range []string{flushed, compacted} {
		want, list := liveIn(t, dir), manifestOf(t, dir)
		refused := 0
		check := func(what string, at int, data []byte) {
			t.Helper()
			live, err := prepareWith(t, dir, data)
			switch {
			case err == nil && !slices.Equal(live, want):
				t.Errorf("%s at %d of %d: the tables %d are opened, want %d", what, at, len(list), live, want)
			case err != nil && !strings.Contains(err.Error(), "restore a backup"):
				t.Errorf("%s at %d of %d: %v", what, at, len(list), err)
			case err != nil:
				refused++
			}
		}
		check("no list", 0, nil)
		random := rand.New(rand.NewPCG(9, uint64(len(list))))
		for at := range list {
			check("cut", at, list[:at])
			for range 2 {
				data := bytes.Clone(list)
				for i := at; i < min(at+64, len(data)); i++ {
					data[i] = byte(random.Uint32())
				}
				check("64 bytes", at, data)
			}
			data := bytes.Clone(list)
			clear(data[at:])
			check("zeros", at, data)
			if at < len(list)-12 { // what fooled the check of lengths: a small one, too large
				copy(data[at:], []byte{0, 0, 0, byte(len(list) - at - 7)})
				check("length", at, data)
			}
		}
		if refused < len(list) {
			t.Errorf("%d damages were refused, of %d bytes: the test shows nothing", refused, len(list))
		}
	}
}

// TestTableListTorn leaves lists as crashes do, between a table and its place in the
// list, and between the list and the removal of what it no longer needs.
func TestTableListTorn(t *testing.T) {
	t.Parallel() // it waits for the disk
	logged, flushed, compacted := stages(t)
	for name, c := range map[string]struct{ before, after string }{
		"flush":      {logged, flushed},
		"compaction": {flushed, compacted},
	} {
		both := t.TempDir() // the log of before, the tables of both
		copyDir(t, both, c.after)
		copyDir(t, both, c.before)
		before, after := manifestOf(t, c.before), manifestOf(t, c.after)
		if !bytes.HasPrefix(after, before) || len(after) == len(before) {
			t.Fatalf("%s: the list doesn't go on: %q, then %q", name, before, after)
		}
		for end := len(before); end <= len(after); end++ {
			if _, err := prepareWith(t, both, after[:end]); err != nil {
				t.Errorf("%s, torn at byte %d of %d..%d: %v", name, end, len(before), len(after), err)
			}
		}
	}
}

// TestTableListLost: who accepts the loss of tables gets a store that opens, and
// copies of all that was lost.
func TestTableListLost(t *testing.T) {
	t.Parallel() // it waits for the disk
	_, flushed, _ := stages(t)
	list := manifestOf(t, flushed)
	if err := os.WriteFile(filepath.Join(flushed, manifestName), list[:len(list)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	opt := testOptions(flushed)
	_, err := Open(t.Context(), opt)
	if err == nil || !strings.Contains(err.Error(), "tables are not in it (1") {
		t.Fatalf("%v, want to be told of a table", err)
	}
	tables, err := filepath.Glob(filepath.Join(flushed, "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	last := tables[len(tables)-1]
	data, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	opt.AcceptLoss = true
	s := openStore(t, opt)
	if head, err := s.Claim(t.Context(), "a"); err != nil || head.Last != 4 {
		t.Errorf("a's head is %+v, %v; want the one of before, at seq 4", head, err)
	}
	for name, want := range map[string][]byte{filepath.Base(last): data, manifestName: list[:len(list)-1]} {
		kept, err := filepath.Glob(filepath.Join(flushed, "damaged-*", name))
		if err != nil || len(kept) != 1 {
			t.Fatalf("%s was not set aside: %q, %v", name, kept, err)
		}
		if got, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(got, bytes.TrimRight(want, "\x00")) {
			t.Errorf("%s was set aside with %d bytes of %d, %v", name, len(got), len(want), err)
		}
	}
}
