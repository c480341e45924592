package badger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// formatVersion is the one that doc.go draws. A new one needs a reader for the
// old and a directory in testdata.
const formatVersion = 1

const formatMagic = "fjord-storage"

// maxChunk is the most data in one Badger value.
const maxChunk = 256 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged is what every codec answers to bytes that it did not write.
var errDamaged = errors.New("damaged")

func appendFormat(dst []byte) []byte {
	return append(append(dst, formatMagic...), formatVersion)
}

// parseFormat returns the version of a directory's format entry.
func parseFormat(value []byte) (version byte, err error) {
	if len(value) != len(formatMagic)+1 || string(value[:len(formatMagic)]) != formatMagic {
		return 0, errDamaged
	}
	return value[len(formatMagic)], nil
}

// entry is a head as it is on disk: the head, and where its snapshot is.
type entry struct {
	store.Head
	snapshotID  uint64
	snapshotSum uint32
}

// snapshot names the chunks of the entry's snapshot; only if SnapshotSeq > 0.
func (e entry) snapshot(room string) blob {
	return blob{kind: kindSnapshotChunk, room: room, seq: e.SnapshotSeq, id: e.snapshotID}
}

const (
	headDeleted     = 1
	headHasSnapshot = 2
	headLen         = 1 + 8 + 8 + 8 + 4
	headSnapshotLen = 8 + 8 + 4
)

// appendHead appends e as the value of the head entry with this key.
func appendHead(dst, key []byte, e entry) []byte {
	start := len(dst)
	var flags byte
	if e.Deleted {
		flags |= headDeleted
	}
	if e.SnapshotSeq > 0 {
		flags |= headHasSnapshot
	}
	dst = append(dst, flags)
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.Epoch))
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.Last))
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.Base))
	if e.SnapshotSeq > 0 {
		dst = binary.BigEndian.AppendUint64(dst, e.snapshotID)
		dst = binary.BigEndian.AppendUint64(dst, e.SnapshotSize)
		dst = binary.BigEndian.AppendUint32(dst, e.snapshotSum)
	}
	return binary.BigEndian.AppendUint32(dst, addSum(addSum(0, key), dst[start:]))
}

// parseHead is the inverse of appendHead.
func parseHead(key, value []byte) (entry, error) {
	if len(value) < headLen {
		return entry{}, fmt.Errorf("head of %d bytes: %w", len(value), errDamaged)
	}
	flags := value[0]
	want := headLen
	if flags&headHasSnapshot != 0 {
		want += headSnapshotLen
	}
	body := value[:len(value)-4]
	switch {
	case flags > headDeleted|headHasSnapshot || len(value) != want:
		return entry{}, fmt.Errorf("head with flags %d and %d bytes: %w", flags, len(value), errDamaged)
	case binary.BigEndian.Uint32(value[len(body):]) != addSum(addSum(0, key), body):
		return entry{}, fmt.Errorf("head with a wrong checksum: %w", errDamaged)
	}
	e := entry{Head: store.Head{
		Epoch:   store.Epoch(binary.BigEndian.Uint64(value[1:])),
		Last:    store.Seq(binary.BigEndian.Uint64(value[9:])),
		Base:    store.Seq(binary.BigEndian.Uint64(value[17:])),
		Deleted: flags&headDeleted != 0,
	}}
	if flags&headHasSnapshot != 0 {
		e.SnapshotSeq = e.Base
		e.snapshotID = binary.BigEndian.Uint64(value[25:])
		e.SnapshotSize = binary.BigEndian.Uint64(value[33:])
		e.snapshotSum = binary.BigEndian.Uint32(value[41:])
	}
	return e, e.check()
}

// check refuses heads that no rule of package store could have led to.
func (e entry) check() error {
	switch {
	case e.Epoch == 0, e.Base > e.Last, e.Deleted && e.Base != e.Last,
		e.Deleted && e.SnapshotSeq > 0,
		e.SnapshotSize > 0 && e.SnapshotSeq == 0, e.SnapshotSize == 0 && e.SnapshotSeq > 0:
		return fmt.Errorf("head that contradicts itself: %w", errDamaged)
	}
	return nil
}

// record is a record entry. Large ones have their data in the chunks of id, and
// size says how much that is; small ones have it in data.
type record struct {
	epoch store.Epoch
	sum   uint32
	large bool
	data  []byte
	size  uint64
	id    uint64
}

const (
	recordSmall  = 0
	recordLarge  = 1
	recordEpoch  = 1 // offsets
	recordCRC    = recordEpoch + 8
	recordHeader = recordCRC + 4
)

// appendRecord appends r as the value of the record entry with this key. A small
// record's checksum is computed, a large one's taken from r.
func appendRecord(dst, key []byte, r record) []byte {
	start := len(dst)
	kind := byte(recordSmall)
	if r.large {
		kind = recordLarge
	}
	dst = append(dst, kind)
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.epoch))
	dst = binary.BigEndian.AppendUint32(dst, r.sum)
	if r.large {
		dst = binary.BigEndian.AppendUint64(dst, r.size)
		return binary.BigEndian.AppendUint64(dst, r.id)
	}
	dst = append(dst, r.data...)
	value := dst[start:]
	binary.BigEndian.PutUint32(value[recordCRC:], addSum(recordSum(key, value), r.data))
	return dst
}

// parseRecord is the inverse of appendRecord; data aliases value. It does not
// compare the checksum, since a large record's data is elsewhere.
func parseRecord(value []byte) (record, error) {
	if len(value) < recordHeader {
		return record{}, fmt.Errorf("record of %d bytes: %w", len(value), errDamaged)
	}
	r := record{
		epoch: store.Epoch(binary.BigEndian.Uint64(value[recordEpoch:])),
		sum:   binary.BigEndian.Uint32(value[recordCRC:]),
	}
	rest := value[recordHeader:]
	switch {
	case value[0] == recordSmall && len(rest) <= maxChunk:
		r.data, r.size = rest, uint64(len(rest))
		return r, nil
	case value[0] == recordLarge && len(rest) == 16 && binary.BigEndian.Uint64(rest) > maxChunk:
		r.large = true
		r.size = binary.BigEndian.Uint64(rest)
		r.id = binary.BigEndian.Uint64(rest[8:])
		return r, nil
	}
	return record{}, fmt.Errorf("record of kind %d and %d bytes: %w", value[0], len(value), errDamaged)
}

// recordSum is the checksum of a record before its data: addSum adds that. value
// is its entry, at least up to the epoch.
func recordSum(key, value []byte) uint32 {
	return addSum(addSum(0, key), value[recordEpoch:recordEpoch+8])
}

// snapshotSum is the checksum of a snapshot before its bytes: addSum adds those.
func snapshotSum(b blob) uint32 {
	prefix := appendBlobPrefix(nil, b)
	return addSum(0, prefix[:len(prefix)-8]) // without the id
}

func addSum(sum uint32, data []byte) uint32 { return crc32.Update(sum, castagnoli, data) }
