// Package barrier is a directory that knows when each byte was synced: a FUSE file
// system that passes everything on to another directory, and notes when a write
// that holds a marker was followed by a sync that has returned.
//
//	storage ──mmap, msync──▶ kernel ──WRITE, FSYNC──▶ Dir ──▶ the directory below
//	                                                   │
//	                                                   └─▶ marker → time of its sync
//
// It needs Linux, /dev/fuse and the right to mount.
package barrier

import (
	"context"
	"errors"
	"os"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// ErrForbidden means that this machine doesn't let us mount.
var ErrForbidden = errors.New("this machine forbids to mount FUSE")

// Dir is a mounted directory.
type Dir struct {
	server  *fuse.Server
	markers *regexp.Regexp
	size    int64 // of a marker

	mu     sync.Mutex // guards the rest
	synced map[string]time.Time
	waits  map[*file][]string // written, not synced yet
	syncs  int
}

// Mount mounts below at above. Markers match an expression and have all the same
// size in bytes.
func Mount(above, below string, markers *regexp.Regexp, size int64) (*Dir, error) {
	d := &Dir{markers: markers, size: size, synced: make(map[string]time.Time), waits: make(map[*file][]string)}
	var s syscall.Stat_t
	if err := syscall.Stat(below, &s); err != nil {
		return nil, err
	}
	root := &fs.LoopbackRoot{Path: below, Dev: s.Dev}
	root.NewNode = func(data *fs.LoopbackRoot, _ *fs.Inode, _ string, _ *syscall.Stat_t) fs.InodeEmbedder {
		return &node{LoopbackNode: fs.LoopbackNode{RootData: data}, dir: d}
	}
	top := &node{LoopbackNode: fs.LoopbackNode{RootData: root}, dir: d}
	root.RootNode = top
	server, err := fs.Mount(above, top, &fs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "barrier", Name: "barrier"}})
	if err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.ENODEV) || errors.Is(err, syscall.ENXIO) || errors.Is(err, os.ErrNotExist) {
			err = errors.Join(ErrForbidden, err)
		}
		return nil, err
	}
	d.server = server
	return d, nil
}

// Unmount ends it. Nobody may use it any more.
func (d *Dir) Unmount() error { return d.server.Unmount() }

// Synced returns when a marker was first on disk for sure.
func (d *Dir) Synced(marker string) (time.Time, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, ok := d.synced[marker]
	return at, ok
}

// Counts returns how many markers are synced, and how many syncs there were.
func (d *Dir) Counts() (markers, syncs int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.synced), d.syncs
}

// node wraps the files that are opened below it.
type node struct {
	fs.LoopbackNode
	dir *Dir
}

func (n *node) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	h, out, errno := n.LoopbackNode.Open(ctx, flags)
	return n.wrap(h), out, errno
}

func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	inode, h, outFlags, errno := n.LoopbackNode.Create(ctx, name, flags, mode, out)
	return inode, n.wrap(h), outFlags, errno
}

func (n *node) wrap(h fs.FileHandle) fs.FileHandle {
	inner, ok := h.(handle)
	if !ok {
		return h
	}
	return &file{handle: inner, dir: n.dir}
}

// handle is what a loopback file can do, but for what would let the kernel write
// past us.
type handle interface {
	fs.FileReleaser
	fs.FileGetattrer
	fs.FileSetattrer
	fs.FileReader
	fs.FileWriter
	fs.FileLseeker
	fs.FileFlusher
	fs.FileFsyncer
	fs.FileAllocater
}

// file is an open file. What is written to it waits for a sync of it.
type file struct {
	handle
	dir *Dir
}

// Write notes the markers in and around what is written: a page may hold a part of
// one.
func (f *file) Write(ctx context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	n, errno := f.handle.Write(ctx, data, off)
	if errno != 0 {
		return n, errno
	}
	from := max(0, off-f.dir.size)
	around := make([]byte, off-from+int64(len(data))+f.dir.size)
	if r, errno := f.Read(ctx, around, from); errno == 0 {
		around, _ = r.Bytes(around)
		r.Done()
	}
	if found := f.dir.markers.FindAll(around, -1); found != nil {
		f.dir.mu.Lock()
		defer f.dir.mu.Unlock()
		for _, m := range found {
			if _, ok := f.dir.synced[string(m)]; !ok {
				f.dir.waits[f] = append(f.dir.waits[f], string(m))
			}
		}
	}
	return n, errno
}

// Fsync says of what was written before it that it is on disk, once it is.
func (f *file) Fsync(ctx context.Context, flags uint32) syscall.Errno {
	f.dir.mu.Lock()
	waits := f.dir.waits[f]
	delete(f.dir.waits, f)
	f.dir.mu.Unlock()
	errno := f.handle.Fsync(ctx, flags)
	now := time.Now()
	f.dir.mu.Lock()
	defer f.dir.mu.Unlock()
	f.dir.syncs++
	if errno != 0 {
		return errno
	}
	for _, m := range waits {
		if _, ok := f.dir.synced[m]; !ok {
			f.dir.synced[m] = now
		}
	}
	return errno
}
