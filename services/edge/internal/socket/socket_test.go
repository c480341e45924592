package socket_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/fjord-sync/fjord/services/edge/internal/cork"
	"github.com/fjord-sync/fjord/services/edge/internal/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = time.Minute

// countingConn counts the system calls of the side under test.
type countingConn struct {
	net.Conn
	writes *atomic.Int64
	// hold, while locked, holds writes back.
	hold *sync.Mutex
}

func (c countingConn) Write(p []byte) (int, error) {
	c.hold.Lock()
	defer c.hold.Unlock()
	c.writes.Add(1)
	return c.Conn.Write(p)
}

type countingListener struct {
	net.Listener
	writes *atomic.Int64
	hold   *sync.Mutex
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countingConn{c, l.writes, l.hold}, nil
}

// pair is a Socket and its peer.
type pair struct {
	socket *socket.Socket
	peer   *websocket.Conn
	writes atomic.Int64
	hold   sync.Mutex
	ended  chan struct{}
}

func config(t testing.TB) *socket.Config {
	metrics, err := socket.NewMetrics(prometheus.NewPedanticRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return &socket.Config{
		Inbound:    socket.NewBudget(1 << 30),
		FrameLimit: 1 << 20, OutboxLimit: 1 << 20, OutboxBurst: 16 << 20, OutboxGrace: patience,
		Ping: 20 * time.Second, Pong: 40 * time.Second, Keepalive: 20 * time.Second,
		WriteTimeout: patience, CloseTimeout: patience / 2,
		Metrics: metrics,
	}
}

// newPair connects one over TCP. corks says whether the listener does.
func newPair(t testing.TB, cfg *socket.Config, corks bool, frame func(s *socket.Socket, data []byte)) *pair {
	return connect(t, cfg, corks, false, frame)
}

// connect connects one over TCP, or TLS above it.
func connect(t testing.TB, cfg *socket.Config, corks, secure bool, frame func(s *socket.Socket, data []byte)) *pair {
	t.Helper()
	p := &pair{ended: make(chan struct{})}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var l net.Listener = countingListener{tcp, &p.writes, &p.hold}
	if corks {
		l = cork.Listen(l)
	}
	ready := make(chan *socket.Socket, 1)
	upgrader := websocket.Upgrader{ReadBufferSize: 512, WriteBufferSize: 4096, WriteBufferPool: &sync.Pool{}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		s := socket.New(ws, cfg)
		ready <- s
		s.Run(func(data []byte) {
			if frame != nil {
				frame(s, data)
			}
		})
		close(p.ended)
	}))
	_ = server.Listener.Close()
	server.Listener = l
	dialer := websocket.Dialer{}
	if secure {
		server.StartTLS()
		dialer.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
	} else {
		server.Start()
	}
	p.peer, _, err = dialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	p.socket = <-ready
	t.Cleanup(func() {
		_ = p.peer.Close()
		p.wait(t)
		server.Close()
	})
	return p
}

// wait waits until Run has returned.
func (p *pair) wait(t testing.TB) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatal("Run didn't return")
	}
}

// All that waits is written with one write(2).
func TestOneWriteForAllThatWaits(t *testing.T) {
	for _, test := range []struct{ corks, secure bool }{{true, false}, {true, true}, {false, false}} {
		corks := test.corks
		p := connect(t, config(t), corks, test.secure, nil)
		p.writes.Store(0)
		// The first frame occupies the writer; the others gather behind it.
		p.hold.Lock()
		const n = 500
		for i := range n {
			p.socket.Push([]byte{byte(i), byte(i >> 8), 42})
		}
		p.hold.Unlock()
		for i := range n {
			_ = p.peer.SetReadDeadline(time.Now().Add(patience))
			_, data, err := p.peer.ReadMessage()
			if err != nil || !bytes.Equal(data, []byte{byte(i), byte(i >> 8), 42}) {
				t.Fatalf("frame %d: % x, %v", i, data, err)
			}
		}
		writes := p.writes.Load()
		if corks && writes > 2 {
			t.Errorf("corked: %d writes for %d frames, want at most 2", writes, n)
		}
		if !corks && writes != n {
			t.Errorf("not corked: %d writes for %d frames", writes, n)
		}
	}
}

