package badger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
// have waited for longer than their patience. bad are those that can't be mended.
func checkTables(ctx context.Context, opt Options, list tableList, patience time.Duration) (tables []tableFacts, bad badTables, err error) {
	begun := time.Now()
	var teller sync.WaitGroup
	done := make(chan struct{})
	teller.Go(func() {
		select {
		case <-done:
		case <-time.After(patience):
			opt.Log.Info("still reading all tables of the data directory, to find damage before the database does", "tables", len(list.live))
		}
	})
	tables, bad, err = readTables(ctx, opt, list.files(opt.Dir))
	close(done)
	teller.Wait()
	if err == nil && time.Since(begun) >= patience {
		size := 0
		for _, t := range tables {
			size += t.size
		}
		opt.Log.Info("read all tables", "tables", len(tables), "MiB", size>>20, "took", time.Since(begun).Round(time.Millisecond).String())
	}
	return tables, bad, err
}

// readTables checks tables in their order, some at a time, up to the first that can't
// be mended: the directory is refused for it, and nobody should wait minutes for the
// rest. If the loss is accepted it reads all.
func readTables(ctx context.Context, opt Options, names []string) (tables []tableFacts, bad badTables, err error) {
	errs := make([]error, len(names))
	texts := make([]string, len(names))
	tables = make([]tableFacts, len(names))
	var next atomic.Int64
	var readers sync.WaitGroup
	for range min(tableReaders, len(names)) {
		readers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(names)); i = next.Add(1) - 1 {
				if errs[i] = ctx.Err(); errs[i] == nil {
					tables[i], texts[i], errs[i] = checkTable(opt, names[i])
				}
				if errs[i] != nil || texts[i] != "" && !opt.AcceptLoss {
					next.Store(int64(len(names))) // those before it are under way
				}
			}
		})
	}
	readers.Wait()
	for i, text := range texts {
		if text != "" {
			bad = append(bad, badTable{names[i], text})
		}
	}
	return tables, bad, errors.Join(errs...)
}

// checkTable reads a table and mends it; bad says what can't be mended.
func checkTable(opt Options, name string) (facts tableFacts, bad string, err error) {
	base := filepath.Base(name)
	data, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return facts, fmt.Sprintf("table %s is gone", base), nil
	case err != nil:
		return facts, "", fmt.Errorf("table %s cannot be read: restore a backup: %w", base, err)
	}
	m := &mender{name: name, data: data}
	if at := m.table(); at >= 0 {
		return facts, fmt.Sprintf("table %s is damaged at byte %d, by more than one bit", base, at), nil
	}
	facts, ok := readFacts(m.data)
	if !ok {
		bad = fmt.Sprintf("table %s cannot be read, though its checksums are right", base)
	}
	return facts, bad, m.finish(opt)
}
