// Package payload reads and writes what lies inside the frames of every dialect:
// the sync and awareness payloads of y-protocols.
//
//	sync      = varUint(type) varBytes(body)   0 step 1 · 1 step 2 · 2 update
//	awareness = varBytes(awareness update)
//
// Source: https://github.com/yjs/y-protocols/blob/master/PROTOCOL.md.
package payload

import (
	"fmt"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/yjs/awareness"
	"github.com/fjord-sync/fjord/yjs/lib0"
	"github.com/fjord-sync/fjord/yjs/protocol"
)

// maxAwareness bounds an awareness message. Decoded entries take up to thirteen
// times their bytes, and a room of a thousand clients with large cursors stays
// far below it.
const maxAwareness = 1 << 20

// errAwarenessSize means an awareness message above maxAwareness.
var errAwarenessSize = fmt.Errorf("awareness message is larger than %d bytes", maxAwareness)

// Sync consumes vu(type) vb(body), a step 1, step 2 or update. A state vector is checked to its last byte
// here; updates are checked by the room, which has to read them anyway.
func Sync(src []byte) (m dialect.Message, rest []byte, err error) {
	t, body, rest, err := protocol.ReadSync(src)
	if err != nil {
		return m, nil, fmt.Errorf("sync: %w", err)
	}
	m.Body = body
	switch t {
	case protocol.SyncStep1:
		m.Kind = dialect.Step1
		err = StateVector(body)
	case protocol.SyncStep2:
		m.Kind = dialect.Step2
	case protocol.SyncUpdate:
		m.Kind = dialect.Update
	}
	return m, rest, err
}

// StateVector reads varUint(n) n × (varUint(client) varUint(clock)) and keeps nothing:
// it is the room that looks into it, with the engine, which the edge doesn't know.
func StateVector(src []byte) error {
	n, rest, err := lib0.VarUint(src)
	if err != nil {
		return fmt.Errorf("step 1: number of clients: %w", err)
	}
	if n > uint64(len(rest))/2 {
		return fmt.Errorf("step 1: %d clients claimed: %w", n, lib0.ErrTruncated)
	}
	for range 2 * n {
		if _, rest, err = lib0.VarUint(rest); err != nil {
			return fmt.Errorf("step 1: state vector: %w", err)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("step 1: %d bytes after the state vector", len(rest))
	}
	return nil
}

// Awareness consumes an awareness message and decodes it to its last byte. Whether its
// states are JSON, and whose they are, is the room's affair.
func Awareness(src []byte) (m dialect.Message, rest []byte, err error) {
	m.Kind = dialect.Awareness
	if m.Body, rest, err = lib0.VarBytes(src); err != nil {
		return m, nil, fmt.Errorf("awareness: %w", err)
	}
	if len(m.Body) > maxAwareness {
		return m, nil, errAwarenessSize
	}
	_, err = awareness.Decode(m.Body)
	return m, rest, err
}

// AppendSync appends the sync payload that says m: a Step1, Step2 or Update.
func AppendSync(dst []byte, m dialect.Message) []byte {
	t := protocol.SyncUpdate
	switch m.Kind {
	case dialect.Step1:
		t = protocol.SyncStep1
	case dialect.Step2:
		t = protocol.SyncStep2
	}
	return protocol.AppendSync(dst, t, m.Body)
}
