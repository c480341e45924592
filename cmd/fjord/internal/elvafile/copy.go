package elvafile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// The files beside a database that hold what isn't in it yet, or shouldn't be:
// a write-ahead log, or the journal of a transaction that was cut off. The index
// of the log (-shm) is made anew from it.
var besides = []string{"", "-wal", "-journal"}

var errChanging = errors.New("it is being written; end the program that does")

// copyDatabase copies a database and what belongs to it, or fails if somebody
// wrote meanwhile.
func copyDatabase(to, from string) error {
	before := look(from)
	for _, ending := range besides {
		err := copyFile(to+ending, from+ending)
		if ending != "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
	}
	if look(from) != before {
		return errChanging
	}
	return nil
}

// seen is what tells a file from one that was written since.
type seen [3]struct {
	size    int64
	changed time.Time
}

func look(path string) (s seen) {
	for i, ending := range besides {
		if info, err := os.Stat(path + ending); err == nil {
			s[i].size, s[i].changed = info.Size(), info.ModTime()
		}
	}
	return s
}

func copyFile(to, from string) (err error) {
	// Before it is opened: that would wait for whoever writes to a pipe.
	if info, err := os.Stat(from); err != nil || !info.Mode().IsRegular() {
		return errors.Join(fmt.Errorf("%s is no file", from), err)
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