func TestOverflowDropsWhatWaits(t *testing.T) {
	cfg := config(t)
	cfg.OutboxLimit, cfg.OutboxBurst = 1000, 1000
	p := newPair(t, cfg, true, nil)
	p.hold.Lock()
	for range 50 {
		p.socket.Push(make([]byte, 100))
	}
	select {
	case <-p.socket.Leaving():
	default:
		t.Error("5000 bytes waited and it isn't leaving")
	}
	p.hold.Unlock()
	data := 0
	for {
		_ = p.peer.SetReadDeadline(time.Now().Add(patience))
		_, frame, err := p.peer.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			if closed.Code != 1013 || closed.Text != "slow, come back" {
				t.Errorf("%v", closed)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data += len(frame)
	}
	// The writer takes all that waits, which may be as much as fits.
	if data > cfg.OutboxLimit+100 {
		t.Errorf("%d bytes came before the close frame, want what was being written", data)
	}
}

// The largest frame isn't counted: a step 2 fits, and what follows it.
func TestLargestFrameIsNotCounted(t *testing.T) {
	cfg := config(t)
	cfg.OutboxLimit, cfg.OutboxBurst = 1000, 1000
	p := newPair(t, cfg, true, nil)
	p.hold.Lock()
	p.socket.Push(make([]byte, 500))
	p.socket.Push(make([]byte, 1_000_000))
	p.socket.Push(make([]byte, 400))
	p.hold.Unlock()
	for _, size := range []int{500, 1_000_000, 400} {
		_ = p.peer.SetReadDeadline(time.Now().Add(patience))
		if _, data, err := p.peer.ReadMessage(); err != nil || len(data) != size {
			t.Fatalf("%d bytes, %v; want %d", len(data), err, size)
		}
	}
	// But two of them are.
	p.hold.Lock()
	p.socket.Push(make([]byte, 1))
	p.socket.Push(make([]byte, 1_000_000))
	p.socket.Push(make([]byte, 1_000_000))
	p.socket.Push(make([]byte, 1))
	p.hold.Unlock()
	select {
	case <-p.socket.Leaving():
	case <-time.After(patience):
		t.Error("two documents wait and it isn't leaving")
	}
}

// A reader that waits for something else is told when the connection breaks
// under the writer.
func TestBrokenWriterFreesTheReader(t *testing.T) {
	waiting := make(chan struct{})
	p := newPair(t, config(t), true, func(s *socket.Socket, _ []byte) {
		close(waiting)
		<-s.Leaving()
	})
	if err := p.peer.WriteMessage(websocket.BinaryMessage, []byte("x")); err != nil {
		t.Fatal(err)
	}
	<-waiting
	// A reset, not a polite end.
	_ = p.peer.NetConn().(*net.TCPConn).SetLinger(0)
	_ = p.peer.NetConn().Close()
	for deadline := time.Now().Add(patience); ; {
		p.socket.Push([]byte("anybody there?"))
		select {
		case <-p.ended:
			return
		case <-time.After(time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("the reader still waits")
		}
	}
}

func TestPeerCloseIsAnswered(t *testing.T) {
	for _, code := range []int{1000, 1001, 4000, websocket.CloseNoStatusReceived} {
		p := newPair(t, config(t), true, nil)
		message := websocket.FormatCloseMessage(code, "")
		if err := p.peer.WriteControl(websocket.CloseMessage, message, time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		_ = p.peer.SetReadDeadline(time.Now().Add(patience))
		_, _, err := p.peer.ReadMessage()
		var closed *websocket.CloseError
		if !errors.As(err, &closed) || closed.Code != code {
			t.Errorf("%v, want close %d", err, code)
		}
		p.wait(t)
	}
}

// What was pushed before Close arrives before the close frame.
func TestCloseComesLast(t *testing.T) {
	p := newPair(t, config(t), true, nil)
	for range 100 {
		p.socket.Push([]byte("data"))
	}
	p.socket.Close(1012, "leaving")
	p.socket.Push([]byte("too late"))
	p.socket.Close(4400, "only the first counts")
	for i := range 101 {
		_ = p.peer.SetReadDeadline(time.Now().Add(patience))
		_, data, err := p.peer.ReadMessage()
		if i < 100 && (err != nil || string(data) != "data") {
			t.Fatalf("frame %d: %q, %v", i, data, err)
		}
		if i == 100 && !websocket.IsCloseError(err, 1012) {
			t.Errorf("%q, %v; want close 1012", data, err)
		}
	}
	p.wait(t)
}

// Who never answers a close frame is waited for only so long.
func TestCloseDoesNotWaitForEver(t *testing.T) {
	cfg := config(t)
	cfg.CloseTimeout = 50 * time.Millisecond
	p := newPair(t, cfg, true, nil)
	p.socket.Close(1012, "leaving")
	p.wait(t)
}

func TestFramesOfAnySize(t *testing.T) {
	got := make(chan []byte, 1)
	p := newPair(t, config(t), true, func(_ *socket.Socket, data []byte) { got <- bytes.Clone(data) })
	for _, size := range []int{0, 1, 125, 126, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, 1<<20 - 1, 1 << 20} {
		want := bytes.Repeat([]byte{byte(size), 3}, size)[:size]
		if err := p.peer.WriteMessage(websocket.BinaryMessage, want); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		select {
		case data := <-got:
			if !bytes.Equal(data, want) {
				t.Errorf("%d bytes came as %d", size, len(data))
			}
		case <-ctx.Done():
			t.Fatalf("%d bytes didn't come", size)
		}
		cancel()
	}
	if err := p.peer.WriteMessage(websocket.BinaryMessage, make([]byte, 1<<20+1)); err != nil {
		t.Fatal(err)
	}
	_ = p.peer.SetReadDeadline(time.Now().Add(patience))
	if _, _, err := p.peer.ReadMessage(); !websocket.IsCloseError(err, 4413) {
		t.Errorf("%v, want close 4413", err)
	}
}

// All sockets together hold only so much of frames that never end.
func TestInboundBudget(t *testing.T) {
	cfg := config(t)
	cfg.Inbound = socket.NewBudget(100 << 10)
	got := make(chan int, 1)
	a := newPair(t, cfg, true, func(_ *socket.Socket, data []byte) { got <- len(data) })
	b := newPair(t, cfg, true, func(_ *socket.Socket, data []byte) { got <- len(data) })
	// 60 KiB take 4+8+16+32 KiB of the budget, twice is too much.
	frame := make([]byte, 60<<10)
	writer, err := a.peer.NextWriter(websocket.BinaryMessage)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Write(frame); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); cfg.Inbound.Left() > 50<<10; {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes of the budget are left", cfg.Inbound.Left())
		}
		time.Sleep(time.Millisecond)
	}
	if err := b.peer.WriteMessage(websocket.BinaryMessage, frame); err != nil {
		t.Fatal(err)
	}
	_ = b.peer.SetReadDeadline(time.Now().Add(patience))
	if _, _, err := b.peer.ReadMessage(); !websocket.IsCloseError(err, 1013) {
		t.Errorf("%v, want close 1013", err)
	}
	// The first one ends well, and gives back what it held.
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if n := <-got; n != len(frame) {
		t.Errorf("%d bytes came, want %d", n, len(frame))
	}
	_ = a.peer.Close()
	a.wait(t)
	if left := cfg.Inbound.Left(); left != 100<<10 {
		t.Errorf("%d bytes are left, want all", left)
	}
}

// A burst above the limit is nobody's fault; it is written, and forgotten.
func TestBurstIsTaken(t *testing.T) {
	cfg := config(t)
	cfg.OutboxLimit = 1000
	p := newPair(t, cfg, true, nil)
	for range 2 {
		p.hold.Lock()
		for range 50 {
			p.socket.Push(make([]byte, 100_000))
		}
		p.hold.Unlock()
		for i := range 50 {
			_ = p.peer.SetReadDeadline(time.Now().Add(patience))
			if _, data, err := p.peer.ReadMessage(); err != nil || len(data) != 100_000 {
				t.Fatalf("frame %d: %d bytes, %v", i, len(data), err)
			}
		}
	}
	select {
	case <-p.socket.Leaving():
		t.Error("a client that reads was closed")
	default:
	}
}

// Who takes nothing of it for the grace is slow, however little too much it is.
func TestFullForTheGraceOverflows(t *testing.T) {
	cfg := config(t)
	cfg.OutboxLimit, cfg.OutboxGrace = 1000, time.Millisecond
	p := newPair(t, cfg, true, nil)
	p.hold.Lock()
	defer p.hold.Unlock()
	deadline := time.Now().Add(patience)
	for range 30 {
		p.socket.Push(make([]byte, 100))
	}
	for {
		p.socket.Push([]byte("x"))
		select {
		case <-p.socket.Leaving():
			return
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("waited in vain for an overflow")
		}
	}
}

// A connection that ends between two frames is a broken one too.
func TestEndWithoutACloseFrame(t *testing.T) {
	p := newPair(t, config(t), true, nil)
	_ = p.peer.NetConn().Close()
	select {
	case <-p.socket.Leaving():
	case <-time.After(patience):
		t.Fatal("nobody is told that the connection broke")
	}
	<-p.ended
	if code := p.socket.Closed(); code != websocket.CloseAbnormalClosure {
		t.Errorf("closed with %d, want 1006", code)
	}
}
