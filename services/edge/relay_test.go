package edge_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

func newRelay(t *testing.T) *world {
	w := newWorld(t, nil)
	w.rooms.SetKind(func(room string) roomsv1.RoomKind {
		if strings.HasPrefix(room, "relay") {
			return roomsv1.RoomKind_ROOM_KIND_RELAY
		}
		return roomsv1.RoomKind_ROOM_KIND_DURABLE
	})
	return w
}

func isJoin(f *roomsv1.EdgeFrame) bool { return f.GetJoin() != nil }

// waitJoined waits until n sessions have joined.
func (w *world) waitJoined(n int) {
	w.t.Helper()
	seen := map[uint64]bool{}
	w.until("join", func(f *roomsv1.EdgeFrame) bool {
		if isJoin(f) {
			seen[f.GetSession()] = true
		}
		return len(seen) >= n
	})
}

func TestRelayPassesAnyBytesToTheOthers(t *testing.T) {
	w := newRelay(t)
	a, b, c := w.join("relay-1"), w.join("relay-1"), w.join("relay-1")
	// None has said anything: a listener may never do.
	w.waitJoined(3)
	for _, frame := range []string{"ff ff ff", "00", "00 02 80", "", "49 44 03 61 62 63"} {
		a.send(frame)
		b.want(frame)
		c.want(frame)
	}
	b.send("dead")
	a.want("dead") // and not a frame of its own before
}

func TestRelayRefusesText(t *testing.T) {
	w := newRelay(t)
	p := w.join("relay-1")
	if err := p.conn.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	p.wantClosed(1003, "binary")
}

// What was lost on a relay's way can't be asked for again.
func TestRelayEndsWithItsLink(t *testing.T) {
	w := newRelay(t)
	p := w.join("relay-1")
	w.waitJoined(1)
	w.rooms.Break()
	p.wantClosed(1012, "begin anew")
}

func TestRelayKeepaliveOnlyForYWebsocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newRelay(t)
		yjs, other, silent := w.join("relay-1"), w.join("relay-1"), w.join("relay-1")
		w.waitJoined(3)
		yjs.send("00 00 01 00")
		other.want("00 00 01 00")
		silent.want("00 00 01 00")
		other.send("fe fe")
		yjs.want("fe fe")
		silent.want("fe fe")
		start := time.Now()
		yjs.wantNextWithin(21*time.Second, "01 01 00")
		if waited := time.Since(start); waited < 19*time.Second {
			t.Errorf("keepalive after %s, want it after 20s of silence", waited)
		}
		ends := make(chan error, 2)
		for _, p := range []*peer{other, silent} {
			go func() { ends <- p.nothingFor(time.Minute) }()
		}
		for range 2 {
			if err := <-ends; err != nil {
				t.Error(err)
			}
		}
	})
}
