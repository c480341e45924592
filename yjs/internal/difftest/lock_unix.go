//go:build unix

package difftest

import (
	"os"
	"syscall"
)

// exclusive waits until no other process has locked a file, and locks it until it is
// closed.
func exclusive(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_EX) }
