package badger

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// The first byte of a key says what it holds; see doc.go.
const (
	kindFormat        = 'f'
	kindHead          = 'h'
	kindRecord        = 'r'
	kindRecordChunk   = 'c'
	kindSnapshotChunk = 's'
	kindSweep         = 'x'
)

// blob names the chunks of one large value. id is random, so that two uploads
// for the same place, by a stale owner and the new one, never mix.
type blob struct {
	kind byte // kindRecordChunk or kindSnapshotChunk
	room string
	seq  store.Seq
	id   uint64
}

func appendRoom(dst []byte, room string) []byte {
	dst = append(dst, byte(len(room))) // names are checked: 1 to 255 bytes
	return append(dst, room...)
}

func formatKey() []byte { return []byte{kindFormat} }

func appendHeadKey(dst []byte, room string) []byte {
	return append(append(dst, kindHead), room...)
}

// appendRangePrefix is what all records of a room, or all its chunks of one kind,
// begin with.
func appendRangePrefix(dst []byte, kind byte, room string) []byte {
	return appendRoom(append(dst, kind), room)
}

func appendRecordKey(dst []byte, room string, seq store.Seq) []byte {
	return binary.BigEndian.AppendUint64(appendRangePrefix(dst, kindRecord, room), uint64(seq))
}

// appendBlobPrefix is what all chunks of b begin with.
func appendBlobPrefix(dst []byte, b blob) []byte {
	dst = appendRangePrefix(dst, b.kind, b.room)
	dst = binary.BigEndian.AppendUint64(dst, uint64(b.seq))
	return binary.BigEndian.AppendUint64(dst, b.id)
}

func appendChunkKey(dst []byte, b blob, index uint32) []byte {
	return binary.BigEndian.AppendUint32(appendBlobPrefix(dst, b), index)
}

// appendBlobSweepKey is the sweep entry of b's chunks.
func appendBlobSweepKey(dst []byte, b blob) []byte {
	return appendBlobPrefix(append(dst, kindSweep), b)
}

// appendTrimSweepKey is the sweep entry of the room's records up to seq to; its
// value is the seq below the first of them.
func appendTrimSweepKey(dst []byte, room string, to store.Seq) []byte {
	return appendRecordKey(append(dst, kindSweep), room, to)
}

var errKey = errors.New("a key of no known form")

// parseHeadKey is the inverse of appendHeadKey.
func parseHeadKey(key []byte) (room string, err error) {
	if len(key) < 2 || len(key) > 1+store.MaxRoomLen || key[0] != kindHead || !utf8.Valid(key[1:]) {
		return "", errKey
	}
	return string(key[1:]), nil
}

// parseRoom consumes n room from the beginning of key.
func parseRoom(key []byte) (room string, rest []byte, err error) {
	if len(key) == 0 || key[0] == 0 || len(key)-1 < int(key[0]) {
		return "", nil, errKey
	}
	name := key[1 : 1+int(key[0])]
	if !utf8.Valid(name) {
		return "", nil, errKey
	}
	return string(name), key[1+len(name):], nil
}

// parseRecordKey is the inverse of appendRecordKey.
func parseRecordKey(key []byte) (room string, seq store.Seq, err error) {
	if len(key) == 0 || key[0] != kindRecord {
		return "", 0, errKey
	}
	room, rest, err := parseRoom(key[1:])
	if err != nil || len(rest) != 8 {
		return "", 0, errKey
	}
	return room, store.Seq(binary.BigEndian.Uint64(rest)), nil
}

// parseChunkKey is the inverse of appendChunkKey.
func parseChunkKey(key []byte) (b blob, index uint32, err error) {
	if len(key) < 4 {
		return blob{}, 0, errKey
	}
	b, err = parseBlob(key[:len(key)-4])
	return b, binary.BigEndian.Uint32(key[len(key)-4:]), err
}

func parseBlob(key []byte) (blob, error) {
	if len(key) == 0 || (key[0] != kindRecordChunk && key[0] != kindSnapshotChunk) {
		return blob{}, errKey
	}
	room, rest, err := parseRoom(key[1:])
	if err != nil || len(rest) != 16 {
		return blob{}, errKey
	}
	seq, id := binary.BigEndian.Uint64(rest), binary.BigEndian.Uint64(rest[8:])
	return blob{kind: key[0], room: room, seq: store.Seq(seq), id: id}, nil
}

// parseSweep reads a sweep entry.
func parseSweep(key, value []byte) (garbage, error) {
	if len(key) < 2 || key[0] != kindSweep {
		return garbage{}, errKey
	}
	if key[1] != kindRecord {
		b, err := parseBlob(key[1:])
		if err != nil || len(value) != 0 {
			return garbage{}, errKey
		}
		return garbage{blob: b}, nil
	}
	room, to, err := parseRecordKey(key[1:])
	if err != nil || len(value) != 8 {
		return garbage{}, errKey
	}
	return garbage{room: room, from: store.Seq(binary.BigEndian.Uint64(value)), to: to}, nil
}
