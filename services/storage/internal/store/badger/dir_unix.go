//go:build linux || darwin

package badger

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// dirLock keeps other processes out of a data directory: the same flock on the
// directory that Badger takes, so that its own tools respect it too. The pid in
// the file LOCK is for people.
type dirLock struct {
	dir *os.File
	pid string
}

// maxPid is more than a process number has bytes.
const maxPid = 32

// lockDir makes the directory if need be, checks that it can be written, and
// locks it. Its errors are one line for the operator.
func lockDir(dir string) (_ *dirLock, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory %q cannot be made: give a directory that this user (uid %d) may write: %w", dir, os.Getuid(), err)
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("data directory %q cannot be read: give a directory that this user (uid %d) may read and write: %w", dir, os.Getuid(), err)
	}
	lock := &dirLock{dir: f, pid: filepath.Join(dir, "LOCK")}
	defer func() {
		if err != nil {
			_ = f.Close() // nothing was written to it
		}
	}()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("data directory %q is in use by %s: end that process, or give another directory", dir, lock.holder())
		}
		return nil, fmt.Errorf("data directory %q cannot be locked: give a directory on a local disk: %w", dir, err)
	}
	if info, err := os.Stat(lock.pid); err == nil && info.Size() > maxPid { // a file that was renamed
		if err := os.Rename(lock.pid, lock.pid+"-"+asidePattern+strconv.Itoa(os.Getpid())); err != nil {
			return nil, fmt.Errorf("data directory %q: file LOCK isn't a lock, and cannot be moved away: %w", dir, err)
		}
	}
	if err := os.WriteFile(lock.pid, strconv.AppendInt(nil, int64(os.Getpid()), 10), 0o600); err != nil {
		return nil, fmt.Errorf("data directory %q cannot be written: give a directory that this user (uid %d) may write: %w", dir, os.Getuid(), err)
	}
	return lock, nil
}

// holder names the process that has the lock.
func (l *dirLock) holder() string {
	pid, err := os.ReadFile(l.pid)
	if n, numErr := strconv.Atoi(string(bytes.TrimSpace(pid))); err == nil && numErr == nil {
		return fmt.Sprintf("process %d", n)
	}
	return "another process"
}

// release unlocks before it closes: a process that is just being started, by anybody in
// this one, has a copy of the file until it runs its program, and closing alone would
// leave the lock to that.
func (l *dirLock) release() error {
	return errors.Join(os.Remove(l.pid), syscall.Flock(int(l.dir.Fd()), syscall.LOCK_UN), l.dir.Close())
}

// freeBytes returns what an unprivileged process may still write on dir's disk.
func freeBytes(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return st.Bavail * uint64(st.Bsize), nil
}

// DiskBytes returns what the data directory's files, but for the ballast, occupy on
// disk, which for files with holes, as Badger makes them, is less than their length.
func (s *Store) DiskBytes() int64 {
	entries, err := os.ReadDir(s.opt.Dir)
	if err != nil {
		return 0
	}
	var total int64
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || entry.Name() == ballastName {
			continue // it was removed meanwhile, or holds nothing
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			total += st.Blocks * 512
		}
	}
	return total
}
