// Package hocuspocus speaks the dialect of the npm package @hocuspocus/provider,
// versions 2 to 4.
//
//	frame     = varString(address) type body | 09 | 0a
//	address   = the document's name, in version 4 also name 00 session
//
//	 0 sync             sync payload             5 stateless  varString(text)
//	 1 awareness        varBytes(awareness)      7 close      nothing (client), varString(reason) (server)
//	 2 auth             see below                8 status     1 stored · 0 refused
//	 3 query awareness  nothing                  9, 10        ping, pong: a bare byte, no address
//
//	auth, client  00 varString(token), in version 4 also varString(version)
//	auth, server  00 send your token again (from 3.3 on) · 01 varString(reason) denied · 02 varString("read-write" or "readonly")
//
// A frame holds one message. Types 4 and 6 are for servers among themselves.
// Type 7 is never written: version 2 throws on it, and on 9.
//
// Source: https://github.com/ueberdosis/hocuspocus, packages/provider/src.
package hocuspocus

import (
	"errors"
	"fmt"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/payload"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// Dialect is the Hocuspocus dialect. Its zero value is ready.
type Dialect struct{}

var _ dialect.Dialect = Dialect{}

// The types of messages.
const (
	messageSync               = 0
	messageAwareness          = 1
	messageAuth               = 2
	messageQueryAwareness     = 3
	messageSyncReply          = 4
	messageStateless          = 5
	messageBroadcastStateless = 6
	messageClose              = 7
	messageSyncStatus         = 8
	messagePing               = 9
	messagePong               = 10
)

// The types of auth messages.
const (
	authToken         = 0
	authDenied        = 1
	authAuthenticated = 2
)

// The scopes of an authenticated session, as they are spelled.
const (
	scopeReadWrite = "read-write"
	scopeReadOnly  = "readonly"
)

var (
	errEmpty   = errors.New("empty frame: want a document's name and a message")
	errAddress = errors.New("no document's name: want at least one byte")
	errRest    = errors.New("bytes after the message")
)

// Name returns "hocuspocus".
func (Dialect) Name() string { return "hocuspocus" }

// Traits returns that sockets carry many documents, that each update is
// answered, and that the server asks first.
func (Dialect) Traits() dialect.Traits {
	return dialect.Traits{Acks: true, Step1First: true, Addressed: true, MustBeAsked: true}
}

// Opens reports whether frame is what a client may begin with, to its last byte.
func (d Dialect) Opens(frame []byte) bool {
	if len(frame) < 2 || frame[0] == 0 {
		return false
	}
	var one [1]dialect.Message
	messages, err := d.Decode(one[:0], frame)
	if err != nil || len(messages) != 1 {
		return false
	}
	switch messages[0].Kind {
	case dialect.Token, dialect.Step1, dialect.Awareness, dialect.QueryAwareness:
		return true
	default:
		return false
	}
}

// Keepalive returns awareness of nobody, addressed to a document.
func (d Dialect) Keepalive(address string) []byte {
	return d.Append(nil, dialect.Message{Kind: dialect.Awareness, Address: address, Body: []byte{0}})
}

// Decode reads a frame to its last byte. See dialect.Dialect.
func (Dialect) Decode(dst []dialect.Message, frame []byte) ([]dialect.Message, error) {
	if len(frame) == 0 {
		return dst, errEmpty
	}
	if len(frame) == 1 && (frame[0] == messagePong || frame[0] == messagePing) {
		return append(dst, dialect.Message{Kind: dialect.Ignored}), nil
	}
	address, rest, err := lib0.VarString(frame)
	if err != nil {
		return dst, fmt.Errorf("document's name: %w", err)
	}
	if len(address) == 0 {
		return dst, errAddress
	}
	t, rest, err := lib0.VarUint(rest)
	if err != nil {
		return dst, fmt.Errorf("message type: %w", err)
	}
	m, rest, err := message(t, rest)
	if err != nil {
		return dst, err
	}
	if len(rest) > 0 {
		return dst, errRest
	}
	m.Address = string(address)
	return append(dst, m), nil
}

// message consumes the body of a message of type t.
func message(t uint64, src []byte) (m dialect.Message, rest []byte, err error) {
	switch t {
	case messageSync:
		return payload.Sync(src)
	case messageAwareness:
		return payload.Awareness(src)
	case messageAuth:
		return auth(src)
	case messageQueryAwareness:
		return dialect.Message{Kind: dialect.QueryAwareness}, src, nil
	case messageStateless:
		m.Kind = dialect.Stateless
		if m.Body, rest, err = lib0.VarString(src); err != nil {
			return m, nil, fmt.Errorf("stateless: %w", err)
		}
		return m, rest, nil
	case messageClose:
		// Some versions append a reason.
		return dialect.Message{Kind: dialect.Leave}, nil, nil
	case messageSyncReply, messageBroadcastStateless:
		return dialect.Message{Kind: dialect.Illegal, Body: []byte("this message is for servers among themselves")}, nil, nil
	default:
		return m, nil, fmt.Errorf("unknown message type %d: want 0 (sync) to 3, 5 (stateless) or 7 (close)", t)
	}
}

// auth consumes 00 varString(token) and the version that may follow.
func auth(src []byte) (m dialect.Message, rest []byte, err error) {
	t, rest, err := lib0.VarUint(src)
	if err != nil {
		return m, nil, fmt.Errorf("auth: %w", err)
	}
	if t != authToken {
		return m, nil, fmt.Errorf("auth: unknown type %d: want 0 (token)", t)
	}
	m.Kind = dialect.Token
	if m.Body, rest, err = lib0.VarString(rest); err != nil {
		return m, nil, fmt.Errorf("auth: token: %w", err)
	}
	if len(rest) > 0 {
		if _, rest, err = lib0.VarString(rest); err != nil {
			return m, nil, fmt.Errorf("auth: version: %w", err)
		}
	}
	return m, rest, nil
}

// Append appends the frame that says m. See dialect.Dialect.
func (Dialect) Append(dst []byte, m dialect.Message) []byte {
	size := len(m.Address) + len(m.Body) + maxHead
	if dst == nil {
		dst = make([]byte, 0, size)
	}
	head := lib0.AppendVarString(dst, m.Address)
	switch m.Kind {
	case dialect.Step1, dialect.Step2, dialect.Update:
		return payload.AppendSync(append(head, messageSync), m)
	case dialect.Awareness:
		return lib0.AppendVarBytes(append(head, messageAwareness), m.Body)
	case dialect.QueryAwareness:
		return append(head, messageQueryAwareness)
	case dialect.Denied:
		return lib0.AppendVarBytes(append(head, messageAuth, authDenied), m.Body)
	case dialect.Token:
		return append(head, messageAuth, authToken)
	case dialect.ReadWrite:
		return lib0.AppendVarString(append(head, messageAuth, authAuthenticated), scopeReadWrite)
	case dialect.ReadOnly:
		return lib0.AppendVarString(append(head, messageAuth, authAuthenticated), scopeReadOnly)
	case dialect.Stateless:
		return lib0.AppendVarBytes(append(head, messageStateless), m.Body)
	case dialect.Saved:
		return append(head, messageSyncStatus, 1)
	case dialect.Refused:
		return append(head, messageSyncStatus, 0)
	default:
		return dst
	}
}

// maxHead bounds what a frame holds beside its address and body, scopes
// included.
const maxHead = 20
