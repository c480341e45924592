package edge_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/pipe"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/edge"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
	"github.com/fjord-sync/fjord/services/edge/internal/roomstest"
)

func TestMain(m *testing.M) {
	// net/http waits half a second before it closes on who sent too much.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// patience is how long a test waits for what must come.
const patience = time.Minute

// world is an edge between a stand-in for rooms and websocket clients.
type world struct {
	t     testing.TB
	rooms *roomstest.Server
	edge  *edge.Edge
	front serve.DialFunc // to the edge
}

// newWorld starts one. All its connections are in memory, so that it runs in a
// synctest bubble too. change may alter the config.
func newWorld(t testing.TB, change func(*edge.Config)) *world {
	front := pipe.Listen()
	return startWorld(t, front, front.Dial, change)
}

// newLocalWorld starts one in memory whose clients seem to come from this machine.
func newLocalWorld(t testing.TB, change func(*edge.Config)) *world {
	front := pipe.Listen()
	return startWorld(t, localListener{front}, front.Dial, change)
}

type localListener struct{ net.Listener }

func (l localListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return localConn{conn}, err
}

type localConn struct{ net.Conn }

func (localConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// newTCPWorld starts one whose websockets go over TCP, with its real buffers
// and resets.
func newTCPWorld(t testing.TB, change func(*edge.Config)) *world {
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startWorld(t, front, func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", front.Addr().String())
	}, change)
}

func startWorld(t testing.TB, front net.Listener, dial serve.DialFunc, change func(*edge.Config)) *world {
	t.Helper()
	back := pipe.Listen()
	w := &world{t: t, rooms: roomstest.Start(back), front: dial}
	cfg := edge.Config{
		RoomsURLs:  []string{"http://rooms.test"},
		HTTPClient: serve.NewClient(back.Dial),
		Name:       "edge-under-test",
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if w.edge, err = edge.New(cfg); err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: w.edge}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = web.Serve(edge.Listener(front))
	}()
	t.Cleanup(func() {
		w.edge.Close()
		_ = web.Close()
		<-served
		w.rooms.Close()
		for _, breach := range w.rooms.Breaches() {
			t.Errorf("the edge broke the contract: %v", breach)
		}
	})
	return w
}

// request is the upgrade that a test asks for.
type request struct {
	path   string
	header http.Header
}

func (w *world) dial(r request) (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{NetDialContext: w.front, HandshakeTimeout: patience}
	return d.Dial("ws://edge.test"+r.path, r.header)
}

// join opens a websocket into room.
func (w *world) join(room string) *peer {
	w.t.Helper()
	conn, _, err := w.dial(request{path: "/" + room})
	if err != nil {
		w.t.Fatalf("join %s: %v", room, err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return &peer{t: w.t, conn: conn}
}

// sync opens a websocket into room and goes through the handshake.
func (w *world) sync(room string) *peer {
	w.t.Helper()
	p := w.join(room)
	p.send("00 00 01 00")
	p.next() // step 2
	p.next() // step 1
	return p
}

// until waits until the rooms stand-in has seen a frame that pick likes, and
// returns it.
func (w *world) until(what string, pick func(*roomsv1.EdgeFrame) bool) *roomsv1.EdgeFrame {
	w.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		frames, news := w.rooms.Frames()
		for _, f := range frames {
			if pick(f) {
				return f
			}
		}
		select {
		case <-news:
		case <-late.C:
			w.t.Fatalf("rooms saw no %s; it saw %v", what, frames)
		}
	}
}

// count returns how many frames that pick likes rooms has seen.
func (w *world) count(pick func(*roomsv1.EdgeFrame) bool) int {
	frames, _ := w.rooms.Frames()
	n := 0
	for _, f := range frames {
		if pick(f) {
			n++
		}
	}
	return n
}

// ready waits until the edge is linked, or until it isn't.
func (w *world) ready(want bool) {
	w.t.Helper()
	w.eventually("readiness changes", func() bool { return (w.edge.Ready() == nil) == want })
}

// eventually waits until something that tells nobody has happened.
func (w *world) eventually(what string, happened func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for !happened() {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// peer is a websocket client.
type peer struct {
	t    testing.TB
	conn *websocket.Conn
}

// send sends one frame, given in hex with spaces at will.
func (p *peer) send(frame string) {
	p.t.Helper()
	p.sendBytes(dialecttest.Bytes(p.t, frame))
}

func (p *peer) sendBytes(frame []byte) {
	p.t.Helper()
	if err := p.conn.WriteMessage(websocket.BinaryMessage, frame); err != nil {
		p.t.Fatalf("send % x: %v", frame, err)
	}
}

// next returns the next frame in hex.
func (p *peer) next() string {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	kind, data, err := p.conn.ReadMessage()
	if err != nil {
		p.t.Fatalf("next frame: %v", err)
	}
	if kind != websocket.BinaryMessage {
		p.t.Fatalf("a frame of type %d came: want binary", kind)
	}
	return hex.EncodeToString(data)
}

// want reads as many frames as are given and compares them.
func (p *peer) want(frames ...string) {
	p.t.Helper()
	for i, f := range frames {
		f = strings.ReplaceAll(f, " ", "")
		if got := p.next(); got != f {
			p.t.Fatalf("frame %d of %d: %s, want %s", i+1, len(frames), got, f)
		}
	}
}

// wantNextWithin is want for one frame and a time, answering pings meanwhile.
func (p *peer) wantNextWithin(d time.Duration, frame string) {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(d))
	_, data, err := p.conn.ReadMessage()
	if err != nil {
		p.t.Fatalf("no frame within %s: %v", d, err)
	}
	if want := dialecttest.Bytes(p.t, frame); string(data) != string(want) {
		p.t.Fatalf("% x came, want % x", data, want)
	}
}

// wantNothingFor answers pings for a while and fails if anything else comes.
// The connection is of no use afterwards.
func (p *peer) wantNothingFor(d time.Duration) {
	p.t.Helper()
	if err := p.nothingFor(d); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) nothingFor(d time.Duration) error {
	_ = p.conn.SetReadDeadline(time.Now().Add(d))
	_, data, err := p.conn.ReadMessage()
	var timeout net.Error
	if err == nil || !errors.As(err, &timeout) || !timeout.Timeout() {
		return fmt.Errorf("% x, %w came, want nothing for %s", data, err, d)
	}
	return nil
}

// closed reads until the socket is closed and returns code and reason.
func (p *peer) closed() (int, string) {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		_, _, err := p.conn.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			return closed.Code, closed.Text
		}
		if err != nil {
			p.t.Fatalf("connection ended without a close frame: %v", err)
		}
	}
}

// wantClosed reads until the socket is closed and checks the code.
func (p *peer) wantClosed(code int, reason string) {
	p.t.Helper()
	got, text := p.closed()
	if got != code || !strings.Contains(text, reason) {
		p.t.Fatalf("closed with %d %q, want %d %q", got, text, code, reason)
	}
}

// get asks for a page over the same listener.
func (w *world) get(method, path string, header http.Header) *http.Response {
	w.t.Helper()
	client := &http.Client{Transport: &http.Transport{
		DialContext:       w.front,
		DisableKeepAlives: true,
	}}
	r, err := http.NewRequest(method, "http://edge.test"+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header = header
	response, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = response.Body.Close() })
	return response
}
