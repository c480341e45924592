// Package dialect names what clients say, apart from the bytes in which they
// say it.
//
// A Dialect turns frames (whole websocket messages) into Messages and back. It
// holds no state and starts nothing; who may say what, and when, is the
// session's affair.
//
//	frame ── Decode ─► Message… ─► session ─► Message… ── Append ─► frame
//
// A new dialect is one folder beside the others and one line in the edge's
// list of dialects.
package dialect

import "strings"

// Kind tells messages apart.
type Kind uint8

// The messages. Where Body is a payload of y-protocols, its framing is the
// dialect's and Body is what lies inside.
const (
	// Step1 asks for what the sender lacks. Body: an encoded state vector.
	Step1 Kind = iota + 1
	// Step2 answers a step 1. Body: a v1 update.
	Step2
	// Update is an update that has just happened. Body: a v1 update.
	Update
	// Awareness is presence. Body: a y-protocols awareness update, decoded to
	// its last byte when it came from a client.
	Awareness
	// QueryAwareness asks for everybody's presence. No body.
	QueryAwareness
	// Denied says that the sender refuses access. Body: a reason for people.
	Denied
	// Saved answers one update of a client: stored. No body.
	Saved
	// Refused answers one update of a client: it went nowhere. Body: a reason
	// for people.
	Refused
	// Token says who the client is, and asks to be let in. Body: the token. To a
	// client it asks for the token again, without a body.
	Token
	// ReadWrite and ReadOnly say what a session may do; a client may ask for
	// less than it was given. No body.
	ReadWrite
	ReadOnly
	// Stateless is a text for the room's others. Body: UTF-8.
	Stateless
	// Barrier asks to be told when all that was said before it is stored, and is
	// told so by itself. Body: anything.
	Barrier
	// Cross asks like Step1 and is answered by Cross, which is a step 1 and a
	// step 2 in one. Body from a client: a state vector; the update beside it
	// has become a Step2 before it. Body to a client: varBytes(state vector)
	// varBytes(v1 update).
	Cross
	// ID says who is speaking. Body: the name.
	ID
	// Data is a message for the others who know its dialect. Body: all of it.
	Data
	// Leave ends the session, not the socket. No body.
	Leave
	// Ignored is understood, and means nothing here. No body.
	Ignored
	// Illegal is understood, and no client may say it. Body: why, for people.
	Illegal
	// Raw is a relay room's frame, as it came. It has no dialect.
	Raw
)

// String returns the kind's name, for logs and tests.
func (k Kind) String() string {
	names := [...]string{
		Step1: "step 1", Step2: "step 2", Update: "update", Awareness: "awareness",
		QueryAwareness: "query awareness", Denied: "denied", Saved: "saved", Refused: "refused",
		Token: "token", ReadWrite: "read-write", ReadOnly: "read-only", Stateless: "stateless",
		Barrier: "barrier", Cross: "cross", ID: "id", Data: "data",
		Leave: "leave", Ignored: "ignored", Illegal: "illegal", Raw: "raw",
	}
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return "unknown"
}

// Message is one thing that a client says or is told.
type Message struct {
	Kind Kind
	// Address names the document on a socket that carries several. Empty: the
	// room of the socket's URL.
	Address string
	// Body aliases the frame that it was decoded from.
	Body []byte
}

// Traits are the habits of a dialect's clients that a session must respect.
type Traits struct {
	// Acks: each update of a client is answered by Saved or Refused. Without
	// it, "saved" is the update's own echo, and a refusal closes the socket.
	Acks bool
	// Step1First: the server's step 1 comes before its step 2, and each of the
	// client's is answered by one.
	Step1First bool
	// Addressed: a socket carries many documents. Each message names its
	// document, which is opened by a Token or by a first step 1 without one,
	// and what is denied is denied to that document alone.
	Addressed bool
	// MustBeAsked: a client that is told that it is gone takes a higher clock, as
	// y-protocols does, and keeps that to itself until it is asked who is here.
	MustBeAsked bool
	// TellsAccess: a client is told ReadOnly if that is what it may do, and
	// again whenever it tried more.
	TellsAccess bool
}

// Room returns the room that an address names: all of it, up to a NUL. What
// follows the NUL tells apart several sessions of one socket in one room.
func Room(address string) string {
	room, _, _ := strings.Cut(address, "\x00")
	return room
}

// Dialect is one byte language. Its methods may be called from any goroutine.
type Dialect interface {
	// Name is short, lower case, and fit for a metric's label.
	Name() string
	Traits() Traits
	// Opens reports whether frame can be the first of a client of which nothing
	// else is known. A socket speaks the first dialect of the edge's list that
	// says so, unless its URL or subprotocol names one.
	Opens(frame []byte) bool
	// Decode appends the messages of one frame to dst. Their bodies alias
	// frame. A frame is understood to its last byte, or the error says what is
	// wrong and dst comes back as it was.
	Decode(dst []Message, frame []byte) ([]Message, error)
	// Append appends the frame that says m. It returns dst unchanged if the
	// dialect has no word for m.
	Append(dst []byte, m Message) []byte
	// Keepalive returns a frame that resets a client's watchdog and does
	// nothing else, nil if the dialect needs none. It must not be modified.
	Keepalive(address string) []byte
}
