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

// appendHead appends e as the value of room's head entry.
func appendHead(dst []byte, room string, e entry) []byte {
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
	return binary.BigEndian.AppendUint32(dst, headSum(room, dst[start:]))
}

// parseHead is the inverse of appendHead.
func parseHead(room string, value []byte) (entry, error) {
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
	case binary.BigEndian.Uint32(value[len(body):]) != headSum(room, body):
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

func headSum(room string, body []byte) uint32 {
	return crc32.Update(roomSum(room), castagnoli, body)
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
	recordHeader = 1 + 8 + 4
)

// appendRecord appends r as the value of a record entry; r.sum must be set.
func appendRecord(dst []byte, r record) []byte {
	kind := byte(recordSmall)
	if r.large {
		kind = recordLarge
	}
	dst = append(dst, kind)
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.epoch))
	dst = binary.BigEndian.AppendUint32(dst, r.sum)
	if !r.large {
		return append(dst, r.data...)
	}
	dst = binary.BigEndian.AppendUint64(dst, r.size)
	return binary.BigEndian.AppendUint64(dst, r.id)
}

// parseRecord is the inverse of appendRecord; data aliases value. It does not
// compare the checksum, since a large record's data is elsewhere.
func parseRecord(value []byte) (record, error) {
	if len(value) < recordHeader {
		return record{}, fmt.Errorf("record of %d bytes: %w", len(value), errDamaged)
	}
	r := record{
		epoch: store.Epoch(binary.BigEndian.Uint64(value[1:])),
		sum:   binary.BigEndian.Uint32(value[9:]),
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

// recordSum is the checksum of a record before its data: update it with that.
func recordSum(room string, epoch store.Epoch, seq store.Seq) uint32 {
	var place [16]byte
	binary.BigEndian.PutUint64(place[:], uint64(epoch))
	binary.BigEndian.PutUint64(place[8:], uint64(seq))
	return crc32.Update(roomSum(room), castagnoli, place[:])
}

// snapshotSum is the checksum of a snapshot before its data.
func snapshotSum(room string, seq store.Seq) uint32 {
	var place [8]byte
	binary.BigEndian.PutUint64(place[:], uint64(seq))
	return crc32.Update(roomSum(room), castagnoli, place[:])
}

// roomSum begins every checksum with the room, so that a value which ends up
// under another room's key is damaged there.
func roomSum(room string) uint32 {
	var key [1 + store.MaxRoomLen]byte
	return crc32.Checksum(appendRoom(key[:0], room), castagnoli)
}

func addSum(sum uint32, data []byte) uint32 { return crc32.Update(sum, castagnoli, data) }
