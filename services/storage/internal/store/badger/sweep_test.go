package badger

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// countKeys returns how many keys begin with each kind.
func countKeys(t testing.TB, s *Store) map[byte]int {
	t.Helper()
	counts := map[byte]int{}
	err := s.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			counts[it.Item().Key()[0]]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// waitSwept waits until the sweeper has nothing left to do.
func waitSwept(t testing.TB, s *Store) map[byte]int {
	t.Helper()
	for deadline := time.Now().Add(slowDisk); ; {
		counts := countKeys(t, s)
		if counts[kindSweep] == 0 {
			return counts
		}
		if time.Now().After(deadline) {
			t.Fatalf("garbage is left: %v", counts)
		}
		select {
		case <-t.Context().Done():
			t.Fatal("the test ended")
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func mustClaim(t testing.TB, s *Store, room string) store.Epoch {
	t.Helper()
	head, err := s.Claim(t.Context(), room)
	if err != nil {
		t.Fatal(err)
	}
	return head.Epoch
}

func mustAppend(t testing.TB, s *Store, room string, epoch store.Epoch, seq store.Seq, data []byte) {
	t.Helper()
	if r := s.Append(t.Context(), []store.Item{{Room: room, Epoch: epoch, Seq: seq, Data: data}}); r[0].Err != nil {
		t.Fatalf("append %d to %q: %v", seq, room, r[0].Err)
	}
}

func mustSnapshot(t testing.TB, s *Store, room string, epoch store.Epoch, seq store.Seq, data []byte) {
	t.Helper()
	snap := store.Snapshot{Room: room, Epoch: epoch, Seq: seq, Size: uint64(len(data))}
	if _, err := s.PutSnapshot(t.Context(), snap, bytes.NewReader(data)); err != nil {
		t.Fatalf("snapshot %d of %q: %v", seq, room, err)
	}
}

func TestSweepAfterSnapshotAndDelete(t *testing.T) {
	s := openStore(t, testOptions(t.TempDir()))
	large := crashData(0, 0, 700<<10) // three chunks
	epoch := mustClaim(t, s, "a")
	for seq := store.Seq(1); seq <= 600; seq++ { // more than one sweep op deletes
		mustAppend(t, s, "a", epoch, seq, []byte("r"))
	}
	mustAppend(t, s, "a", epoch, 601, large)
	mustAppend(t, s, "a", epoch, 602, large)
	mustSnapshot(t, s, "a", epoch, 601, large)
	got := waitSwept(t, s)
	if got[kindRecord] != 1 || got[kindRecordChunk] != 3 || got[kindSnapshotChunk] != 3 {
		t.Errorf("after a snapshot of all records but one: %v", got)
	}
	mustSnapshot(t, s, "a", epoch, 602, []byte("small"))
	got = waitSwept(t, s)
	if got[kindRecord] != 0 || got[kindRecordChunk] != 0 || got[kindSnapshotChunk] != 1 {
		t.Errorf("after a second snapshot: %v", got)
	}
	mustAppend(t, s, "a", epoch, 603, large)
	if _, err := s.Delete(t.Context(), "a", epoch); err != nil {
		t.Fatal(err)
	}
	got = waitSwept(t, s)
	if got[kindRecord]+got[kindRecordChunk]+got[kindSnapshotChunk] != 0 || got[kindHead] != 1 {
		t.Errorf("after a deletion: %v", got)
	}
}

// TestSweepRefusedUpload: what was uploaded for nothing goes away.
func TestSweepRefusedUpload(t *testing.T) {
	s := openStore(t, testOptions(t.TempDir()))
	epoch := mustClaim(t, s, "a")
	mustAppend(t, s, "a", epoch, 1, []byte("r"))
	snap := store.Snapshot{Room: "a", Epoch: epoch, Seq: 1, Size: 5 << 20}
	broken := errors.New("the client is gone")
	for name, body := range map[string]io.Reader{
		"a body that breaks":   io.MultiReader(bytes.NewReader(make([]byte, 3<<20)), failing{broken}),
		"a body that is short": bytes.NewReader(make([]byte, 3<<20)),
		"an owner that is fenced meanwhile": io.MultiReader(bytes.NewReader(make([]byte, 3<<20)), calling{func() {
			epoch = mustClaim(t, s, "a")
		}}, bytes.NewReader(make([]byte, 2<<20))),
	} {
		snap.Epoch = epoch
		if _, err := s.PutSnapshot(t.Context(), snap, body); err == nil {
			t.Errorf("%s: no error", name)
		}
		if got := waitSwept(t, s); got[kindSnapshotChunk] != 0 || got[kindRecord] != 1 {
			t.Errorf("%s: left %v", name, got)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

type calling struct{ f func() }

func (c calling) Read([]byte) (int, error) {
	c.f()
	return 0, io.EOF
}

// TestSweepAfterCrash opens what a process left that died in an upload, and before
// it had swept.
func TestSweepAfterCrash(t *testing.T) {
	s := openStore(t, testOptions(t.TempDir()))
	epoch := mustClaim(t, s, "a")
	for seq := store.Seq(1); seq <= 20; seq++ {
		mustAppend(t, s, "a", epoch, seq, []byte("r"))
	}
	mustAppend(t, s, "a", epoch, 21, crashData(0, 0, 300<<10))
	crash := t.TempDir()
	snap := store.Snapshot{Room: "a", Epoch: epoch, Seq: 21, Size: 4 << 20}
	data := crashData(0, 21, 4<<20)
	body := io.MultiReader(bytes.NewReader(data[:3<<20]), calling{func() { copyDir(t, crash, s.opt.Dir) }}, bytes.NewReader(data[3<<20:]))
	if _, err := s.PutSnapshot(t.Context(), snap, body); err != nil {
		t.Fatal(err)
	}
	crashed := openStore(t, testOptions(crash))
	got := waitSwept(t, crashed)
	if got[kindSnapshotChunk] != 0 || got[kindRecord] != 21 || got[kindRecordChunk] != 2 {
		t.Errorf("after a crash in an upload: %v", got)
	}
	mustAppend(t, crashed, "a", mustClaim(t, crashed, "a"), 22, []byte("r"))
}

// TestSweepOverflow: garbage that finds no room in the queue waits for the next
// Open.
func TestSweepOverflow(t *testing.T) {
	w := newSweeper()
	for range maxSweepQueue / 1000 {
		w.push(make([]garbage, 1000)...)
	}
	w.push(make([]garbage, 5000)...)
	if got := len(w.take()); got != maxSweepQueue {
		t.Errorf("the queue held %d, want %d", got, maxSweepQueue)
	}
	if got := len(w.take()); got != 0 {
		t.Errorf("the queue holds %d after it was emptied", got)
	}
}

// lateCanceler is a body that is given up when its last byte was read.
type lateCanceler struct {
	io.Reader
	cancel context.CancelFunc
}

func (c lateCanceler) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		c.cancel()
	}
	return n, err
}

// TestGivenUpAtTheEnd: what was uploaded to its end, and is given up before the
// committer hears of it, doesn't stay until the next start.
func TestGivenUpAtTheEnd(t *testing.T) {
	s := openStore(t, testOptions(t.TempDir()))
	mustAppend(t, s, "a", mustClaim(t, s, "a"), 1, []byte("r"))
	data := make([]byte, uploadBuffer)
	for name, put := range map[string]func(context.Context, io.Reader) error{
		"a snapshot": func(ctx context.Context, body io.Reader) error {
			_, err := s.PutSnapshot(ctx, store.Snapshot{Room: "a", Epoch: 1, Seq: 1, Size: uploadBuffer}, body)
			return err
		},
		"a rebuilt room": func(ctx context.Context, body io.Reader) error {
			_, err := s.Rebuild(ctx, store.Rebuilt{Room: "a", Seen: store.Head{Last: 1}, Size: uploadBuffer}, body)
			return err
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		if err := put(ctx, lateCanceler{bytes.NewReader(data), cancel}); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: %v, want canceled", name, err)
		}
		if n := waitSwept(t, s); n[kindSnapshotChunk] != 0 || n[kindRecord] != 1 {
			t.Errorf("%s: there are %v, want the record alone", name, n)
		}
	}
}
