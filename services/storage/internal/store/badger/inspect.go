package badger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"
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
	names, err := tableNames(opt)
	if err != nil || len(names) == 0 {
		return err
	}
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
	read, err := readTables(ctx, opt, names)
	close(done)
	teller.Wait()
	if err == nil && time.Since(begun) >= patience {
		opt.Log.Info("read all tables", "tables", len(names), "MiB", read>>20, "took", time.Since(begun).Round(time.Millisecond).String())
	}
	return err
}

// readTables checks tables in their order, some at a time, up to the first that can't
// be mended: the directory is refused for it, and nobody should wait minutes for the
// rest. read is how many bytes it was.
func readTables(ctx context.Context, opt Options, names []string) (read int64, err error) {
	errs := make([]error, len(names))
	var next, bytes atomic.Int64
	var readers sync.WaitGroup
	for range min(tableReaders, len(names)) {
		readers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(names)); i = next.Add(1) - 1 {
				var n int
				if errs[i] = ctx.Err(); errs[i] == nil {
					n, errs[i] = checkTable(opt, names[i])
				}
				if errs[i] != nil {
					next.Store(int64(len(names))) // those before it are under way
				}
				bytes.Add(int64(n))
			}
		})
	}
	readers.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return bytes.Load(), nil
}

// tableNames returns the files of the tables that the list of tables names, the
// oldest first; none in a new directory.
func tableNames(opt Options) ([]string, error) {
	f, err := os.Open(filepath.Join(opt.Dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("data directory %q: the list of tables cannot be read: %w", opt.Dir, err)
	}
	manifest, _, err := badger.ReplayManifestFile(f, 0, badgerOptions(opt))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("data directory %q: the list of tables (MANIFEST) is damaged: restore a backup: %w", opt.Dir, err)
	}
	names := make([]string, 0, len(manifest.Tables))
	for _, id := range slices.Sorted(maps.Keys(manifest.Tables)) {
		names = append(names, table.NewFilename(id, opt.Dir))
	}
	return names, nil
}

// checkTable reads a table and mends it; size is how long it is.
func checkTable(opt Options, name string) (size int, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return 0, fmt.Errorf("data directory %q: a table that its list names cannot be read: restore a backup: %w", opt.Dir, err)
	}
	m := &mender{name: name, data: data}
	if at := m.table(); at >= 0 {
		return len(data), fmt.Errorf("data directory %q: table %s is damaged at byte %d, by more than one bit: restore a backup", opt.Dir, filepath.Base(name), at)
	}
	return len(data), m.finish(opt)
}
