package badger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// The guard stops what is asked for, not what Badger has begun: a compaction under
// way writes its tables out, and dies if somebody else has taken the disk to its
// last byte meanwhile. So a file without content holds some space back:
//
//	plenty free         the ballast has its size: MinFree / 4
//	last MiB            half of it is given up; and half of the rest, if that goes too
//	Open on a full disk all of it: Badger couldn't open there either
//
// By halves, since who fills the disk takes what is given up too, until a write of
// theirs fails: so not before the last MiB, when one is about to.
const (
	ballastName  = "BALLAST"
	ballastShare = 4
	// lastBytes is the free space below which the ballast is given up, and the
	// smallest that it is kept for.
	lastBytes = 1 << 20
)

// How often the disk is looked at: often while it runs full, since all depends on
// it then.
const (
	lookOften  = 5 * time.Millisecond
	lookSeldom = 200 * time.Millisecond
)

// ballast is the file that holds space back. Its owner is the store's watcher.
type ballast struct {
	path string
	want int64
	// held is what it has now; read by metrics.
	held atomic.Int64
	// unable is set once the file system has refused to set space aside.
	unable bool
}

func newBallast(opt Options) *ballast {
	b := &ballast{path: filepath.Join(opt.Dir, ballastName), want: int64(opt.MinFree / ballastShare)}
	if b.want < lastBytes {
		b.want = 0 // a test, or a disk where nobody looks
	}
	return b
}

// prepare finds what an earlier process left, and gives it up if Badger may need
// the space to open.
func (b *ballast) prepare(opt Options) error {
	info, err := os.Stat(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ballast of the data directory: %w", err)
	}
	if data, err := readBeginning(b.path); err != nil || !allZero(data) {
		return err // something else has its name: see unused.go
	}
	b.held.Store(info.Size())
	free, err := opt.Free(opt.Dir)
	full := err == nil && free < opt.MinFree/ballastShare
	if !full && info.Size() <= b.want {
		return nil
	}
	if err := os.Remove(b.path); err != nil {
		return fmt.Errorf("ballast of the data directory: %w", err)
	}
	b.held.Store(0)
	if full {
		opt.Log.Warn("the disk is nearly full: the ballast is given up so that the store can open", "free", free, "ballast", info.Size())
	}
	return nil
}

// watchLoop is the watcher's goroutine: it gives the ballast up and makes it again.
func (s *Store) watchLoop() {
	if s.ballast.want == 0 {
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-s.closing:
			return
		case <-timer.C:
			timer.Reset(s.watch())
		}
	}
}

// watch looks at the disk once, and returns when to look again.
func (s *Store) watch() time.Duration {
	b := s.ballast
	free, err := s.opt.Free(s.opt.Dir)
	if err != nil {
		return lookSeldom // the guard tells; and nothing is written
	}
	held := b.held.Load()
	switch {
	case free < lastBytes && held > 0:
		s.giveUp(held)
		return lookOften
	case held < b.want && !b.unable && free >= 2*s.opt.MinFree+uint64(b.want):
		s.takeBallast()
	}
	if held > 0 && free < 2*s.opt.MinFree {
		return lookOften
	}
	return lookSeldom
}

// giveUp gives up half of the ballast, and all of it if that wouldn't help.
func (s *Store) giveUp(held int64) {
	left := held / 2
	if left < lastBytes {
		left = 0
	}
	if err := os.Truncate(s.ballast.path, left); err != nil {
		s.log.Error("the ballast cannot be given up: a full disk may end the process", "err", err)
		return
	}
	s.ballast.held.Store(left)
	s.log.Error("the disk is full: ballast was given up so that what has begun can end; free some space", "given", held-left, "left", left)
}

// takeBallast makes the ballast, anew if some was given up.
func (s *Store) takeBallast() {
	b := s.ballast
	err := allocate(b.path, b.want)
	if err != nil {
		b.unable = true
		s.log.Warn("no ballast on this file system: if others fill the disk to its last byte, the process may end", "err", err)
		_ = os.Remove(b.path) // whatever came of it
		b.held.Store(0)
		return
	}
	b.held.Store(b.want)
}

// BallastBytes returns the space that is held back for a full disk.
func (s *Store) BallastBytes() int64 { return s.ballast.held.Load() }
