package badger

import (
	"bytes"
	"context"
	"errors"
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
	if _, err := prepareDir(t.Context(), opt); err != nil {
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

// TestTableListRepaired: a table that the list has lost is in it again once the loss
// is accepted, and the list as it was is set aside.
func TestTableListRepaired(t *testing.T) {
	t.Parallel() // it waits for the disk
	_, flushed, compacted := stages(t)
	for _, dir := range []string{flushed, compacted} {
		list := manifestOf(t, dir)
		for what, data := range map[string][]byte{
			"its last byte is gone": list[:len(list)-1],
			"it is gone":            nil,
			"it is noise":           bytes.Repeat([]byte("noise"), 50),
			"its middle is zero":    append(append(bytes.Clone(list[:20]), make([]byte, 30)...), list[50:]...),
		} {
			work := t.TempDir()
			copyDir(t, work, dir)
			name := filepath.Join(work, manifestName)
			if err := errors.Join(os.Remove(name), os.WriteFile(name, data, 0o600)); err != nil {
				t.Fatal(err)
			}
			if data == nil {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
			}
			opt := testOptions(work)
			_, err := Open(t.Context(), opt)
			if err == nil || !strings.Contains(err.Error(), "would lose transactions") {
				t.Fatalf("%s: %v, want to be told", what, err)
			}
			opt.AcceptLoss = true
			s := openStore(t, opt)
			if head, err := s.Claim(t.Context(), "a"); err != nil || head.Last != 5 || head.Epoch != 6 {
				t.Errorf("%s: a's head is %+v, %v; want the one of before, at seq 5", what, head, err)
			}
			kept, err := filepath.Glob(filepath.Join(work, "damaged-*", manifestName))
			if err != nil || len(kept) != min(1, len(data)) {
				t.Fatalf("%s: set aside were %q, %v", what, kept, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
