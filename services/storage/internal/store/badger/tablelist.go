package badger

import (
	"cmp"
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
	"github.com/dgraph-io/badger/v4/y"
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
	live   []uint64 // the tables that Badger will open, by number
	levels []int    // on which each of them is
	named  map[uint64]bool
}

// readTableList reads the list; it is empty for a directory without one.
func readTableList(opt Options) (tableList, error) {
	name := filepath.Join(opt.Dir, manifestName)
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return tableList{}, nil
	}
	if err != nil {
		return tableList{}, fmt.Errorf("the list of tables (MANIFEST) cannot be read: %w", err)
	}
	manifest, end, err := badger.ReplayManifestFile(f, 0, badgerOptions(opt))
	data := make([]byte, end)
	if err == nil {
		_, err = f.ReadAt(data, 0)
	}
	l := tableList{live: slices.Sorted(maps.Keys(manifest.Tables)), named: map[uint64]bool{}}
	for _, id := range l.live {
		l.levels = append(l.levels, int(manifest.Tables[id].Level))
	}
	if err := errors.Join(err, f.Close(), l.name(data)); err != nil {
		return tableList{}, fmt.Errorf("the list of tables (MANIFEST) is damaged: %w", err)
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
				facts, _ := readFacts(data)
				newest = max(newest, facts.newest)
			}
		}
		return newest
	})
}

// missed returns the tables without which transactions would be lost, though the list
// has never named them. newest is the last transaction in the tables of the list.
func (l tableList) missed(dir string, newest uint64, logs []logScan) (files []string, err error) {
	tables, err := l.unnamed(dir, newest)
	for _, t := range tables {
		if !slices.ContainsFunc(logs, func(s logScan) bool { return s.first <= t.last && t.last <= s.last }) {
			files = append(files, t.file)
		}
	}
	return files, err
}

// misplaced returns two tables that can't be where the list says, "" if there are
// none: below the first level, tables don't overlap, and none is there twice. (On the
// first it may be: a log that a crash has left is made a table once more.)
func (l tableList) misplaced(dir string, tables []tableFacts) (one, other string) {
	files := l.files(dir)
	order := make([]int, len(tables))
	there := map[tableID]int{}
	for i, t := range tables {
		order[i] = i
		if j, ok := there[t.id()]; ok && l.levels[i]+l.levels[j] > 0 {
			return files[j], files[i]
		}
		there[t.id()] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(l.levels[a]-l.levels[b], y.CompareKeys(tables[a].first, tables[b].first))
	})
	for n, b := range order[min(1, len(order)):] {
		a := order[n]
		if l.levels[a] == l.levels[b] && l.levels[a] > 0 && y.CompareKeys(tables[a].last, tables[b].first) >= 0 {
			return files[a], files[b]
		}
	}
	return "", ""
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
		if facts, ok := readFacts(data); ok && facts.newest > newest {
			tables = append(tables, unnamedTable{name, facts.newest})
		}
	}
	return tables, nil
}
