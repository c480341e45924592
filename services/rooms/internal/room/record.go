package room

import (
	"errors"
	"fmt"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// What this service writes into storage, which doesn't look inside:
//
//	record   = 01 varUint(n) n × varBytes(v1 update)
//	snapshot = 01 v1 update
//
// The first byte is the format's version. Storage's checksums cover all of it.
const (
	recordV1   = 0x01
	snapshotV1 = 0x01
)

var errEmptyRecord = errors.New("empty; want a version byte")

// AppendRecord appends a record that holds the updates.
func AppendRecord(dst []byte, updates [][]byte) []byte {
	dst = append(dst, recordV1)
	dst = lib0.AppendVarUint(dst, uint64(len(updates)))
	for _, update := range updates {
		dst = lib0.AppendVarBytes(dst, update)
	}
	return dst
}

// ReadRecord calls each for every update of a record, to the record's last byte,
// and stops at the first error. The updates alias the record.
func ReadRecord(record []byte, each func(update []byte) error) error {
	if len(record) == 0 {
		return errEmptyRecord
	}
	if record[0] != recordV1 {
		return fmt.Errorf("record version %d; this build reads version %d", record[0], recordV1)
	}
	n, rest, err := lib0.VarUint(record[1:])
	if err != nil {
		return fmt.Errorf("number of updates: %w", err)
	}
	for i := range n {
		var update []byte
		if update, rest, err = lib0.VarBytes(rest); err != nil {
			return fmt.Errorf("update %d of %d: %w", i+1, n, err)
		}
		if err := each(update); err != nil {
			return fmt.Errorf("update %d of %d: %w", i+1, n, err)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes after the last update", len(rest))
	}
	return nil
}

// AppendSnapshot appends a snapshot that holds the whole document's update.
func AppendSnapshot(dst, update []byte) []byte {
	dst = append(dst, snapshotV1)
	return append(dst, update...)
}

// ReadSnapshot returns the update that a snapshot holds; it aliases the snapshot.
func ReadSnapshot(snapshot []byte) ([]byte, error) {
	if len(snapshot) == 0 {
		return nil, errEmptyRecord
	}
	if snapshot[0] != snapshotV1 {
		return nil, fmt.Errorf("snapshot version %d; this build reads version %d", snapshot[0], snapshotV1)
	}
	return snapshot[1:], nil
}
