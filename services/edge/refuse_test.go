package edge_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge"
	"github.com/fjord-sync/fjord/services/edge/internal/roomstest"
)

func TestMalformedFramesAreRefused(t *testing.T) {
	for _, test := range []struct{ frame, reason string }{
		{"", "empty frame"},
		{"00", "sync type"},
		{"00 03 01 00", "unknown sync type 3"},
		{"00 00 05 00", "step 1 body"},
		{"00 00 01 00 00 02 7f", "update body"},
		{"00 00 02 00 00", "after the state vector"},
		{"00 00 02 05 01", "clients claimed"},
		{"00 02 ff ff ff ff ff ff ff ff ff 01", "2^53-1"},
		{"01 02 01 01", "claimed"},
		{"01 07 01 2a 07 02 7b 7d 00", "after the last entry"},
		{"01 06 01 2a 07 02 7b", "awareness"},
		{"01 06 01 2a 07 02 ff ff", "UTF-8"},
		{"02 01 00", "auth"},
		{"04", "unknown message type 4"},
		{"80", "message type"},
	} {
		t.Run(test.frame, func(t *testing.T) {
			w := newWorld(t, nil)
			first := w.join("doc")
			first.send(test.frame)
			first.wantClosed(4400, test.reason)
			later := w.sync("doc")
			later.send(test.frame)
			later.wantClosed(4400, test.reason)
			// Nothing of a refused frame reaches the room, not even its
			// well-formed beginning.
			if n := w.count(func(f *roomsv1.EdgeFrame) bool { return f.GetUpdate() != nil || f.GetAwareness() != nil }); n != 0 {
				t.Errorf("rooms saw %d frames of it", n)
			}
		})
	}
}

func TestTextIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	p := w.sync("doc")
	if err := p.conn.WriteMessage(websocket.TextMessage, []byte("00")); err != nil {
		t.Fatal(err)
	}
	p.wantClosed(1003, "send binary")
}

func TestTooLargeFrameIsRefused(t *testing.T) {
	const limit = 100_000
	w := newWorld(t, func(c *edge.Config) { c.Limits.Frame = limit })
	fits := append([]byte{0, 2, 0x9c, 0x8d, 6}, make([]byte, limit-4)...)[:limit]
	// 00 02 varUint(limit-5) and as many bytes: exactly the limit.
	n := limit - 5
	fits[2], fits[3], fits[4] = byte(n)|0x80, byte(n>>7)|0x80, byte(n>>14)
	p := w.sync("doc")
	p.sendBytes(fits)
	_ = p.next()
	p.sendBytes(append(fits, 0))
	p.wantClosed(4413, "larger")
}

func TestRefusalsCloseTheSocket(t *testing.T) {
	for refusal, code := range map[roomsv1.Refusal]int{
		roomsv1.Refusal_REFUSAL_MALFORMED:   4400,
		roomsv1.Refusal_REFUSAL_TOO_LARGE:   4413,
		roomsv1.Refusal_REFUSAL_READ_ONLY:   4403,
		roomsv1.Refusal_REFUSAL_NOT_ALLOWED: 4400,
	} {
		for _, how := range []string{"result", "ended"} {
			t.Run(how+"/"+refusal.String(), func(t *testing.T) {
				w := newWorld(t, nil)
				w.rooms.SetHook(func(l *roomstest.Link, f *roomsv1.EdgeFrame) bool {
					if f.GetUpdate() == nil {
						return false
					}
					answer := &roomsv1.RoomFrame{Attachment: f.GetAttachment(), Session: f.GetSession()}
					if how == "ended" {
						answer.Body = &roomsv1.RoomFrame_Ended{Ended: &roomsv1.Ended{Refusal: refusal, Message: "the reason"}}
					} else {
						answer.Body = &roomsv1.RoomFrame_Result{Result: &roomsv1.UpdateResult{Refusal: refusal, Message: "the reason"}}
					}
					l.Send(answer)
					return true
				})
				bad, good := w.sync("doc"), w.sync("doc")
				bad.send("00 02 01 05")
				bad.wantClosed(code, "the reason")
				good.send("01 06 01 2a 07 02 7b 7d")
				good.want("01 06 01 2a 07 02 7b 7d")
			})
		}
	}
}

// A close frame holds 123 bytes of reason; a longer one is cut between runes.
func TestLongReasonIsCut(t *testing.T) {
	w := newWorld(t, nil)
	p := w.sync("doc")
	w.rooms.Tell("doc", func() *roomsv1.RoomFrame {
		return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Detached{Detached: &roomsv1.Detached{
			Reason: roomsv1.DetachReason_DETACH_REASON_LOAD_FAILED, Message: "x" + strings.Repeat("ö", 100),
		}}}
	})
	code, reason := p.closed()
	if code != 1013 || reason != "x"+strings.Repeat("ö", 61) {
		t.Errorf("closed with %d %q", code, reason)
	}
}

// A client whose frames are refused while it still sends hears why: its unread
// frames don't reset the connection first.
func TestReasonArrivesDespiteUnreadFrames(t *testing.T) {
	w := newTCPWorld(t, nil)
	p := w.sync("doc")
	p.send("ff")
	for range 200 {
		if p.conn.WriteMessage(websocket.BinaryMessage, bytes.Repeat([]byte{0}, 1000)) != nil {
			break
		}
	}
	p.wantClosed(4400, "message type")
}
