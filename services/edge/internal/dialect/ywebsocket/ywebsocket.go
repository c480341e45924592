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
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/payload"
	"github.com/fjord-sync/fjord/yjs/lib0"
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

var errEmpty = errors.New("empty frame: want at least one message")

// keepalive is awareness of nobody: it changes nothing, and it is a data frame,
// which is all that a client's watchdog looks at.
var keepalive = []byte{messageAwareness, 1, 0}

// Name returns "y-websocket".
func (Dialect) Name() string { return "y-websocket" }

// Traits returns none: an update's echo says "saved", and step 2 comes first.
func (Dialect) Traits() dialect.Traits { return dialect.Traits{} }

// Keepalive returns awareness of nobody.
func (Dialect) Keepalive(string) []byte { return keepalive }

// Opens reports whether frame is a message of this dialect, and can be none of
// a dialect that begins with a document's name: no name is empty, and a name of
// one byte followed by whole awareness is nobody's.
func (d Dialect) Opens(frame []byte) bool {
	if len(frame) == 0 || (frame[0] > messageAwareness && !(len(frame) == 1 && frame[0] == messageQueryAwareness)) {
		return false
	}
	_, err := d.Decode(nil, frame)
	return err == nil
}

// Decode reads a frame to its last byte. See dialect.Dialect.
func (Dialect) Decode(dst []dialect.Message, frame []byte) ([]dialect.Message, error) {
	if len(frame) == 0 {
		return dst, errEmpty
	}
	out, rest := dst, frame
	for len(rest) > 0 {
		var m dialect.Message
		var err error
		if m, rest, err = Message(rest); err != nil {
			return dst, err
		}
		out = append(out, m)
	}
	return out, nil
}

// Message consumes one message from the beginning of src.
func Message(src []byte) (m dialect.Message, rest []byte, err error) {
	n, rest, err := lib0.VarUint(src)
	if err != nil {
		return m, nil, fmt.Errorf("message type: %w", err)
	}
	switch n {
	case messageSync:
		return payload.Sync(rest)
	case messageAwareness:
		return payload.Awareness(rest)
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
	case dialect.Step1, dialect.Step2, dialect.Update:
		return payload.AppendSync(append(dst, messageSync), m)
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
