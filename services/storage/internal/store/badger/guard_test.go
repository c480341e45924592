package badger

import (
	"bytes"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// disk is a disk whose free space the test says.
type disk struct {
	free   atomic.Uint64
	broken atomic.Bool
}

func (d *disk) ask(string) (uint64, error) {
	if d.broken.Load() {
		return 0, errors.New("the disk does not answer")
	}
	return d.free.Load(), nil
}

// now sets the free space, for all that is asked from here on: an operation that
// joined a batch under way, such as a sweep's, would be held to what was free when
// that began.
func (d *disk) now(t *testing.T, s *Store, free uint64) {
	t.Helper()
	d.free.Store(free)
	if err := s.submit(t.Context(), nothing{}); err != nil {
		t.Fatal(err)
	}
}

// nothing is an operation that waits for the batch it is in.
type nothing struct{}

func (nothing) stage(*batch) error { return nil }
func (nothing) settle(error)       {}
func (nothing) size() (int, int)   { return 0, 0 }

const testMinFree = 100 << 20

func openOnDisk(t *testing.T) (*Store, *disk) {
	d := &disk{}
	d.free.Store(1 << 40)
	opt := testOptions(t.TempDir())
	opt.MinFree, opt.Free = testMinFree, d.ask
	return openStore(t, opt), d
}

func TestGuard(t *testing.T) {
	s, d := openOnDisk(t)
	epoch := mustClaim(t, s, "a")
	mustAppend(t, s, "a", epoch, 1, []byte("one"))
	appendTwo := func(data []byte) error {
		return s.Append(t.Context(), []store.Item{{Room: "a", Epoch: epoch, Seq: 2, Data: data}})[0].Err
	}
	snapshot := func(size int) error {
		_, err := s.PutSnapshot(t.Context(), store.Snapshot{Room: "a", Epoch: epoch, Seq: 1, Size: uint64(size)}, bytes.NewReader(make([]byte, size)))
		return err
	}
	refused := func(what string, err error) {
		t.Helper()
		if store.KindOf(err) != store.NoSpace || !strings.Contains(err.Error(), "MiB left") {
			t.Errorf("%s: %v, want no space", what, err)
		}
	}

	d.now(t, s, testMinFree-1)
	refused("a record below the limit", appendTwo([]byte("two")))
	refused("a large record below the limit", appendTwo(make([]byte, 1<<20)))
	mustAppend(t, s, "a", epoch, 1, []byte("one")) // it is there: that needs no space
	mustClaim(t, s, "b")

	d.now(t, s, testMinFree/snapshotShare-1)
	refused("a snapshot below half of it", snapshot(10))
	refused("a large snapshot below half of it", snapshot(3<<20))
	d.now(t, s, testMinFree/snapshotShare+1<<20)
	refused("a snapshot that would go below half of it", snapshot(3<<20))
	if err := snapshot(100); err != nil {
		t.Errorf("a snapshot above half of it: %v", err)
	}

	d.now(t, s, testMinFree/deleteShare-1)
	_, err := s.Claim(t.Context(), "c")
	refused("a claim below an eighth", err)
	_, err = s.Delete(t.Context(), "a", epoch)
	refused("a deletion below an eighth", err)
	if err := s.Load(t.Context(), "a", epoch, discard{}); err != nil {
		t.Errorf("a load of a full disk: %v", err)
	}

	d.broken.Store(true)
	if err := appendTwo([]byte("two")); store.KindOf(err) != store.NoSpace || !strings.Contains(err.Error(), "the disk does not answer") {
		t.Errorf("a record on a disk that doesn't answer: %v, want no space, and why", err)
	}
	d.broken.Store(false)

	d.now(t, s, testMinFree)
	if err := appendTwo([]byte("two")); err != nil {
		t.Errorf("a record after space came back: %v", err)
	}
	if err := s.Err(); err != nil {
		t.Errorf("a full disk has ended the store: %v", err)
	}
}

// TestGuardUpload: a disk that fills up in the middle of an upload ends it, and what
// was uploaded goes away.
func TestGuardUpload(t *testing.T) {
	s, d := openOnDisk(t)
	epoch := mustClaim(t, s, "a")
	mustAppend(t, s, "a", epoch, 1, []byte("one"))
	body := &filling{disk: d, left: 10 << 20, fullAt: 6 << 20}
	_, err := s.PutSnapshot(t.Context(), store.Snapshot{Room: "a", Epoch: epoch, Seq: 1, Size: 10 << 20}, body)
	if store.KindOf(err) != store.NoSpace {
		t.Fatalf("a snapshot that fills the disk: %v", err)
	}
	if got := countKeys(t, s); got[kindSnapshotChunk] == 0 {
		t.Error("nothing was uploaded before the disk was full: the test shows nothing")
	}
	d.now(t, s, 1<<40)
	mustAppend(t, s, "a", epoch, 2, []byte("two"))
	if got := countKeys(t, s); got[kindRecord] != 2 {
		t.Errorf("after the refusal: %v", got)
	}
}

// filling is a body during which the disk becomes full.
type filling struct {
	disk   *disk
	left   int
	fullAt int
}

func (f *filling) Read(p []byte) (int, error) {
	if f.left <= f.fullAt {
		f.disk.free.Store(testMinFree / 16)
	}
	n := min(len(p), f.left, 64<<10)
	f.left -= n
	return n, nil
}
