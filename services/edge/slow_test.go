package edge_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge"
)

// The frames of a room come in order and whole, however they are joined.
func TestManyFramesInOrder(t *testing.T) {
	for name, start := range map[string]func(testing.TB, func(*edge.Config)) *world{"pipe": newWorld, "tcp": newTCPWorld} {
		t.Run(name, func(t *testing.T) {
			w := start(t, nil)
			peers := []*peer{w.sync("doc"), w.sync("doc"), w.sync("doc")}
			const n = 2000
			for i := range n {
				w.rooms.Append("doc", bytes.Repeat([]byte{byte(i)}, 1+i%300))
			}
			for _, p := range peers {
				for i := range n {
					size := 1 + i%300
					head := fmt.Sprintf("0002%02x", size)
					if size > 127 {
						head = fmt.Sprintf("0002%02x%02x", size&0x7f|0x80, size>>7)
					}
					if got, want := p.next(), head+fmt.Sprintf("%x", bytes.Repeat([]byte{byte(i)}, size)); got != want {
						t.Fatalf("frame %d: %s, want %s", i, got, want)
					}
				}
			}
		})
	}
}

// A client that doesn't read is closed as too slow, and its neighbours notice
// nothing.
func TestSlowClientIsClosed(t *testing.T) {
	l := limitedBy(t, newTCPWorld, "max-queued-burst", 1<<20, func(c *edge.Config) { c.Limits.Outbox = 64 << 10 })
	slow, good := l.sync("doc"), l.sync("doc")
	update := bytes.Repeat([]byte{7}, 32<<10)
	// Until the outbox and all of the kernel's buffers are full, and no longer: who
	// doesn't read for 5 s then is cut off, and hears no reason.
	for sent := 0; l.reached("max-queued-burst")+l.reached("max-queued") == 0; sent += len(update) {
		if sent >= 24<<20 {
			t.Fatal("24 MiB wait for a client that reads nothing")
		}
		l.rooms.Append("doc", update)
		good.next()
	}
	// What was written before arrives, and then the reason.
	slow.wantClosed(1013, "slow, come back")
	l.until("leave", func(f *roomsv1.EdgeFrame) bool { return f.GetLeave() != nil })
	l.rooms.Append("doc", []byte{5})
	good.want("00 02 01 05")
}

// One frame of any size goes into an empty outbox.
func TestLargeStep2FitsAnEmptyOutbox(t *testing.T) {
	w := newTCPWorld(t, func(c *edge.Config) { c.Limits.Outbox = 1 << 10 })
	document := bytes.Repeat([]byte{9}, 20<<20)
	w.rooms.Append("doc", document)
	p := w.join("doc")
	p.send("00 00 01 00")
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	_, frame, err := p.conn.ReadMessage()
	if err != nil || !bytes.HasSuffix(frame, document) || len(frame) != len(document)+6 {
		t.Fatalf("%d bytes, %v; want the document in one frame", len(frame), err)
	}
}

// Rooms that can't take more makes sockets wait, not memory grow.
func TestBackPressureReachesTheSocket(t *testing.T) {
	w := newTCPWorld(t, func(c *edge.Config) { c.Limits.Link = 64 << 10 })
	p := w.sync("doc")
	w.rooms.SetDown(true)
	w.ready(false)
	update := append([]byte{0, 2, 0x80, 0x80, 4}, make([]byte, 64<<10)...)
	sent := 0
	for ; sent < 64<<20; sent += len(update) {
		_ = p.conn.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
		if err := p.conn.WriteMessage(websocket.BinaryMessage, update); err != nil {
			break
		}
	}
	if sent >= 64<<20 {
		t.Error("an edge without a link took 64 MiB")
	}
}

// A flood of pings is answered without growing anything.
func TestPingFlood(t *testing.T) {
	w := newTCPWorld(t, nil)
	p := w.sync("doc")
	for range 10_000 {
		if err := p.conn.WriteControl(websocket.PingMessage, []byte("x"), time.Now().Add(patience)); err != nil {
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				t.Fatal(closed)
			}
			t.Fatal(err)
		}
	}
	p.send("00 02 01 05")
	p.want("00 02 01 05")
}
