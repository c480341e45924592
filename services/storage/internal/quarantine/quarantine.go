// Package quarantine keeps, for operators, bytes that must not be used: updates
// that could not be applied, and the names of rooms whose bytes are damaged.
//
//	Put ──▶ Ward ──▶ quarantine/<id>.item   one file each, synced, then renamed
//	              └▶ the list in memory     descriptions only
//
// Files, and not entries of the database: what is here may be all that is left of
// somebody's work when the database can't be read, and `tail -n +3` shows it.
//
// There are no goroutines; one mutex guards everything.
package quarantine

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// Bounds of a ward: whoever can make updates fail must not fill the disk.
const (
	MaxItems = 10_000
	MaxBytes = 256 << 20
)

// ErrNone means that the item isn't there.
var ErrNone = errors.New("nothing with this room and id is in quarantine; ListQuarantine tells what is")

// Config says how to open a [Ward]. All fields are optional.
type Config struct {
	// Dir is where the items are kept; empty keeps them in memory.
	Dir string
	// Space says whether the disk has space for so many bytes; nil means yes.
	Space func(size uint64) error
	Log   *slog.Logger

	maxItems, maxBytes int // for tests
}

// Ward is what is in quarantine. Its methods may be called from any goroutine.
type Ward struct {
	config Config

	mu    sync.Mutex // guards what follows
	items []*Item    // sorted
	bytes int
	data  map[string][]byte // by id; nil with a directory
}

// Open reads the list of what is in quarantine. A file that can't be read stays,
// unlisted, and is logged.
func Open(config Config) (*Ward, error) {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Space == nil {
		config.Space = func(uint64) error { return nil }
	}
	if config.maxItems == 0 {
		config.maxItems, config.maxBytes = MaxItems, MaxBytes
	}
	w := &Ward{config: config}
	if config.Dir == "" {
		w.data = make(map[string][]byte)
		return w, nil
	}
	if err := w.readDir(); err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	return w, nil
}

// readDir reads what is in the directory, and removes what a crash left of items
// that were never there: nobody was told that they are.
func (w *Ward) readDir() error {
	entries, err := os.ReadDir(w.config.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, entry := range entries {
		name := filepath.Join(w.config.Dir, entry.Name())
		switch {
		case strings.HasSuffix(name, suffix+unfinished):
			if err := os.Remove(name); err != nil {
				w.config.Log.Warn("what a crash left in quarantine can't be removed", "file", name, "err", err)
			}
		case strings.HasSuffix(name, suffix):
			w.readItem(name)
		}
	}
	return nil
}

// readItem reads a file. The caller is Open.
func (w *Ward) readItem(name string) {
	file, err := os.ReadFile(name)
	var item *Item
	if err == nil {
		item, _, err = decode(file)
	}
	if err != nil {
		w.config.Log.Error("a file in quarantine can't be read; it stays where it is", "file", name, "err", err)
		return
	}
	w.insertLocked(item)
}

// How files end: an item's, and what comes behind it until the item is whole.
const (
	suffix     = ".item"
	unfinished = ".new"
)

func (w *Ward) path(id string) string { return filepath.Join(w.config.Dir, id+suffix) }

// find returns where the item is, or belongs. The caller holds mu.
func (w *Ward) find(room, id string) (int, bool) {
	return slices.BinarySearchFunc(w.items, 0, func(i *Item, _ int) int { return i.compare(room, id) })
}

func (w *Ward) insertLocked(item *Item) {
	at, there := w.find(item.Room, item.ID)
	if there {
		return
	}
	w.items = slices.Insert(w.items, at, item)
	w.bytes += item.Size
}

// Put keeps an item with its bytes and returns its id. When it returns without an
// error they are on disk. What is here already stays as it is.
func (w *Ward) Put(item Item, data []byte) (id string, isNew bool, err error) {
	item.complete(data)
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, there := w.find(item.Room, item.ID); there {
		return item.ID, false, nil
	}
	if len(w.items) >= w.config.maxItems || w.bytes+len(data) > w.config.maxBytes {
		return "", false, store.Errorf(store.NoSpace, store.Head{}, "the quarantine is full (%d items, %d MiB): release what is in it", len(w.items), w.bytes>>20)
	}
	if item.Found.IsZero() {
		item.Found = time.Now().UTC()
	}
	if w.data != nil {
		w.data[item.ID] = slices.Clone(data)
	} else if err := w.write(&item, data); err != nil {
		return "", false, fmt.Errorf("quarantine: %w", err)
	}
	w.insertLocked(&item)
	return item.ID, true, nil
}

// write makes the item's file, whole or not at all.
func (w *Ward) write(item *Item, data []byte) error {
	file, err := encode(item, data)
	if err != nil {
		return err
	}
	if err := w.config.Space(uint64(len(file))); err != nil {
		return err
	}
	if err := os.MkdirAll(w.config.Dir, 0o700); err != nil {
		return err
	}
	temporary := w.path(item.ID) + unfinished
	if err := writeSynced(temporary, file); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	if err := os.Rename(temporary, w.path(item.ID)); err != nil {
		return err
	}
	return syncDir(w.config.Dir)
}

func writeSynced(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// List returns items in the order of room and id: those of rooms whose name
// begins with prefix, after the item (room, id), at most limit of them.
func (w *Ward) List(prefix, room, id string, limit int) (items []Item, more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, there := w.find(room, id)
	if there {
		at++
	}
	for _, item := range w.items[at:] {
		switch {
		case !strings.HasPrefix(item.Room, prefix):
		case len(items) == limit:
			return items, true
		default:
			items = append(items, *item)
		}
	}
	return items, false
}

// Read returns an item and its bytes.
func (w *Ward) Read(room, id string) (Item, []byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, there := w.find(room, id)
	if !there {
		return Item{}, nil, ErrNone
	}
	item := *w.items[at]
	if w.data != nil {
		return item, slices.Clone(w.data[id]), nil
	}
	file, err := os.ReadFile(w.path(id))
	if err != nil {
		return Item{}, nil, fmt.Errorf("quarantine: %w", err)
	}
	_, data, err := decode(file)
	if err != nil {
		return Item{}, nil, fmt.Errorf("quarantine: file %s: %w", w.path(id), err)
	}
	return item, data, nil
}

// Drop forgets an item and its bytes.
func (w *Ward) Drop(room, id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, there := w.find(room, id)
	if !there {
		return ErrNone
	}
	if w.data != nil {
		delete(w.data, id)
	} else if err := errors.Join(os.Remove(w.path(id)), syncDir(w.config.Dir)); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	w.bytes -= w.items[at].Size
	w.items = slices.Delete(w.items, at, at+1)
	return nil
}

// Size returns how many items there are, and the bytes of their updates.
func (w *Ward) Size() (items, bytes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.items), w.bytes
}
