package badger

import (
	"encoding/binary"
	"math"
	"strconv"
)

// An entry of Badger's log:
//
//	meta(1) usermeta(1) klen vlen expires  key timestamp(8)  value  crc(4)
//
// klen (which counts the timestamp), vlen and expires are varuints; the timestamp
// is kept as 2^64-1-ts, numbers are big-endian, and crc is the CRC-32C of all
// before it. A transaction is its entries (meta has 64) and then one whose value
// is the timestamp in decimal (meta 128).
const (
	logMetaTxn   = 1 << 6
	logMetaFin   = 1 << 7
	logTimestamp = 8
	// maxLogEntry bounds a key's and a value's length: ours are a name and numbers,
	// and a chunk.
	maxLogEntry = maxChunk + 64
)

type logEntry struct {
	meta byte
	ts   uint64
	size int
}

// logEntrySize returns the size of the entry at the beginning of data by what its
// header says, and where its value begins.
func logEntrySize(data []byte) (size, value int, ok bool) {
	if len(data) < 2 || data[0]&(logMetaTxn|logMetaFin) == 0 || data[1] != 0 {
		return 0, 0, false
	}
	at := 2
	var sizes [3]uint64 // key, value, expires
	for i := range sizes {
		n, length := binary.Uvarint(data[at:])
		if length <= 0 || n > maxLogEntry {
			return 0, 0, false
		}
		sizes[i] = n
		at += length
	}
	value = at + int(sizes[0])
	size = value + int(sizes[1]) + 4
	return size, value, sizes[0] >= logTimestamp && sizes[2] == 0 && size <= len(data)
}

// readLogEntry reads the entry at the beginning of data.
func readLogEntry(data []byte) (logEntry, bool) {
	size, value, ok := logEntrySize(data)
	if !ok || addSum(0, data[:size-4]) != binary.BigEndian.Uint32(data[size-4:]) {
		return logEntry{}, false
	}
	e := logEntry{meta: data[0], size: size}
	e.ts = math.MaxUint64 - binary.BigEndian.Uint64(data[value-logTimestamp:])
	if e.meta&logMetaFin == 0 {
		return e, true
	}
	ts, err := strconv.ParseUint(string(data[value:size-4]), 10, 64)
	return e, err == nil && ts == e.ts
}
