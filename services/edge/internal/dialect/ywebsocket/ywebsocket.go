// Package ywebsocket speaks the dialect of the npm package y-websocket, in all
// its versions.
//
//	frame     = message+                      clients up to 3.1 read only the first
//	message   = 00 sync | 01 varBytes(awareness) | 02 auth | 03
//	sync      = varUint(type) varBytes(body)  0 step 1 · 1 step 2 · 2 update
//	auth      = 00 varString(reason)          permission denied
//	03        = who is there?                 some clients append bytes: ignored
//
// Frames that are written hold one message each; frames that are read may hold
// several.
//
// Source: https://github.com/yjs/y-websocket, y-websocket.js, and
// https://github.com/yjs/y-protocols.
package ywebsocket

import (
	"errors"
	"fmt"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/yjs/awareness"
	"github.com/fjord-sync/fjord/yjs/lib0"
	"github.com/fjord-sync/fjord/yjs/protocol"
)

// Dialect is the y-websocket dialect. Its zero value is ready.
type Dialect struct{}

var _ dialect.Dialect = Dialect{}

// The first number of a message.
const (
	messageSync           = 0
	messageAwareness      = 1
	messageAuth           = 2
	messageQueryAwareness = 3
)

// permissionDenied is the only auth message of y-protocols.
const permissionDenied = 0

// maxAwareness bounds an awareness message. Decoded entries take up to thirteen
// times their bytes, and a room of a thousand clients with large cursors stays
// far below it.
const maxAwareness = 1 << 20

var (
	errEmpty = errors.New("empty frame: want at least one message")
	// errAwarenessSize means an awareness message above maxAwareness.
	errAwarenessSize = fmt.Errorf("awareness message is larger than %d bytes", maxAwareness)
)

// keepalive is awareness of nobody: it changes nothing, and it is a data frame,
// which is all that a client's watchdog looks at.
var keepalive = []byte{messageAwareness, 1, 0}

// Name returns "y-websocket".
func (Dialect) Name() string { return "y-websocket" }

// Traits returns none: an update's echo says "saved", and step 2 comes first.
func (Dialect) Traits() dialect.Traits { return dialect.Traits{} }

// Keepalive returns awareness of nobody.
func (Dialect) Keepalive(string) []byte { return keepalive }

// Decode reads a frame to its last byte. See dialect.Dialect.
func (Dialect) Decode(dst []dialect.Message, frame []byte) ([]dialect.Message, error) {
	if len(frame) == 0 {
		return dst, errEmpty
	}
	out, rest := dst, frame
	for len(rest) > 0 {
		var m dialect.Message
		var err error
		if m, rest, err = message(rest); err != nil {
			return dst, err
		}
		out = append(out, m)
	}
	return out, nil
}

// message consumes one message from the beginning of src.
func message(src []byte) (m dialect.Message, rest []byte, err error) {
	n, rest, err := lib0.VarUint(src)
	if err != nil {
		return m, nil, fmt.Errorf("message type: %w", err)
	}
	switch n {
	case messageSync:
		return sync(rest)
	case messageAwareness:
		m.Kind = dialect.Awareness
		if m.Body, rest, err = lib0.VarBytes(rest); err != nil {
			return m, nil, fmt.Errorf("awareness: %w", err)
		}
		return m, rest, checkAwareness(m.Body)
	case messageAuth:
		m.Kind = dialect.Denied
		m.Body, rest, err = auth(rest)
		return m, rest, err
	case messageQueryAwareness:
		return dialect.Message{Kind: dialect.QueryAwareness}, nil, nil
	default:
		return m, nil, fmt.Errorf("unknown message type %d: want 0 (sync), 1 (awareness), 2 (auth) or 3 (query awareness)", n)
	}
}

// sync consumes a sync payload. A state vector is checked to its last byte
// here; updates are checked by the room, which has to read them anyway.
func sync(src []byte) (m dialect.Message, rest []byte, err error) {
	t, body, rest, err := protocol.ReadSync(src)
	if err != nil {
		return m, nil, fmt.Errorf("sync: %w", err)
	}
	m.Body = body
	switch t {
	case protocol.SyncStep1:
		m.Kind = dialect.Step1
		err = checkStateVector(body)
	case protocol.SyncStep2:
		m.Kind = dialect.Step2
	case protocol.SyncUpdate:
		m.Kind = dialect.Update
	}
	return m, rest, err
}

// checkStateVector reads varUint(n) n × (varUint(client) varUint(clock)).
func checkStateVector(src []byte) error {
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

// checkAwareness decodes an awareness update to its last byte. Whether its
// states are JSON, and whose they are, is the room's affair.
func checkAwareness(src []byte) error {
	if len(src) > maxAwareness {
		return errAwarenessSize
	}
	_, err := awareness.Decode(src)
	return err
}

// auth consumes 00 varString(reason).
func auth(src []byte) (reason, rest []byte, err error) {
	n, rest, err := lib0.VarUint(src)
	if err != nil {
		return nil, nil, fmt.Errorf("auth: %w", err)
	}
	if n != permissionDenied {
		return nil, nil, fmt.Errorf("auth: unknown type %d: want 0 (permission denied)", n)
	}
	if reason, rest, err = lib0.VarString(rest); err != nil {
		return nil, nil, fmt.Errorf("auth: reason: %w", err)
	}
	return reason, rest, nil
}

// Append appends the frame that says m. See dialect.Dialect.
func (Dialect) Append(dst []byte, m dialect.Message) []byte {
	if dst == nil {
		// The longest head: message, sync type and the body's length.
		dst = make([]byte, 0, len(m.Body)+2+lib0.VarUintLen(uint64(len(m.Body))))
	}
	switch m.Kind {
	case dialect.Step1:
		return protocol.AppendSync(append(dst, messageSync), protocol.SyncStep1, m.Body)
	case dialect.Step2:
		return protocol.AppendSync(append(dst, messageSync), protocol.SyncStep2, m.Body)
	case dialect.Update:
		return protocol.AppendSync(append(dst, messageSync), protocol.SyncUpdate, m.Body)
	case dialect.Awareness:
		return lib0.AppendVarBytes(append(dst, messageAwareness), m.Body)
	case dialect.QueryAwareness:
		return append(dst, messageQueryAwareness)
	case dialect.Denied:
		return lib0.AppendVarBytes(append(dst, messageAuth, permissionDenied), m.Body)
	default:
		return dst
	}
}
