package badger

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// TestPowerCut stores on an ext4 of its own and shuts that down as a power cut
// would: what the disk was not told to keep is gone. Every record that was
// acknowledged must be there. A kill can't show that: it leaves the page cache.
func TestPowerCut(t *testing.T) {
	if *powerCuts == 0 {
		t.Skip("run it with -powercuts 20, as root")
	}
	image, mount := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 1<<30); err != nil {
		t.Fatal(err)
	}
	run(t, "mkfs.ext4", "-q", image)
	t.Cleanup(func() {
		if t.Failed() {
			_ = exec.Command("umount", mount).Run()
		}
	})
	dir := filepath.Join(mount, "data")
	acked := map[int]uint64{}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	total := uint64(0)
	for round := range *powerCuts {
		before := sum(acked)
		run(t, "mount", "-o", "loop", image, mount)
		cut := make(chan struct{})
		time.AfterFunc(time.Duration(100+random.IntN(500))*time.Millisecond, func() {
			defer close(cut)
			cutPower(t, mount)
		})
		killChild(t, dir, 1, 700*time.Millisecond, time.Minute, acked)
		<-cut
		run(t, "umount", mount)
		total += sum(acked) - before
		run(t, "mount", "-o", "loop", image, mount)
		opened := t.TempDir()
		copyDir(t, opened, dir)
		run(t, "umount", mount)
		checkCrash(t, opened, acked, round)
	}
	t.Logf("%d power cuts, %d acknowledged records", *powerCuts, total)
}

// cutPower stops the file system without letting it write anything more.
func cutPower(t *testing.T, mount string) {
	dir, err := os.Open(mount)
	if err != nil {
		t.Error(err)
		return
	}
	defer dir.Close()
	const shutdown, noLogFlush = 0x8004587d, 2
	flags := uint32(noLogFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, dir.Fd(), shutdown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		t.Error("shutdown of the file system:", errno)
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out.Bytes())
	}
}
