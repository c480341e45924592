package badger

import (
	"bytes"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
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
	for deadline := time.Now().Add(20 * time.Second); size != want; time.Sleep(time.Millisecond) {
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

// TestBallast turns the watcher by hand.
func TestBallast(t *testing.T) {
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
		child.await("stored", time.Minute)
		awaitBallast(t, dir, fullMinFree/ballastShare)
		other := filepath.Join(mount, "other")
		fillDisk(t, other, 0)
		awaitQuiet(t, dir)
		if child.dead() {
			deaths++
			maps.Copy(acked, child.acked)
			child = startFullChild(t, dir, fullBusy+"=1")
			child.await("refused", time.Minute)
			awaitQuiet(t, dir)
		}
		if err := os.Remove(other); err != nil {
			t.Fatal(err)
		}
		if child.lives("stored", time.Minute) {
			continue
		}
		// A slow machine was still at its end when it was asked whether it is dead.
		if !bytes.Contains(child.err.Bytes(), []byte("SIGBUS")) {
			t.Fatalf("the process with the store has died: %v\n%s", child.cmd.ProcessState, child.err.Bytes())
		}
		deaths++
		maps.Copy(acked, child.acked)
		child = startFullChild(t, dir, fullBusy+"=1")
		child.await("stored", time.Minute)
	}
	maps.Copy(acked, child.stop())
	total := wantAcked(t, dir, acked)
	t.Logf("filled at once %d times; the process died %d times and opened on the full disk; %d records acknowledged, all there", *fullDisks, deaths, total)
}
