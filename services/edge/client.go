package edge

import (
	"context"
	"log/slog"
	"sync"

	"github.com/gorilla/websocket"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/ywebsocket"
	"github.com/fjord-sync/fjord/services/edge/internal/link"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
	"github.com/fjord-sync/fjord/services/edge/internal/socket"
)

// dialects are those that an edge speaks. A socket speaks the first one that
// understands its first frame.
var dialects = []dialect.Dialect{
	ywebsocket.Dialect{},
}

// client ties a socket to its session and the session to its room. run is its
// reader goroutine; the link calls Deliver, Rejoin, Resumed and End.
type client struct {
	edge   *Edge
	socket *socket.Socket
	room   string
	pass   pass

	// Owned by run.
	member  *link.Member
	spoken  bool // the first frame has come
	decoded []dialect.Message

	mu sync.Mutex // guards following
	// session is nil until the client has spoken, but in a relay room not.
	session *session.Session
	// dialect is nil until the client has spoken one.
	dialect dialect.Dialect
}

func newClient(e *Edge, ws *websocket.Conn, room string, pass pass) *client {
	return &client{edge: e, socket: socket.New(ws, e.socketConf), room: room, pass: pass}
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

// run is the client's life. The room is attached before the first frame is
// read: what a frame means depends on what kind of room it is, and until then
// frames wait where they take nothing from us, in the connection.
func (c *client) run() {
	defer c.edge.gone(c)
	defer c.log()
	defer c.expire()()
	member, why := c.edge.link(c.room).Open(c.socket.Leaving(), c.room, c)
	if why != nil {
		c.End(why)
		c.socket.Run(func([]byte) {})
		return
	}
	c.member = member
	defer member.Leave()
	if member.Kind() == roomsv1.RoomKind_ROOM_KIND_RELAY {
		// A relay's listener may never say anything.
		c.join(nil)
	}
	c.socket.Run(c.frame)
}

// log notes how the client went. Neither the URL nor a header is in it: they
// hold tokens.
func (c *client) log() {
	if log := c.edge.cfg.Logger; log.Enabled(context.Background(), slog.LevelDebug) {
		log.Debug("socket closed", "room", link.Loggable(c.room), "code", c.socket.Closed())
	}
}

// join makes the session and lets it into the room.
func (c *client) join(d dialect.Dialect) {
	cfg := session.Config{Kind: c.member.Kind(), ReadOnly: c.pass.access.ReadOnly(), Unseen: !c.pass.access.Presence}
	if d != nil {
		cfg.Traits = d.Traits()
	}
	s := session.New(cfg)
	c.mu.Lock()
	c.session = s
	c.dialect = d
	c.mu.Unlock()
	c.member.Join(c.socket.Leaving(), s.Joining())
}

// frame takes one frame of the client.
func (c *client) frame(data []byte) {
	if !c.spoken {
		c.spoken = true
		if !c.first(data) {
			return
		}
	}
	if c.session.Relays() {
		if c.pass.access.ReadOnly() {
			// Nobody knows what a relay's frames mean, so none is harmless.
			c.socket.Close(session.CloseForbidden, "read-only")
			return
		}
		c.member.Send(c.socket.Leaving(), c.session.RawFrame(data))
		return
	}
	messages, err := c.dialect.Decode(c.decoded[:0], data)
	if err != nil {
		c.socket.Close(session.CloseMalformed, err.Error())
		return
	}
	for _, m := range messages {
		c.mu.Lock()
		f := c.session.FromClient(m)
		c.mu.Unlock()
		if f.Kind != 0 && !c.member.Send(c.socket.Leaving(), f) {
			break
		}
	}
	clear(messages)
	c.decoded = messages[:0]
}

// first finds the client's dialect by its first frame, and joins. It returns
// false if the frame is in no dialect and the room needs one.
func (c *client) first(data []byte) bool {
	d, err := recognize(data)
	if d != nil {
		c.socket.SetKeepalive(d.Keepalive(""))
	}
	if c.session != nil { // a relay room
		return true
	}
	if d == nil {
		c.socket.Close(session.CloseMalformed, err.Error())
		return false
	}
	c.join(d)
	return true
}

// recognize returns the first dialect that understands frame, or why the first
// of them doesn't.
func recognize(frame []byte) (dialect.Dialect, error) {
	var first error
	for _, d := range dialects {
		_, err := d.Decode(nil, frame)
		if err == nil {
			return d, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// Deliver tells the client what a room's frame means to it.
func (c *client) Deliver(f *roomsv1.RoomFrame, d *dialect.Delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var few [2]dialect.Message
	messages, why := c.session.FromRoom(f, few[:0])
	if why != nil {
		c.End(why)
		return
	}
	c.tellLocked(messages, d)
}

// Resumed asks the client for what it alone has.
func (c *client) Resumed(stateVector []byte, askPresence bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var few [2]dialect.Message
	var d dialect.Delivery
	c.tellLocked(c.session.Resumed(stateVector, askPresence, few[:0]), &d)
}

func (c *client) tellLocked(messages []dialect.Message, d *dialect.Delivery) {
	for _, m := range messages {
		if frame := d.Frame(c.dialect, m); len(frame) > 0 || m.Kind == dialect.Raw {
			c.socket.Push(frame)
		}
	}
}

// Rejoin appends what a new link must hear of the session.
func (c *client) Rejoin(out []session.Frame) []session.Frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.Rejoin(out)
}

// End closes the socket.
func (c *client) End(why *session.Close) { c.socket.Close(why.Code, why.Reason) }
