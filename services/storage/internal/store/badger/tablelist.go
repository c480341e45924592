package badger

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"google.golang.org/protobuf/proto"
)

// tableList is what Badger's list of tables says (MANIFEST): 8 bytes, and change
// sets of length(4) crc(4) and as many bytes.
//
// Badger takes what it can't read to the end for a set that a crash has torn, and
// zeros for empty sets; it forgets them, and then deletes all tables that the rest
// doesn't name. So does a list that is gone, or older than its tables. That is
// right after a crash, which leaves tables that nobody needs:
//
//	flush:      log ──► table   ──► list names it   ──► log removed
//	compaction: tables ──► tables ──► list changes ──► old ones removed
//
// After damage it isn't, and it shows: a table that the list names is gone, which
// checkTable says, or one that it has never named holds what neither a log nor a
// named table has.
type tableList struct {
	live  []uint64 // the tables that Badger will open, by number
	named map[uint64]bool
}

// readTableList reads the list; it is empty for a directory without one.
func readTableList(opt Options) (tableList, error) {
	name := filepath.Join(opt.Dir, manifestName)
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return tableList{}, nil
	}
	if err != nil {
		return tableList{}, fmt.Errorf("data directory %q: the list of tables cannot be read: %w", opt.Dir, err)
	}
	manifest, end, err := badger.ReplayManifestFile(f, 0, badgerOptions(opt))
	data := make([]byte, end)
	if err == nil {
		_, err = f.ReadAt(data, 0)
	}
	l := tableList{live: slices.Sorted(maps.Keys(manifest.Tables)), named: map[uint64]bool{}}
	if err := errors.Join(err, f.Close(), l.name(data)); err != nil {
		return tableList{}, fmt.Errorf("data directory %q: the list of tables (MANIFEST) is damaged: restore a backup: %w", opt.Dir, err)
	}
	return l, nil
}

// name notes which tables the change sets of a list name.
func (l tableList) name(data []byte) error {
	for data = data[min(len(manifestHeader), len(data)):]; len(data) > 0; {
		size, ok := changeSet(data)
		if !ok {
			return errors.New("wrong checksum")
		}
		var set pb.ManifestChangeSet
		if err := proto.Unmarshal(data[8:size], &set); err != nil {
			return err
		}
		for _, change := range set.Changes {
			l.named[change.Id] = true
		}
		data = data[size:]
	}
	return nil
}

func (l tableList) files(dir string) []string {
	names := make([]string, len(l.live))
	for i, id := range l.live {
		names[i] = table.NewFilename(id, dir)
	}
	return names
}

// newestTabled tells the last transaction in the tables of a directory's list, as far
// as they can be read. It reads them when it is called first.
func newestTabled(opt Options) func() uint64 {
	return sync.OnceValue(func() (newest uint64) {
		list, err := readTableList(opt)
		if err != nil {
			return 0 // somebody else will say so
		}
		for _, name := range list.files(opt.Dir) {
			if data, err := os.ReadFile(name); err == nil {
				last, _ := newestIn(data)
				newest = max(newest, last)
			}
		}
		return newest
	})
}

// missed returns as damage the tables without which transactions would be lost,
// though the list has never named them; nil if there are none. newest is the last
// transaction in the tables of the list.
func (l tableList) missed(dir string, newest uint64) (*damage, error) {
	tables, err := l.unnamed(dir, newest)
	if err != nil || len(tables) == 0 {
		return nil, err
	}
	logs, err := scanLogs(dir)
	if err != nil {
		return nil, err
	}
	var d damage
	for _, t := range tables {
		if !slices.ContainsFunc(logs, func(s logScan) bool { return s.first <= t.last && t.last <= s.last }) {
			d.files = append(d.files, t.file)
		}
	}
	if len(d.files) == 0 {
		return nil, nil
	}
	d.text = fmt.Sprintf("the list of tables (MANIFEST) is damaged: tables are not in it (%d, the first is %s), and nothing else holds what they hold", len(d.files), filepath.Base(d.files[0]))
	if l.named != nil {
		d.files = append(d.files, filepath.Join(dir, manifestName))
	}
	return &d, nil
}

// unnamedTable is a table that the list has never named.
type unnamedTable struct {
	file string
	last uint64 // transaction
}

// unnamed returns those that hold more than the tables of the list.
func (l tableList) unnamed(dir string, newest uint64) (tables []unnamedTable, err error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if id, ok := table.ParseFileID(name); !ok || l.named[id] {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("table %s cannot be read: %w", name, err)
		}
		// Without an index it was never finished; up to newest it was made of others.
		if last, ok := newestIn(data); ok && last > newest {
			tables = append(tables, unnamedTable{name, last})
		}
	}
	return tables, nil
}
