package typist

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/lib0"
	"github.com/fjord-sync/fjord/yjs/protocol"
)

const (
	messageSync      = 0
	messageAwareness = 1
	messageQuery     = 3

	dialTimeout  = 10 * time.Second
	writeTimeout = 15 * time.Second
	// firstPause and lastPause are the npm client's: 100 ms, doubled up to 2.5 s.
	firstPause = 100 * time.Millisecond
	lastPause  = 2500 * time.Millisecond
	// silence is what the npm client bears before it gives a connection up.
	silence = 30 * time.Second
)

// Said is one update of a typist.
type Said struct {
	N       int
	Bytes   []byte
	Insert  bool
	Clock   uint64 // an insert's: the first clock after it
	At      time.Time
	Online  bool      // it was sent at once
	EchoAt  time.Time // zero until the server has shown it
	Replied string    // by what: echo, step 2, step 1
}

// Config says who a Typist is. All but OnEcho is required.
type Config struct {
	URL    string // ws://HOST:PORT, without the room
	Room   string
	Client uint64 // its Yjs client id: nobody else's in its room
	// OnEcho is called in the order of echoes, by the reader; it mustn't call back.
	OnEcho func(*Said)
}

// Typist is a client that stays connected until Close. Type is for one goroutine
// at a time, everything else for any.
type Typist struct {
	Config
	cancel context.CancelFunc
	ended  chan struct{}

	mu       sync.Mutex // guards the rest
	conn     *websocket.Conn
	document *yjs.Document // what the npm client's Y.Doc would hold
	seen     *yjs.Document // what came from the server
	said     []*Said
	open     []*Said // those that aren't shown yet
	clock    uint64
	deleted  int // markers deleted so far
	dials    int
	synced   int         // step 2s that came
	closes   map[int]int // close codes of ended connections, 0 for none
	news     chan struct{}
	wrong    error // the server said something that no server should

	write sync.Mutex // one writer at a time; taken without mu
}

// Open starts a Typist. It doesn't wait for the connection.
func Open(cfg Config) *Typist {
	ctx, cancel := context.WithCancel(context.Background())
	t := &Typist{
		Config: cfg, cancel: cancel, ended: make(chan struct{}),
		document: yjs.NewDocument(), seen: yjs.NewDocument(),
		closes: make(map[int]int), news: make(chan struct{}),
	}
	go t.live(ctx)
	return t
}

// Close ends the connection and waits for the reader.
func (t *Typist) Close() {
	t.cancel()
	t.mu.Lock()
	if t.conn != nil {
		_ = t.conn.Close()
	}
	t.mu.Unlock()
	<-t.ended
}

// live dials and listens until ctx ends.
func (t *Typist) live(ctx context.Context) {
	defer close(t.ended)
	pause := firstPause
	for ctx.Err() == nil {
		synced, err := t.session(ctx)
		t.lost(err)
		if synced {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause = min(2*pause, lastPause)
	}
}

func (t *Typist) lost(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conn = nil
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &closed):
		t.closes[closed.Code]++
		if closed.Code >= 4400 && closed.Code < 4500 && t.wrong == nil {
			t.wrong = fmt.Errorf("client %d in %s was thrown out: %w", t.Client, t.Room, closed)
		}
	case err != nil:
		t.closes[0]++
	}
	t.tellLocked()
}

// session is one connection, from the dial to its end.
func (t *Typist) session(ctx context.Context) (synced bool, err error) {
	dialer := websocket.Dialer{HandshakeTimeout: dialTimeout}
	conn, response, err := dialer.DialContext(ctx, t.URL+"/"+t.Room, http.Header{})
	if response != nil {
		_ = response.Body.Close()
	}
	if err != nil {
		return false, err
	}
	defer conn.Close()
	t.mu.Lock()
	t.dials++
	t.conn = conn
	vector := t.document.StateVector()
	t.mu.Unlock()
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err := t.send(conn, protocol.AppendSync([]byte{messageSync}, protocol.SyncStep1, vector)); err != nil {
		return false, err
	}
	for {
		_ = conn.SetReadDeadline(time.Now().Add(silence))
		kind, frame, err := conn.ReadMessage()
		if err != nil {
			return synced, err
		}
		if kind != websocket.BinaryMessage {
			return synced, fmt.Errorf("a frame of kind %d, want binary", kind)
		}
		if err := t.hear(conn, frame); err != nil {
			t.mu.Lock()
			t.wrong = errors.Join(t.wrong, fmt.Errorf("client %d in %s: %w", t.Client, t.Room, err))
			t.mu.Unlock()
			return synced, err
		}
		synced = true
	}
}

