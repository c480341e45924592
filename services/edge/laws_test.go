package edge_test

import (
	"bytes"
	"encoding/hex"
	"maps"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/spoken"
	"github.com/fjord-sync/fjord/services/edge/internal/roomstest"
)

// speaker is a client of any dialect in the room "doc".
type speaker struct {
	*peer
	dialect dialect.Dialect
	address string
}

// enter lets a client of d in and goes through the handshake.
func (w *world) enter(d dialect.Dialect) *speaker {
	w.t.Helper()
	s := &speaker{dialect: d}
	if d.Traits().Addressed {
		s.address = "doc"
		s.peer = w.open("/-/" + d.Name())
		s.send(name("doc") + says("x"))
		s.want(name("doc") + granted)
	} else {
		s.peer = w.open("/-/" + d.Name() + "/doc")
	}
	s.say(dialect.Step1, 0)
	if d.Traits().Step1First {
		s.hears(dialect.Message{Kind: dialect.Step1, Body: []byte{0}}, dialect.Message{Kind: dialect.Step2})
	} else {
		s.hears(dialect.Message{Kind: dialect.Step2}, dialect.Message{Kind: dialect.Step1, Body: []byte{0}})
	}
	return s
}

// frame spells a message as the speaker's dialect does.
func (s *speaker) frame(kind dialect.Kind, body ...byte) []byte {
	return s.dialect.Append(nil, dialect.Message{Kind: kind, Address: s.address, Body: body})
}

func (s *speaker) say(kind dialect.Kind, body ...byte) {
	s.t.Helper()
	s.sendBytes(s.frame(kind, body...))
}

// hears reads as many frames as there are messages, and no others.
func (s *speaker) hears(messages ...dialect.Message) {
	s.t.Helper()
	for _, m := range messages {
		s.want(hex.EncodeToString(s.frame(m.Kind, m.Body...)))
	}
}

// fence waits until what was said before is dealt with, and fails if anything was
// told meanwhile: the echo of presence doesn't wait for storage.
func (s *speaker) fence(clock byte) {
	s.t.Helper()
	presence := []byte{1, 42, clock, 2, '{', '}'}
	s.say(dialect.Awareness, presence...)
	s.hears(dialect.Message{Kind: dialect.Awareness, Body: presence})
}

// saved is what tells that an update of one's own is stored.
func (s *speaker) saved(body ...byte) []dialect.Message {
	messages := []dialect.Message{{Kind: dialect.Update, Body: body}}
	if s.dialect.Traits().Acks {
		messages = append(messages, dialect.Message{Kind: dialect.Saved})
	}
	return messages
}

// everyDialect runs a law over all of them.
func everyDialect(t *testing.T, law func(t *testing.T, d dialect.Dialect)) {
	t.Helper()
	for _, d := range spoken.All {
		t.Run(d.Name(), func(t *testing.T) { law(t, d) })
	}
}

// Nobody is told of an update or a step 2 before it is stored; then its sender is
// told once, in the one way that its dialect has for it.
func TestSavedIsSaidOnceAndNotBefore(t *testing.T) {
	everyDialect(t, func(t *testing.T, d dialect.Dialect) {
		w := newWorld(t, nil)
		s, other := w.enter(d), w.sync("doc")
		for i, kind := range []dialect.Kind{dialect.Update, dialect.Step2, dialect.Update} {
			body := byte(0x10 + i)
			storing := make(chan func(), 1)
			w.rooms.SetHook(func(l *roomstest.Link, f *roomsv1.EdgeFrame) bool {
				if f.GetUpdate() == nil {
					return false
				}
				storing <- func() {
					w.rooms.Append("doc", f.GetUpdate().GetUpdate())
					if ticket := f.GetUpdate().GetTicket(); ticket != 0 {
						l.Send(&roomsv1.RoomFrame{Attachment: f.GetAttachment(), Session: f.GetSession(), Body: &roomsv1.RoomFrame_Result{
							Result: &roomsv1.UpdateResult{Ticket: ticket},
						}})
					}
				}
				return true
			})
			s.say(kind, body)
			s.fence(byte(2*i + 1))
			other.next() // the presence, and nothing before it
			(<-storing)()
			s.hears(s.saved(body)...)
			other.want(hex.EncodeToString([]byte{0, 2, 1, body}))
			s.fence(byte(2*i + 2))
			other.next()
		}
	})
}

// A frame that isn't understood to its last byte does nothing at all, whatever is
// right about its beginning, and ends the socket for good.
func TestHalfUnderstoodFramesDoNothing(t *testing.T) {
	everyDialect(t, func(t *testing.T, d dialect.Dialect) {
		for what, spoil := range map[string]func(update []byte) []byte{
			"garbage after it":  func(u []byte) []byte { return append(u, 0xff) },
			"cut":               func(u []byte) []byte { return u[:len(u)-1] },
			"length that lies":  func(u []byte) []byte { return append(u[:len(u)-2], 0xff, 0xff, 0xff, 0x7f, 5) },
			"number too large":  func(u []byte) []byte { return append(u[:len(u)-2], bytes.Repeat([]byte{0xff}, 12)...) },
			"unknown message":   func(u []byte) []byte { return append(u[:len(u)-4], 0x7f, 0) },
			"unknown sync":      func(u []byte) []byte { u[len(u)-3] = 9; return u },
			"bad state vector":  func(u []byte) []byte { return append(u[:len(u)-4], 0, 0, 2, 1, 5) },
			"half an awareness": func(u []byte) []byte { return append(u[:len(u)-4], 1, 3, 1, 42, 1) },
		} {
			t.Run(what, func(t *testing.T) {
				w := newWorld(t, nil)
				s := w.enter(d)
				s.sendBytes(spoil(s.frame(dialect.Update, 5)))
				s.wantClosed(4400, "")
				if n := w.count(isRoomUpdate); n != 0 {
					t.Errorf("rooms was given %d updates", n)
				}
			})
		}
	})
}

