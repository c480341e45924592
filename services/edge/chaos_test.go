package edge_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/ywebsocket"
)

// typist is a client whose document is a set of numbers: an update is any count
// of them, eight bytes each. It answers step 1 with all that it has, as a Yjs
// client answers with what the other lacks.
type typist struct {
	conn *websocket.Conn

	mu   sync.Mutex // guards following
	has  map[uint64]bool
	mine []uint64
}

var yws ywebsocket.Dialect

// say sends a message. The caller holds mu.
func (y *typist) say(kind dialect.Kind, numbers ...uint64) error {
	var body []byte
	for _, n := range numbers {
		body = binary.BigEndian.AppendUint64(body, n)
	}
	if kind == dialect.Step1 {
		body = []byte{0}
	}
	return y.conn.WriteMessage(websocket.BinaryMessage, yws.Append(nil, dialect.Message{Kind: kind, Body: body}))
}

// listen reads until the connection ends.
func (y *typist) listen() error {
	for {
		_, frame, err := y.conn.ReadMessage()
		if err != nil {
			return err
		}
		messages, err := yws.Decode(nil, frame)
		if err != nil {
			return fmt.Errorf("% x: %w", frame, err)
		}
		for _, m := range messages {
			if err := y.hear(m); err != nil {
				return err
			}
		}
	}
}

func (y *typist) hear(m dialect.Message) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	switch m.Kind {
	case dialect.Step1:
		return y.say(dialect.Step2, y.mine...)
	case dialect.Step2, dialect.Update:
		for body := m.Body; len(body) >= 8; body = body[8:] {
			y.has[binary.BigEndian.Uint64(body)] = true
		}
	}
	return nil
}

func (y *typist) count() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return len(y.has)
}

// Typists type while their link breaks again and again. No socket closes, and
// in the end everybody has everything.
func TestChaos(t *testing.T) {
	w := newWorld(t, nil)
	const rooms, typists, strokes = 3, 4, 100
	everyone := make([]*typist, 0, rooms*typists)
	var listening, typing sync.WaitGroup
	var over atomic.Bool // what comes now is our own closing
	for r := range rooms {
		for range typists {
			conn, _, err := w.dial(request{path: fmt.Sprintf("/room-%d", r)})
			if err != nil {
				t.Fatal(err)
			}
			y := &typist{conn: conn, has: map[uint64]bool{}}
			everyone = append(everyone, y)
			if err := y.say(dialect.Step1); err != nil {
				t.Fatal(err)
			}
			listening.Go(func() {
				var closed *websocket.CloseError
				if err := y.listen(); errors.As(err, &closed) && !over.Load() {
					t.Errorf("a socket was closed: %v", closed)
				}
			})
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var breaking sync.WaitGroup
	breaking.Go(func() {
		// Not for as long as they type: on a slow machine no link would stand long enough
		// for a room to be joined, and after 5 s sockets are told to come back.
		for n := 0; n < 20 && ctx.Err() == nil; n++ {
			time.Sleep(time.Duration(20+rand.IntN(60)) * time.Millisecond)
			w.rooms.Break()
		}
	})
	for i, y := range everyone {
		typing.Go(func() {
			for n := range uint64(strokes) {
				time.Sleep(time.Duration(rand.IntN(15)) * time.Millisecond)
				y.mu.Lock()
				y.mine = append(y.mine, uint64(i)<<32|n)
				err := y.say(dialect.Update, uint64(i)<<32|n)
				y.mu.Unlock()
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	typing.Wait()
	cancel()
	breaking.Wait()
	w.ready(true)
	for i, y := range everyone {
		w.eventually(fmt.Sprintf("typist %d has everything", i), func() bool { return y.count() == typists*strokes })
	}
	over.Store(true)
	for _, y := range everyone {
		_ = y.conn.Close()
	}
	listening.Wait()
}

// Clients come and go while their link breaks, and leave nothing behind.
func TestComingAndGoing(t *testing.T) {
	w := newWorld(t, nil)
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	all.Go(func() {
		for n := 0; n < 40 && ctx.Err() == nil; n++ {
			time.Sleep(time.Duration(5+rand.IntN(30)) * time.Millisecond)
			w.rooms.Break()
		}
	})
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			for range 30 {
				conn, _, err := w.dial(request{path: fmt.Sprintf("/room-%d", i%3)})
				if err != nil {
					t.Error(err)
					return
				}
				y := &typist{conn: conn, has: map[uint64]bool{}}
				_ = y.say(dialect.Step1)
				time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
				_ = conn.Close()
			}
		})
	}
	clients.Wait()
	cancel()
	all.Wait()
	w.ready(true)
	p := w.sync("room-0")
	p.send("00 02 01 05")
	p.want("00 02 01 05")
	if err := w.edge.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}
