package serve

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// lookEvery is how often a file is looked at, at most.
const lookEvery = time.Second

// maxFile is larger than any certificate chain or list of secrets.
const maxFile = 1 << 20

// files are read together, and again when one of them has changed: looked at by
// who uses them, once a second at most, so that nothing runs while nobody does.
// What can't be read again changes nothing.
type files[T any] struct {
	paths []string
	// parse makes sense of the contents, in the order of paths.
	parse func(contents [][]byte) (T, error)
	// told hears why a change isn't taken over, once for each reason in a row, and
	// nil when all is well again.
	told func(error)

	mu     sync.Mutex // guards following
	looked time.Time
	seen   []state
	value  T
	why    string // what was told last
}

// state is what a file is known again by.
type state struct {
	modified time.Time
	size     int64
}

// open reads the files for the first time.
func (f *files[T]) open() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked = time.Now()
	return f.readLocked()
}

// get returns what the files say, or said when they could last be read.
func (f *files[T]) get() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.looked) >= lookEvery {
		f.lookLocked()
	}
	return f.value
}

// look looks at once, for who can't wait a second.
func (f *files[T]) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = nil
	f.lookLocked()
}

func (f *files[T]) lookLocked() {
	f.looked = time.Now()
	err, why := f.readLocked(), ""
	if err != nil {
		why = err.Error()
	}
	if why != f.why {
		f.why = why
		f.told(err)
	}
}

func (f *files[T]) readLocked() error {
	now := make([]state, len(f.paths))
	for i, path := range f.paths {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Size() > maxFile {
			return fmt.Errorf("%s has %d bytes; want at most %d", path, info.Size(), maxFile)
		}
		now[i] = state{info.ModTime(), info.Size()}
	}
	if f.seen != nil && equal(now, f.seen) {
		return nil
	}
	contents := make([][]byte, len(f.paths))
	for i, path := range f.paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		contents[i] = content
	}
	value, err := f.parse(contents)
	if err != nil {
		return err
	}
	// Only now: what could not be read is tried again, since a certificate and
	// its key are never replaced at one moment.
	f.value, f.seen = value, now
	return nil
}

func equal(a, b []state) bool {
	for i := range a {
		if !a[i].modified.Equal(b[i].modified) || a[i].size != b[i].size {
			return false
		}
	}
	return true
}
