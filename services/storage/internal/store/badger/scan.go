package badger

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Badger replays its logs (*.mem) up to the first entry that it cannot read, cuts
// off the rest and says nothing: one flipped bit takes every transaction after it
// along. So the logs are read here before Badger may. After a crash the end of the
// newest log may be torn, but by no more than one transaction, since each is
// synced before the next is written. Hence:
//
//	│ txn 7 │ txn 8 │ txn 9 torn │ 0 0 0 0 …        a crash: Badger drops 9
//	│ txn 7 │ txn 8 ▒▒ │ txn 9 │ txn 10 │ 0 0 …     damage: 9 and 10 were synced
//
// The numbers are Badger's commit timestamps: each write takes the next one.
//
// A log is a header of 20 bytes, the first 8 of them zeros, and entries (logentry.go),
// up to the first that is all zero.
const (
	logHeader  = 20
	logKeyID   = 8 // its first bytes: zeros, without encryption
	pageSize   = 4096
	sectorSize = 512
	// tornRun is more zeros in a row than a head has.
	tornRun = 20
)

// scanLogs reads all logs of a directory; names and scans belong together.
func scanLogs(dir string) (names []string, scans []logScan, err error) {
	names, err = logNames(dir)
	scans = make([]logScan, len(names))
	for i, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, nil, fmt.Errorf("log %s cannot be read: %w", name, err)
		}
		scans[i] = scanLog(data)
	}
	return names, scans, err
}

// logNames returns the names of a directory's logs, the oldest first.
func logNames(dir string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	slices.Sort(names) // of one length, so by number
	return names, err
}

// removeEmpty removes files without a byte, which a crash leaves when it comes
// between two steps of making or removing one. Badger refuses to open a directory
// with them, for ever.
func removeEmpty(dir string) error {
	for _, pattern := range []string{"*.mem", "*.vlog", registryName} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err == nil && info.Size() == 0 {
				err = os.Remove(name)
			}
			if err != nil {
				return fmt.Errorf("data directory %q: an empty file cannot be removed: %w", dir, err)
			}
		}
	}
	return nil
}

// syncLogs syncs the logs that an earlier process has left. It may have been killed in
// the middle of a sync: then its last transaction is whole in the page cache, is
// shown from now on, and must not be lost in a power cut.
func syncLogs(dir string) error {
	names, err := logNames(dir)
	for _, name := range names {
		f, openErr := os.OpenFile(name, os.O_RDWR, 0)
		if openErr != nil {
			return openErr
		}
		err = errors.Join(err, f.Sync(), f.Close())
	}
	return err
}

// logScan is what one log holds.
type logScan struct {
	first, last uint64   // timestamps of its whole transactions; 0 without any
	stop        int      // where reading ended
	later       []uint64 // timestamps of readable entries after that, each once
	torn        bool     // what couldn't be read may have been torn by a crash
	bare        bool     // nothing but zeros couldn't be read
	foreign     bool     // the header isn't one of ours
}

// judge returns which log Badger would cut although something synced follows, and
// what is wrong with it; "" if none is. Transactions up to upto were synced. tabled
// returns the last one that is in the tables, and so are all before it: logs become
// tables in their order. They are removed when nobody reads them any more, and so in
// any order: of three a killed process may leave the first and the last. Tables are
// large: it is asked for a hole.
func judge(scans []logScan, upto uint64, tabled func() uint64) (at int, text string) {
	newest := 0 // the last log with a whole transaction: others may follow, torn
	for i, s := range scans {
		if s.first > 0 {
			newest = i
		}
	}
	before := uint64(0) // timestamp of the newest transaction so far
	for i, s := range scans {
		if before > 0 && s.first > before+1 && s.first > tabled()+1 {
			return i - 1, fmt.Sprintf("ends with transaction %d, and the next one begins with %d", before, s.first)
		}
		if s.first > 0 {
			before = s.last
		}
		// A log that another one continues without a hole has lost nothing,
		// whatever is at its end.
		if i >= newest || s.first == 0 || s.foreign {
			if text := s.damage(before, upto); text != "" {
				return i, text
			}
		}
	}
	return 0, ""
}

// damage says what is wrong with the end of a log that nothing continues, "" if it
// is what a crash leaves. before is the newest whole transaction so far.
func (s logScan) damage(before, upto uint64) string {
	switch {
	case s.foreign:
		return "begins with bytes that aren't a log's"
	case len(s.later) > 1, len(s.later) == 1 && before > 0 && s.later[0] != before+1:
		return fmt.Sprintf("is damaged at byte %d, and synced transactions come after that", s.stop)
	case !s.bare && before < upto:
		return fmt.Sprintf("is damaged at byte %d, and transactions up to %d were stored", s.stop, upto)
	case !s.torn:
		return fmt.Sprintf("is damaged at byte %d: a crash would have left zeros there", s.stop)
	}
	return ""
}

// scanLog reads a log as Badger does, and then what Badger would cut off.
func scanLog(data []byte) logScan {
	s := logScan{stop: min(logHeader, len(data))}
	s.foreign = s.stop == logHeader && !allZero(data[:logKeyID])
	var open uint64 // timestamp of the transaction that is being read
	for {
		e, ok := readLogEntry(data[s.stop:])
		if !ok || open != 0 && e.ts != open {
			break
		}
		s.stop += e.size
		if open = e.ts; e.meta&logMetaFin != 0 {
			if s.first == 0 {
				s.first = open
			}
			s.last, open = open, 0
		}
	}
	if allZero(data[s.stop:]) {
		s.torn, s.bare = true, true // or nothing at all is
		return s
	}
	end := s.findLater(data, s.stop)
	if end == len(data) { // then the entry's own size says where its end should be
		if size, _, ok := logEntrySize(data[s.stop:]); ok {
			end = s.stop + size
		}
	}
	s.torn = mayBeTorn(data, s.stop, end)
	return s
}

// findLater collects the timestamps of entries that can be read after at, and
// returns where the first of them begins, the end of data without any.
func (s *logScan) findLater(data []byte, at int) (first int) {
	first = len(data)
	for at++; at < len(data); {
		if at%pageSize == 0 && allZero(data[at:min(at+pageSize, len(data))]) {
			at += pageSize
			continue
		}
		e, ok := readLogEntry(data[at:])
		if !ok {
			at++
			continue
		}
		first = min(first, at)
		if !slices.Contains(s.later, e.ts) {
			s.later = append(s.later, e.ts)
		}
		at += e.size
	}
	return first
}

// mayBeTorn reports whether a crash may have left the bytes from..to as they are:
// zeros at their end, or where a sector ends, or many in a row. Zeros in the data
// itself look the same, so some damage to the very last transaction passes.
func mayBeTorn(data []byte, from, to int) bool {
	run := 0
	for at := from; at < to; at++ {
		if data[at] != 0 {
			run = 0
			continue
		}
		run++
		atSectorEnd := (at+1)%sectorSize == 0
		if run >= tornRun || atSectorEnd && run >= min(tornRun, at+1-from) || at+1 == to {
			return true
		}
	}
	return false
}

var zeroPage [pageSize]byte

func allZero(data []byte) bool {
	for len(data) > pageSize {
		if !bytes.Equal(data[:pageSize], zeroPage[:]) {
			return false
		}
		data = data[pageSize:]
	}
	return bytes.Equal(data, zeroPage[:len(data)])
}
