// Package disk is a file system of its own for a test: an ext4 in a file, on a loop
// device. It can lose its power, its space, and be mounted again. Linux, root.
package disk

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// ErrForbidden means that this machine doesn't let us mount: no root, or a
// container without the right to.
var ErrForbidden = errors.New("this machine forbids to mount")

// Disk is a file system in a file. It is for one goroutine.
type Disk struct {
	image   string
	mounted bool
	// Dir is where it is mounted.
	Dir string
}

// Make makes a file system of so many bytes below dir, and mounts it.
func Make(dir string, size int64) (*Disk, error) {
	d := &Disk{image: filepath.Join(dir, "disk"), Dir: filepath.Join(dir, "mounted")}
	if err := os.Mkdir(d.Dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		return nil, err
	}
	if err := os.Truncate(d.image, size); err != nil {
		return nil, err
	}
	if err := run("mkfs.ext4", "-q", "-m", "0", d.image); err != nil {
		return nil, err
	}
	return d, d.Mount()
}

// Mount mounts it, replaying its journal. Who has begun a mount namespace meanwhile, as
// containers and browsers do, has a copy of the last mount: as long as that is there,
// the kernel gives the old file system back, still without power. So it waits.
func (d *Disk) Mount() error {
	for range 600 {
		if err := d.mount(); err != nil {
			return err
		}
		probe := filepath.Join(d.Dir, "probe")
		file, err := os.Create(probe)
		if !errors.Is(err, syscall.EIO) {
			if err == nil {
				err = errors.Join(file.Close(), os.Remove(probe))
			} else if errors.Is(err, syscall.ENOSPC) {
				err = nil // full, and that is all right
			}
			return err
		}
		if err := d.Unmount(); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("%s: somebody else's mount namespace still has it without power after a minute", d.image)
}

func (d *Disk) mount() error {
	err := run("mount", "-o", "loop", d.image, d.Dir)
	if err != nil {
		for _, sign := range []string{"permission denied", "must be superuser", "Operation not permitted", "failed to setup loop device"} {
			if strings.Contains(err.Error(), sign) {
				return errors.Join(ErrForbidden, err)
			}
		}
		return err
	}
	d.mounted = true
	return nil
}

// Unmount unmounts it. Nobody may use it any more; who has just been killed may
// need a moment to let go.
func (d *Disk) Unmount() error {
	if !d.mounted {
		return nil
	}
	err := run("umount", d.Dir)
	for range 600 {
		if err == nil || !strings.Contains(err.Error(), "busy") {
			break
		}
		time.Sleep(100 * time.Millisecond)
		err = run("umount", d.Dir)
	}
	d.mounted = err != nil
	return err
}

// Cut is the power cut: nothing that the disk wasn't told to keep is kept, and
// nothing can be written any more. Unmount and Mount bring the power back.
func (d *Disk) Cut() error {
	dir, err := os.Open(d.Dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	const shutdown, noLogFlush = 0x8004587d, 2 // FS_IOC_SHUTDOWN
	flags := uint32(noLogFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, dir.Fd(), shutdown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		return fmt.Errorf("shutdown of the file system: %w", errno)
	}
	return nil
}

// Free returns how many bytes are free.
func (d *Disk) Free() (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.Dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * s.Bsize, nil
}

// Fill takes all space but so many bytes; Release gives it back.
func (d *Disk) Fill(leave int64) error {
	free, err := d.Free()
	if err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(d.Dir, "filler"))
	if err != nil {
		return err
	}
	defer file.Close()
	// The file system wants a few blocks for itself, and others write meanwhile.
	size := free - leave
	for err = syscall.ENOSPC; errors.Is(err, syscall.ENOSPC) && size > 0; size -= 256 << 10 {
		err = syscall.EINTR
		for errors.Is(err, syscall.EINTR) {
			err = syscall.Fallocate(int(file.Fd()), 0, 0, size)
		}
	}
	return err
}

// Release removes what Fill wrote.
func (d *Disk) Release() error { return os.Remove(filepath.Join(d.Dir, "filler")) }

func run(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", cmd, err, out.Bytes())
	}
	return nil
}