func TestTextAndTooMuchEndAnySocket(t *testing.T) {
	everyDialect(t, func(t *testing.T, d dialect.Dialect) {
		w := newWorld(t, func(c *edge.Config) { c.Limits.Frame = 1 << 10 })
		s := w.enter(d)
		if err := s.conn.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		s.wantClosed(1003, "")
		s = w.enter(d)
		s.say(dialect.Update, make([]byte, 1<<10)...)
		s.wantClosed(4413, "")
		if n := w.count(isRoomUpdate); n != 0 {
			t.Errorf("rooms was given %d updates", n)
		}
	})
}

// What a room refuses is told in the dialect's own way: each update by itself
// where updates are answered, the access where there is a word for it, and by
// the socket's end elsewhere.
func TestRefusalsAreToldInTheDialectsWay(t *testing.T) {
	everyDialect(t, func(t *testing.T, d dialect.Dialect) {
		for refusal, code := range map[roomsv1.Refusal]int{
			roomsv1.Refusal_REFUSAL_READ_ONLY: 4403,
			roomsv1.Refusal_REFUSAL_MALFORMED: 4400,
			roomsv1.Refusal_REFUSAL_TOO_LARGE: 4413,
		} {
			t.Run(strings.ToLower(refusal.String()), func(t *testing.T) {
				w := newWorld(t, nil)
				s, other := w.enter(d), w.sync("doc")
				w.rooms.SetHook(func(l *roomstest.Link, f *roomsv1.EdgeFrame) bool {
					if f.GetUpdate() == nil {
						return false
					}
					l.Send(&roomsv1.RoomFrame{Attachment: f.GetAttachment(), Session: f.GetSession(), Body: &roomsv1.RoomFrame_Result{
						Result: &roomsv1.UpdateResult{Ticket: f.GetUpdate().GetTicket(), Refusal: refusal, Message: "because"},
					}})
					return true
				})
				s.say(dialect.Update, 5)
				switch traits := d.Traits(); {
				case traits.Acks:
					s.hears(dialect.Message{Kind: dialect.Refused})
					s.fence(1)
				case traits.TellsAccess && refusal == roomsv1.Refusal_REFUSAL_READ_ONLY:
					// It has a token for writing, and is told so.
					s.hears(dialect.Message{Kind: dialect.ReadWrite})
					s.fence(1)
				default:
					s.wantClosed(code, "because")
					return
				}
				other.next() // the presence, and no update before it
			})
		}
	})
}

// What only servers say, said by a client, reaches neither the room nor the others:
// it ends the socket, or the one document, or means nothing.
func TestWordsOfServersReachNobody(t *testing.T) {
	const endsSocket, endsDocument, nothing = 4400, 0, -1
	unknown := map[string]int{"04 00 01 00": endsSocket, "06 02 68 69": endsSocket, "08 01": endsSocket, "09": endsSocket, "0a": endsSocket}
	denial := map[string]int{"02 00 02 6e 6f": nothing} // y-protocols has it, and either side may say it
	words := map[string]map[string]int{
		"y-websocket": denial,
		"y-sweet":     denial,
		"elva":        {"02 00 02 6e 6f": endsSocket},
		"hocuspocus": {
			"02 01 02 6e 6f":                         endsSocket,   // denied
			"02 02 0a 72 65 61 64 2d 77 72 69 74 65": endsSocket,   // authenticated, "read-write"
			"04 00 01 00":                            endsDocument, // a sync reply
			"06 02 68 69":                            endsDocument, // a broadcast of stateless
		},
	}
	everyDialect(t, func(t *testing.T, d dialect.Dialect) {
		outcomes := maps.Clone(unknown)
		maps.Copy(outcomes, words[d.Name()])
		for word, outcome := range outcomes {
			t.Run(word, func(t *testing.T) {
				w := newWorld(t, nil)
				s, other := w.enter(d), w.sync("doc")
				frame := dialecttest.Bytes(t, word)
				if d.Traits().Addressed {
					frame = append(dialecttest.Bytes(t, name("doc")), frame...)
				}
				s.sendBytes(frame)
				switch outcome {
				case nothing:
					s.fence(1)
					other.next() // the presence, and nothing before it
				case endsDocument:
					if got := s.next(); !strings.HasPrefix(got, strings.ReplaceAll(name("doc"), " ", "")+"0201") {
						t.Errorf("%s, want denied", got)
					}
				default:
					s.wantClosed(outcome, "")
				}
				other.send("01 06 01 07 01 02 7b 7d")
				other.want("01 06 01 07 01 02 7b 7d")
				if n := w.count(isRoomUpdate); n != 0 {
					t.Errorf("rooms was given %d updates", n)
				}
			})
		}
	})
}
