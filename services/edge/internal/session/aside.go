package session

import (
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// An aside is what clients tell one another beside the document: the room passes
// it on to the others and keeps nothing. In a room that has a document it is
//
//	aside = 01 text                         Stateless
//	      | 02 varBytes(sender) message     Data; sender is empty if it gave no ID
//
// and goes to those whose dialect has a word for it.
const (
	asideStateless = 1
	asideData      = 2
)

const (
	// maxAside is what one may hold, in bytes.
	maxAside = 1 << 20
	// maxID is what the name of a sender may hold, in bytes.
	maxID = 250
)

var (
	statelessHead = []byte{asideStateless}
	dataHead      = []byte{asideData, 0}
)

// aside returns what a client's aside becomes. An ID goes nowhere by itself: it
// comes before each of the sender's Data.
func (s *Session) aside(m dialect.Message) (Frame, *Close) {
	most := maxAside
	if m.Kind == dialect.ID {
		most = maxID
	}
	if len(m.Body) > most {
		return Frame{}, &Close{CloseTooLarge, m.Kind.String() + " is larger than this server passes on"}
	}
	switch m.Kind {
	case dialect.ID:
		s.name = lib0.AppendVarBytes([]byte{asideData}, m.Body)
		return Frame{}, nil
	case dialect.Data:
		head := s.name
		if head == nil {
			head = dataHead
		}
		return Frame{Kind: Relay, Head: head, Bytes: m.Body}, nil
	default:
		return Frame{Kind: Relay, Head: statelessHead, Bytes: m.Body}, nil
	}
}

// heard appends what an aside tells. One that can't be read comes from an edge
// of another version, and is skipped.
func heard(data []byte, out []dialect.Message) []dialect.Message {
	if len(data) == 0 {
		return out
	}
	switch data[0] {
	case asideStateless:
		return append(out, dialect.Message{Kind: dialect.Stateless, Body: data[1:]})
	case asideData:
		id, message, err := lib0.VarBytes(data[1:])
		if err != nil {
			return out
		}
		if len(id) > 0 {
			out = append(out, dialect.Message{Kind: dialect.ID, Body: id})
		}
		return append(out, dialect.Message{Kind: dialect.Data, Body: message})
	default:
		return out
	}
}
