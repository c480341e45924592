package badger

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// repairLogs writes the logs of a directory anew, with all entries in them that are
// whole, behind damage too. A transaction of which some are lost keeps the others:
// so a room that has lost a record still has the head that says so, and is refused.
//
// newest is the last transaction in the tables, 0 if they aren't known yet, and upto
// the last that was synced. What is missing up to there is bridged, so that the next
// start finds no hole, and no timestamp is given twice.
func repairLogs(dir string, newest, upto uint64) error {
	names, err := logNames(dir)
	if err != nil {
		return err
	}
	logs := make([]*logRemains, len(names))
	last := uint64(0) // of all
	for i, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		logs[i] = readRemains(data)
		last = max(last, logs[i].last())
	}
	// Files may have changed places; what holds nothing comes last.
	slices.SortStableFunc(logs, func(a, b *logRemains) int { return cmp.Compare(a.first(), b.first()) })
	before := newest
	for i, l := range logs {
		l.dropTorn(max(last, upto))
		if i == len(logs)-1 {
			l.bridge(max(before, l.last()), upto)
		}
		if len(l.entries) > 0 && (before > 0 || upto > 0) {
			l.bridge(before, l.first()-1)
		}
		before = max(before, l.last())
		if err := replaceFile(names[i], l.bytes()); err != nil {
			return err
		}
	}
	if len(logs) == 0 && before < upto {
		l := readRemains(nil)
		l.bridge(before, upto)
		return replaceFile(filepath.Join(dir, fmt.Sprintf("%05d.mem", 1)), l.bytes())
	}
	return nil
}

// logRemains is what can be read of a log: the entries of each transaction, without
// the last one, which says that it is whole.
type logRemains struct {
	entries map[uint64][]byte
	whole   map[uint64]bool
}

// readRemains reads all entries that are whole, wherever they are.
func readRemains(data []byte) *logRemains {
	l := &logRemains{entries: map[uint64][]byte{}, whole: map[uint64]bool{}}
	for at := min(logHeader, len(data)); at < len(data); {
		if at%pageSize == 0 && allZero(data[at:min(at+pageSize, len(data))]) {
			at += pageSize
			continue
		}
		e, ok := readLogEntry(data[at:])
		switch {
		case !ok:
			at++
			continue
		case e.meta&logMetaFin != 0:
			l.whole[e.ts] = true
		default:
			l.entries[e.ts] = append(l.entries[e.ts], data[at:at+e.size]...)
		}
		at += e.size
	}
	return l
}

func (l *logRemains) timestamps() []uint64 {
	all := make([]uint64, 0, len(l.entries))
	for ts := range l.entries {
		all = append(all, ts)
	}
	slices.Sort(all)
	return all
}

func (l *logRemains) first() uint64 { return slices.Min(append(l.timestamps(), math.MaxUint64)) }
func (l *logRemains) last() uint64  { return slices.Max(append(l.timestamps(), 0)) }

// dropTorn drops a transaction that was torn by a crash, as far as can be known: one
// without its end, and none was stored after it.
func (l *logRemains) dropTorn(stored uint64) {
	if last := l.last(); last >= stored && !l.whole[last] {
		delete(l.entries, last)
	}
}

// bridge adds transactions that change nothing, the first and the last of those
// above from and up to to.
func (l *logRemains) bridge(from, to uint64) {
	if from >= to {
		return
	}
	for _, ts := range []uint64{from + 1, to} {
		l.entries[ts] = appendEntry(nil, logMetaTxn, ts, formatKey(), appendFormat(nil))
	}
}

// bytes returns a log with the remains.
func (l *logRemains) bytes() []byte {
	data := append([]byte(nil), zeroPage[:logHeader]...)
	for _, ts := range l.timestamps() {
		data = append(data, l.entries[ts]...)
		data = appendEntry(data, logMetaFin, ts, []byte(logEndKey), strconv.AppendUint(nil, ts, 10))
	}
	return data
}

// logEndKey is the key of the last entry of a transaction.
const logEndKey = "!badger!txn"

// appendEntry appends an entry of Badger's log; see logentry.go.
func appendEntry(dst []byte, meta byte, ts uint64, key, value []byte) []byte {
	start := len(dst)
	dst = append(dst, meta, 0)
	dst = binary.AppendUvarint(dst, uint64(len(key)+logTimestamp))
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	dst = binary.AppendUvarint(dst, 0)
	dst = append(dst, key...)
	dst = binary.BigEndian.AppendUint64(dst, math.MaxUint64-ts)
	dst = append(dst, value...)
	return binary.BigEndian.AppendUint32(dst, addSum(0, dst[start:]))
}
