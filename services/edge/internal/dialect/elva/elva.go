// Package elva speaks the dialect of ELVA and its clients: y-websocket's sync and
// awareness, and eight messages more.
//
//	frame   = message+
//	message = magic varBytes(payload)
//
//	00 00 · 00 01 · 00 02   sync step 1 · step 2 · update
//	00 03                   cross: varBytes(state vector) varBytes(update)
//	01                      awareness
//	49 44                   who is speaking: any bytes
//	52 4f · 52 57           may read · may read and write; payload ignored
//	44 01 … 44 04           data request · offer · order · transfer: any bytes
//
// ELVA leaves the inside of a cross open. Here it is the sender's state vector
// and its update: for an asker all that it has, in an answer what the asker
// lacks. A cross is answered by a cross; what that answer asks back is answered
// by a step 2, or the two would never end.
package elva

import (
	"errors"
	"fmt"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/payload"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// Dialect is the ELVA dialect. Its zero value is ready.
type Dialect struct{}

var _ dialect.Dialect = Dialect{}

// The first bytes of messages, and the second where they say more.
const (
	magicSync      = 0
	syncCross      = 3
	magicAwareness = 1
	magicID        = 'I'
	secondID       = 'D'
	magicRead      = 'R'
	secondRead     = 'O'
	secondWrite    = 'W'
	magicData      = 'D'
	dataFirst      = 1
	dataLast       = 4
)

var (
	errEmpty = errors.New("empty frame: want at least one message")
	errMagic = errors.New("unknown message: want a sync message, awareness, ID, RO, RW or D 1 to 4")
	errCross = errors.New("bytes after the update of a cross")
)

// keepalive is awareness of nobody.
var keepalive = []byte{magicAwareness, 1, 0}

// Name returns "elva".
func (Dialect) Name() string { return "elva" }

// Traits returns that clients have words for their access.
func (Dialect) Traits() dialect.Traits { return dialect.Traits{TellsAccess: true} }

// Keepalive returns awareness of nobody.
func (Dialect) Keepalive(string) []byte { return keepalive }

// Opens reports whether frame is a message of this dialect. Those that it shares
// with y-websocket are answered alike, whoever is asked first.
func (d Dialect) Opens(frame []byte) bool {
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
		var err error
		if out, rest, err = message(out, rest); err != nil {
			return dst, err
		}
	}
	return out, nil
}

// message consumes one message from the beginning of src, which isn't empty.
func message(dst []dialect.Message, src []byte) (out []dialect.Message, rest []byte, err error) {
	var m dialect.Message
	switch {
	case src[0] == magicAwareness:
		m, rest, err = payload.Awareness(src[1:])
	case len(src) < 2:
		return dst, nil, fmt.Errorf("message: %w", lib0.ErrTruncated)
	case src[0] == magicSync && src[1] == syncCross:
		return cross(dst, src[2:])
	case src[0] == magicSync:
		m, rest, err = payload.Sync(src[1:])
	default:
		m, rest, err = lettered(src)
	}
	if err != nil {
		return dst, nil, err
	}
	return append(dst, m), rest, nil
}

// lettered consumes a message that begins with two letters, or D and a number.
func lettered(src []byte) (m dialect.Message, rest []byte, err error) {
	body, rest, err := lib0.VarBytes(src[2:])
	m.Body = body
	switch first, second := src[0], src[1]; {
	case first == magicID && second == secondID:
		m.Kind = dialect.ID
	case first == magicRead && second == secondRead:
		m.Kind = dialect.ReadOnly
	case first == magicRead && second == secondWrite:
		m.Kind = dialect.ReadWrite
	case first == magicData && second >= dataFirst && second <= dataLast:
		m.Kind = dialect.Data
		m.Body = src[:len(src)-len(rest)]
	default:
		return m, nil, errMagic
	}
	if err != nil {
		return m, nil, fmt.Errorf("%v: %w", m.Kind, err)
	}
	return m, rest, nil
}

// cross consumes the payload of a cross: the update first, so that what it asks
// for is asked of a document that has it.
func cross(dst []dialect.Message, src []byte) (out []dialect.Message, rest []byte, err error) {
	body, rest, err := lib0.VarBytes(src)
	if err != nil {
		return dst, nil, fmt.Errorf("cross: %w", err)
	}
	vector, body, err := lib0.VarBytes(body)
	if err != nil {
		return dst, nil, fmt.Errorf("cross: state vector: %w", err)
	}
	update, body, err := lib0.VarBytes(body)
	if err != nil {
		return dst, nil, fmt.Errorf("cross: update: %w", err)
	}
	if len(body) > 0 {
		return dst, nil, errCross
	}
	if err := payload.StateVector(vector); err != nil {
		return dst, nil, fmt.Errorf("cross: %w", err)
	}
	return append(dst,
		dialect.Message{Kind: dialect.Step2, Body: update},
		dialect.Message{Kind: dialect.Cross, Body: vector}), rest, nil
}

// maxHead bounds what a message holds beside its payload.
const maxHead = 11

// Append appends the frame that says m. See dialect.Dialect.
func (Dialect) Append(dst []byte, m dialect.Message) []byte {
	if dst == nil {
		dst = make([]byte, 0, len(m.Body)+maxHead)
	}
	switch m.Kind {
	case dialect.Step1, dialect.Step2, dialect.Update:
		return payload.AppendSync(append(dst, magicSync), m)
	case dialect.Cross:
		return lib0.AppendVarBytes(append(dst, magicSync, syncCross), m.Body)
	case dialect.Awareness:
		return lib0.AppendVarBytes(append(dst, magicAwareness), m.Body)
	case dialect.ID:
		return lib0.AppendVarBytes(append(dst, magicID, secondID), m.Body)
	case dialect.ReadOnly:
		return append(dst, magicRead, secondRead, 0)
	case dialect.ReadWrite:
		return append(dst, magicRead, secondWrite, 0)
	case dialect.Data:
		return append(dst, m.Body...)
	default:
		return dst
	}
}
