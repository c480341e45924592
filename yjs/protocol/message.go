package protocol

import (
	"fmt"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// MessageType tells the messages of y-websocket apart.
type MessageType uint64

// The messages of y-websocket.
const (
	MessageSync           MessageType = 0
	MessageAwareness      MessageType = 1
	MessageAuth           MessageType = 2
	MessageQueryAwareness MessageType = 3
)

// String returns the name of the type.
func (t MessageType) String() string {
	switch t {
	case MessageSync:
		return "sync"
	case MessageAwareness:
		return "awareness"
	case MessageAuth:
		return "auth"
	case MessageQueryAwareness:
		return "query awareness"
	default:
		return fmt.Sprintf("message type %d", uint64(t))
	}
}

// Message is a message of y-websocket.
type Message struct {
	Type MessageType
	// Sync is the payload of a MessageSync.
	Sync SyncType
	// Body is a state vector or an update, in a MessageSync; an awareness update, in a
	// MessageAwareness; why permission is denied, in a MessageAuth; and nothing in a
	// MessageQueryAwareness.
	Body []byte
}

// AppendMessage appends a message of one of the four types: as a frame of its own, or
// behind others.
func AppendMessage(dst []byte, m Message) []byte {
	dst = lib0.AppendVarUint(dst, uint64(m.Type))
	switch m.Type {
	case MessageSync:
		return AppendSync(dst, m.Sync, m.Body)
	case MessageAwareness:
		return lib0.AppendVarBytes(dst, m.Body)
	case MessageAuth:
		return lib0.AppendVarBytes(append(dst, permissionDenied), m.Body)
	default:
		return dst
	}
}

// ReadMessage consumes a message from the beginning of src, which is a frame or what
// was left of one: read until nothing is. The body aliases src. Behind a
// MessageQueryAwareness nothing is left, because some clients append bytes to it. An
// unknown type is an error: where the message ends cannot be known.
func ReadMessage(src []byte) (m Message, rest []byte, err error) {
	n, rest, err := lib0.VarUint(src)
	if err != nil {
		return m, nil, fmt.Errorf("message type: %w", err)
	}
	m.Type = MessageType(n)
	switch m.Type {
	case MessageSync:
		if m.Sync, m.Body, rest, err = ReadSync(rest); err != nil {
			err = fmt.Errorf("sync: %w", err)
		}
	case MessageAwareness:
		if m.Body, rest, err = lib0.VarBytes(rest); err != nil {
			err = fmt.Errorf("awareness: %w", err)
		}
	case MessageAuth:
		m.Body, rest, err = ReadPermissionDenied(rest)
	case MessageQueryAwareness:
		rest = nil
	default:
		err = fmt.Errorf("unknown message type %d: want 0 (sync), 1 (awareness), 2 (auth) or 3 (query awareness)", n)
	}
	if err != nil {
		return Message{}, nil, err
	}
	return m, rest, nil
}
