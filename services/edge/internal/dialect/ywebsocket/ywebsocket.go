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
	"github.com/fjord-sync/fjord/yjs/protocol"
)

// Dialect is the y-websocket dialect. Its zero value is ready.
type Dialect struct{}

var _ dialect.Dialect = Dialect{}

var errEmpty = errors.New("empty frame: want at least one message")

// keepalive is awareness of nobody: it changes nothing, and it is a data frame,
// which is all that a client's watchdog looks at.
var keepalive = []byte{byte(protocol.MessageAwareness), 1, 0}

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
	if len(frame) == 0 || (frame[0] > byte(protocol.MessageAwareness) && !(len(frame) == 1 && frame[0] == byte(protocol.MessageQueryAwareness))) {
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

// Message consumes one message from the beginning of src. It reads what
// protocol.ReadMessage reads, which was tried here: its Message, and this one made of
// it, take a keystroke some 10 ns longer.
func Message(src []byte) (m dialect.Message, rest []byte, err error) {
	n, rest, err := lib0.VarUint(src)
	if err != nil {
		return m, nil, fmt.Errorf("message type: %w", err)
	}
	switch protocol.MessageType(n) {
	case protocol.MessageSync:
		return payload.Sync(rest)
	case protocol.MessageAwareness:
		return payload.Awareness(rest)
	case protocol.MessageAuth:
		m.Kind = dialect.Denied
		m.Body, rest, err = protocol.ReadPermissionDenied(rest)
		return m, rest, err
	case protocol.MessageQueryAwareness:
		return dialect.Message{Kind: dialect.QueryAwareness}, nil, nil
	default:
		return m, nil, fmt.Errorf("unknown message type %d: want 0 (sync), 1 (awareness), 2 (auth) or 3 (query awareness)", n)
	}
}

// Append appends the frame that says m. See dialect.Dialect.
func (Dialect) Append(dst []byte, m dialect.Message) []byte {
	if dst == nil {
		// The longest head: message, sync type and the body's length.
		dst = make([]byte, 0, len(m.Body)+2+lib0.VarUintLen(uint64(len(m.Body))))
	}
	switch m.Kind {
	case dialect.Step1, dialect.Step2, dialect.Update:
		return payload.AppendSync(append(dst, byte(protocol.MessageSync)), m)
	case dialect.Awareness:
		return lib0.AppendVarBytes(append(dst, byte(protocol.MessageAwareness)), m.Body)
	case dialect.QueryAwareness:
		return append(dst, byte(protocol.MessageQueryAwareness))
	case dialect.Denied:
		return protocol.AppendMessage(dst, protocol.Message{Type: protocol.MessageAuth, Body: m.Body})
	default:
		return dst
	}
}
