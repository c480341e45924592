package badger

import (
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// awaitBallast waits until so much is held back.
func awaitBallast(t *testing.T, dir string, want int64) {
	t.Helper()
	path := filepath.Join(dir, ballastName)
	size := int64(-1)
	for deadline := time.Now().Add(slowDisk); size != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes of ballast, want %d", size, want)
		}
		size = 0
		if info, err := os.Stat(path); err == nil {
			size = info.Size()
			if st, _ := info.Sys().(*syscall.Stat_t); size > 0 && st.Blocks*512 < size {
				t.Fatalf("the ballast occupies %d of its %d bytes", st.Blocks*512, size)
			}
		}
	}
}

// needsAllocate leaves a test out where the file system can't set space aside, as some
// of networks can't: there is no ballast then.
func needsAllocate(t *testing.T) {
	t.Helper()
	if err := allocate(filepath.Join(t.TempDir(), "probe"), lastBytes); errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("NOT SHOWN on this file system: %v", err)
	}
}

// TestBallast turns the watcher by hand.
func TestBallast(t *testing.T) {
	needsAllocate(t)
	const size = testMinFree / ballastShare
	d := &disk{}
	opt := testOptions(t.TempDir())
	opt.MinFree, opt.Free, opt.Log = testMinFree, d.ask, slog.New(slog.DiscardHandler)
	s := &Store{opt: opt, log: opt.Log, ballast: newBallast(opt)}
	for _, step := range []struct {
		free uint64
		held int64
	}{
		{2*testMinFree + size - 1, 0}, // not plenty
		{2*testMinFree + size, size},
		{lastBytes, size},
		{lastBytes - 1, size / 2},
		{size / 2, size / 2}, // that has helped
		{0, size / 4},
		{0, size / 8},
		{2 * testMinFree, size / 8},
		{1 << 40, size},
	} {
		d.free.Store(step.free)
		s.watch()
		if got := s.BallastBytes(); got != step.held {
			t.Fatalf("%d bytes are held back with %d free, want %d", got, step.free, step.held)
		}
		awaitBallast(t, opt.Dir, step.held)
	}
	d.broken.Store(true)
	s.watch()
	awaitBallast(t, opt.Dir, size)
}

// TestBallastAtOpen: a store finds its ballast again, and gives it up for Badger's
// sake if the disk is full.
func TestBallastAtOpen(t *testing.T) {
	const size = testMinFree / ballastShare
	needsAllocate(t)
	s, d := openOnDisk(t)
	dir := s.opt.Dir
	awaitBallast(t, dir, size)
	if got := s.DiskBytes(); got >= size {
		t.Errorf("the directory occupies %d bytes: is the ballast of %d among them?", got, size)
	}
	for _, free := range []uint64{1 << 40, size, size - 1} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		d.free.Store(free)
		s = openStore(t, s.opt)
		want := int64(size)
		if free < size {
			want = 0
		}
		if got := s.BallastBytes(); got != want {
			t.Errorf("%d bytes are held back after an Open with %d free, want %d", got, free, want)
		}
	}
}

// ballastIn returns how much of the ballast is left in a directory.
func ballastIn(t *testing.T, dir string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, ballastName))
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestDiskFullAtOnce has somebody else take the disk to its last byte as fast as
// they can while the store writes. The ballast lets Badger end what it has begun;
// where Badger was faster than the watcher the process dies, and then the ballast
// lets the next one open on the disk that is still full. Nothing that was
// acknowledged is lost, and all goes on when there is space again.
func TestDiskFullAtOnce(t *testing.T) {
	mount := mountSmall(t)
	dir := filepath.Join(mount, "data")
	acked := make(map[int]store.Seq)
	child := startFullChild(t, dir, fullBusy+"=1")
	deaths := 0
	for range *fullDisks {
		child.await("stored", slowDisk)
		awaitBallast(t, dir, fullMinFree/ballastShare)
		other := filepath.Join(mount, "other")
		fillDisk(t, other, 0)
		awaitQuiet(t, dir, child)
		if child.dead() {
			deaths++
			maps.Copy(acked, child.acked)
			whole := ballastIn(t, dir) == fullMinFree/ballastShare
			child = startFullChild(t, dir, fullBusy+"=1")
			switch {
			case child.lives("refused", slowDisk):
				awaitQuiet(t, dir, child)
			case whole:
				t.Fatalf("no process can open on the full disk, in spite of its ballast: %v\n%s", child.cmd.ProcessState, child.err.String()+child.rest.String())
			default: // others were slow enough to take what it gave up, too
			}
		}
		if err := os.Remove(other); err != nil {
			t.Fatal(err)
		}
		if child.lives("stored", slowDisk) {
			continue
		}
		// A slow machine was still at its end when it was asked whether it is dead.
		if text := child.err.String() + child.rest.String(); !strings.Contains(text, "SIGBUS") && !strings.Contains(text, "no space left") {
			t.Fatalf("the process with the store has died: %v\n%s", child.cmd.ProcessState, text)
		}
		deaths++
		maps.Copy(acked, child.acked)
		child = startFullChild(t, dir, fullBusy+"=1")
		child.await("stored", slowDisk)
	}
	maps.Copy(acked, child.stop())
	total := wantAcked(t, dir, acked)
	t.Logf("filled at once %d times; the process died %d times and opened on the full disk; %d records acknowledged, all there", *fullDisks, deaths, total)
}
