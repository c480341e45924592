package edge

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/spoken"
	"github.com/fjord-sync/fjord/services/edge/internal/gate"
	"github.com/fjord-sync/fjord/services/edge/internal/link"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
	"github.com/fjord-sync/fjord/services/edge/internal/socket"
)

var errNoDialect = errors.New("this is no client's first frame")

// client is one socket and the sessions on it: one in the room of its URL, or
// any number in documents that its messages name. run is its reader goroutine.
type client struct {
	edge   *Edge
	socket *socket.Socket
	way    spoken.Way
	pass   pass
	ticket *gate.Ticket // set by upgraded
	expiry expiry

	// Owned by run.
	spoken  bool            // the first frame has come
	dialect dialect.Dialect // nil until the client has spoken one
	guessed bool            // dialect is what its frames look like, nobody named it
	decoded []dialect.Message
	// own is the session in the URL's room; nil if messages name their documents.
	own *attendee
	// documents are those by address, nil unless the dialect is Addressed.
	documents map[string]*document
	// ctx ends with the socket; nil unless documents is set.
	ctx context.Context

	// waiters are goroutines of documents that are being opened, and the one
	// that ends ctx.
	waiters sync.WaitGroup
	// admitted is closed when the first document has let the client in.
	admitted chan struct{}
	admit    sync.Once
	// held is what waits for documents to open, in bytes and messages.
	heldBytes, heldMessages atomic.Int64
}

func newClient(e *Edge, ws *websocket.Conn, w spoken.Way, p pass) *client {
	return &client{edge: e, socket: socket.New(ws, e.socketConf), way: w, pass: p, dialect: w.Dialect, guessed: w.Dialect == nil}
}

// closing reports whether the client's socket is on its way out.
func (c *client) closing() bool {
	select {
	case <-c.socket.Leaving():
		return true
	default:
		return false
	}
}

// run is the client's life. The URL's room is attached before the first frame is
// read: what a frame means depends on what kind of room it is, and until then
// frames wait where they take nothing from us, in the connection.
func (c *client) run() {
	defer c.edge.gone(c)
	defer c.log()
	defer func() {
		if p := recover(); p != nil { // outside of any frame
			c.panicked("socket", p)
			c.socket.Run(func([]byte) {})
		}
	}()
	defer c.expire()()
	defer c.leave()
	if c.way.Addressed() {
		defer c.carry()()
		c.socket.Run(func(data []byte) {
			defer c.caught()
			c.frame(data)
		})
		return
	}
	own := &attendee{client: c, room: c.way.Room, stop: c.socket.Leaving()}
	if why := own.open(); why != nil {
		own.End(why)
		c.socket.Run(func([]byte) {})
		return
	}
	c.own = own
	defer c.edge.recheck(func(ctx context.Context) error { return c.askAgain(ctx, own) }, c.lost)()
	spoke := func() bool { return true }
	if own.member.Kind() == roomsv1.RoomKind_ROOM_KIND_RELAY {
		// A relay's listener may never say anything.
		own.join(nil, c.pass.grants)
	} else {
		spoke = c.expectSpeech()
		defer spoke()
	}
	end := func() {}
	defer func() { end() }()
	c.socket.Run(func(data []byte) {
		defer c.caught()
		if !c.spoken {
			spoke()
		}
		if !c.spoken && !c.own.joined() && c.documentsOpen(data) {
			c.own.member.Leave()
			c.own = nil
			end = c.carry()
		}
		c.frame(data)
	})
}

// caught ends the socket if a frame of its own, or the opening of a document,
// panicked. Deferred, it costs nothing that a benchmark shows.
func (c *client) caught() {
	if p := recover(); p != nil {
		c.panicked("socket", p)
	}
}

func (c *client) panicked(where string, p any) {
	c.edge.rescuer.Caught(where, p, func() {
		c.socket.Close(session.CloseInternal, "internal error, come back")
	})
}

// expectSpeech closes the socket if the function that it returns isn't called in
// time.
func (c *client) expectSpeech() (spoke func() bool) {
	return time.AfterFunc(c.edge.cfg.Limits.FirstMessage, c.silent).Stop
}

// silent closes the socket of a client that came in and said nothing.
func (c *client) silent() {
	c.edge.reached.Hit("max-first-message")
	c.socket.Close(session.CloseLater, "nothing was said in time, come back")
}

// documentsOpen reports whether a first frame is in a dialect that names its
// documents in messages, and that the client may choose.
func (c *client) documentsOpen(data []byte) bool {
	if !c.guessed {
		return false
	}
	d := spoken.Recognize(data)
	return d != nil && d.Traits().Addressed
}

// leave ends the session in the URL's room.
func (c *client) leave() {
	if c.own != nil {
		c.own.member.Leave()
	}
}

// log notes how the client went. Neither the URL nor a header is in it: they
// hold tokens.
func (c *client) log() {
	if log := c.edge.cfg.Logger; log.Enabled(context.Background(), slog.LevelDebug) {
		log.Debug("socket closed", "room", link.Loggable(c.way.Room), "code", c.socket.Closed())
	}
}

// frame takes one frame of the client.
func (c *client) frame(data []byte) {
	if !c.spoken {
		c.spoken = true
		if !c.first(data) {
			return
		}
	}
	if c.own != nil && c.own.session.Relays() {
		if c.own.readOnly() {
			// Nobody knows what a relay's frames mean, so none is harmless.
			c.socket.Close(session.CloseForbidden, "read-only")
			return
		}
		c.own.member.Send(c.own.stop, c.own.session.RawFrame(data))
		return
	}
	messages, err := c.decode(data)
	if err != nil {
		c.socket.Close(session.CloseMalformed, err.Error())
		return
	}
	for _, m := range messages {
		if c.documents != nil {
			c.toDocument(m)
		} else if !c.own.say(m) {
			break
		}
	}
	clear(messages)
	c.decoded = messages[:0]
}

// first finds the client's dialect by its first frame, and joins the URL's room.
// It returns false if the frame is in no dialect and the room needs one.
func (c *client) first(data []byte) bool {
	if c.guessed {
		c.dialect = spoken.Recognize(data)
	}
	if c.documents != nil {
		return true
	}
	if c.dialect != nil && !c.dialect.Traits().Addressed {
		c.socket.SetKeepalive(c.dialect.Keepalive(""))
	}
	if c.own.joined() { // a relay room
		return true
	}
	if c.dialect == nil {
		_, err := spoken.All[0].Decode(nil, data)
		if err == nil {
			err = errNoDialect
		}
		c.socket.Close(session.CloseMalformed, err.Error())
		return false
	}
	c.own.join(c.dialect, c.pass.grants)
	return true
}

// decode reads a frame in the client's dialect. If the dialect was guessed and
// has no such message, another one may: several open alike, and differ later.
func (c *client) decode(data []byte) ([]dialect.Message, error) {
	messages, err := c.dialect.Decode(c.decoded[:0], data)
	if err == nil || !c.guessed || c.documents != nil {
		return messages, err
	}
	for _, d := range spoken.All {
		if d.Traits().Addressed {
			continue
		}
		if messages, other := d.Decode(c.decoded[:0], data); other == nil {
			c.dialect = d
			c.own.speak(d)
			return messages, nil
		}
	}
	return messages, err
}
