package badger

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// tableReaders is how many tables are read at a time: enough for the checksums to
// keep some cores busy while the disk brings the next ones. A table is in memory
// meanwhile: 8 MiB of one gigabyte, 32 of a hundred.
const tableReaders = 4

// tellAfter is how long a start may take without a word.
const tellAfter = 2 * time.Second

// checkTables reads all tables that the list of tables names, and mends them, until
// ctx ends: with a hundred gigabytes it takes minutes. The log says so to those who
// have waited for longer than their patience.
func checkTables(ctx context.Context, opt Options, patience time.Duration) error {
	list, err := readTableList(opt)
	if err != nil {
		return err
	}
	names := list.files(opt.Dir)
	begun := time.Now()
	var teller sync.WaitGroup
	done := make(chan struct{})
	teller.Go(func() {
		select {
		case <-done:
		case <-time.After(patience):
			opt.Log.Info("still reading all tables of the data directory, to find damage before the database does", "tables", len(names))
		}
	})
	read, newest, err := readTables(ctx, opt, names)
	close(done)
	teller.Wait()
	if err != nil {
		return err
	}
	if time.Since(begun) >= patience {
		opt.Log.Info("read all tables", "tables", len(names), "MiB", read>>20, "took", time.Since(begun).Round(time.Millisecond).String())
	}
	missed, err := list.missed(opt.Dir, newest)
	if err != nil {
		return fmt.Errorf("data directory %q: %w", opt.Dir, err)
	}
	if missed == nil {
		return nil
	}
	return missed.refuse(opt)
}

// readTables checks tables in their order, some at a time, up to the first that can't
// be mended: the directory is refused for it, and nobody should wait minutes for the
// rest. read is how many bytes it was, newest the last transaction in them.
func readTables(ctx context.Context, opt Options, names []string) (read int64, newest uint64, err error) {
	errs := make([]error, len(names))
	lasts := make([]uint64, len(names))
	var next, bytes atomic.Int64
	var readers sync.WaitGroup
	for range min(tableReaders, len(names)) {
		readers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(names)); i = next.Add(1) - 1 {
				var n int
				if errs[i] = ctx.Err(); errs[i] == nil {
					n, lasts[i], errs[i] = checkTable(opt, names[i])
				}
				if errs[i] != nil {
					next.Store(int64(len(names))) // those before it are under way
				}
				bytes.Add(int64(n))
			}
		})
	}
	readers.Wait()
	for i, err := range errs {
		if err != nil {
			return 0, 0, err
		}
		newest = max(newest, lasts[i])
	}
	return bytes.Load(), newest, nil
}

// checkTable reads a table and mends it; size is how long it is, newest its last
// transaction.
func checkTable(opt Options, name string) (size int, newest uint64, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return 0, 0, fmt.Errorf("data directory %q: a table that its list names cannot be read: restore a backup: %w", opt.Dir, err)
	}
	m := &mender{name: name, data: data}
	if at := m.table(); at >= 0 {
		return len(data), 0, fmt.Errorf("data directory %q: table %s is damaged at byte %d, by more than one bit: restore a backup", opt.Dir, filepath.Base(name), at)
	}
	newest, _ = newestIn(m.data)
	return len(data), newest, m.finish(opt)
}