func (t *Typist) send(conn *websocket.Conn, frame []byte) error {
	t.write.Lock()
	defer t.write.Unlock()
	_ = conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	return conn.WriteMessage(websocket.BinaryMessage, frame)
}

// hear takes one frame in.
func (t *Typist) hear(conn *websocket.Conn, frame []byte) error {
	kind, rest, err := lib0.VarUint(frame)
	if err != nil {
		return err
	}
	switch kind {
	case messageAwareness, messageQuery:
		return nil
	case messageSync:
	default:
		return fmt.Errorf("message of kind %d", kind)
	}
	sync, body, rest, err := protocol.ReadSync(rest)
	if err != nil || len(rest) > 0 {
		return fmt.Errorf("sync message, %d bytes left over: %w", len(rest), err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch sync {
	case protocol.SyncStep1:
		answer, err := t.document.EncodeStateAsUpdate(body)
		if err != nil {
			return fmt.Errorf("the server's state vector: %w", err)
		}
		t.shownVector(body)
		t.tellLocked()
		t.mu.Unlock()
		err = t.send(conn, protocol.AppendSync([]byte{messageSync}, protocol.SyncStep2, answer))
		t.mu.Lock()
		if err != nil {
			_ = conn.Close() // the reader finds out
		}
		return nil
	default:
		if err := errors.Join(t.document.Load(body), t.seen.Load(body)); err != nil {
			return fmt.Errorf("the server's update: %w", err)
		}
		if sync == protocol.SyncStep2 {
			t.synced++
		}
		t.shown(sync)
		t.tellLocked()
		return nil
	}
}

// shown looks for own updates in what the server has sent. An echo comes in the
// order of its updates; a step 2 has whatever it has.
func (t *Typist) shown(by protocol.SyncType) {
	if by == protocol.SyncUpdate {
		for len(t.open) > 0 && t.seen.Contains(t.open[0].Bytes) {
			t.echoed(t.open[0], "echo")
			t.open = t.open[1:]
		}
		return
	}
	t.open = slices.DeleteFunc(t.open, func(s *Said) bool {
		if !t.seen.Contains(s.Bytes) {
			return false
		}
		t.echoed(s, "step 2")
		return true
	})
}

// shownVector takes the server's step 1 at its word: it has these clocks, so they
// are saved.
func (t *Typist) shownVector(vector []byte) {
	has := vectorClock(vector, t.Client)
	t.open = slices.DeleteFunc(t.open, func(s *Said) bool {
		if !s.Insert || s.Clock > has {
			return false
		}
		t.echoed(s, "step 1")
		return true
	})
}

func (t *Typist) echoed(s *Said, by string) {
	s.EchoAt, s.Replied = time.Now(), by
	if t.OnEcho != nil {
		t.OnEcho(s)
	}
}

// vectorClock reads one client's clock from a state vector that has been checked.
func vectorClock(vector []byte, client uint64) uint64 {
	n, rest, err := lib0.VarUint(vector)
	for ; err == nil && n > 0; n-- {
		var id, clock uint64
		if id, rest, err = lib0.VarUint(rest); err != nil {
			break
		}
		if clock, rest, err = lib0.VarUint(rest); err == nil && id == client {
			return clock
		}
	}
	return 0
}

// Type makes one edit: text behind the last, and now and then a deletion.
func (t *Typist) Type() *Said {
	t.mu.Lock()
	n := len(t.said)
	s := &Said{N: n, At: time.Now()}
	if n%7 == 6 && uint64(t.deleted+1)*MarkerSize < t.clock {
		s.Bytes = deleteUpdate(t.Client, uint64(t.deleted)*MarkerSize, MarkerSize)
		t.deleted++
	} else {
		s.Bytes = Insert(t.Client, t.clock, Marker(t.Client, n))
		t.clock += MarkerSize
		s.Insert, s.Clock = true, t.clock
	}
	if err := t.document.ApplyUpdate(s.Bytes); err != nil {
		t.wrong = errors.Join(t.wrong, fmt.Errorf("own update %x: %w", s.Bytes, err))
	}
	t.said = append(t.said, s)
	t.open = append(t.open, s)
	conn := t.conn
	s.Online = conn != nil
	t.mu.Unlock()
	if conn != nil && t.send(conn, protocol.AppendSync([]byte{messageSync}, protocol.SyncUpdate, s.Bytes)) != nil {
		_ = conn.Close() // the reader finds out, and the next session sends it again
	}
	return s
}

func (t *Typist) tellLocked() {
	close(t.news)
	t.news = make(chan struct{})
}
