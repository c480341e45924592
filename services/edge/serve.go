package edge

import (
	"errors"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/spoken"
)

// writeBuffers are shared by all sockets: an idle one owns none.
var writeBuffers sync.Pool

const (
	// readBuffer holds a keystroke. A larger frame is read past it.
	readBuffer  = 512
	writeBuffer = 4 << 10
	// retryAfter is what refused clients are told, in seconds.
	retryAfter = "2"
)

// ServeHTTP upgrades websockets, into the room that the path names, answers what
// dialects ask over plain HTTP, and gives everything else to the Page. What is refused is refused before the upgrade,
// where a client can see an HTTP status.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !websocket.IsWebSocketUpgrade(r) {
		if _, pattern := e.routes.Handler(r); pattern != "" {
			e.routes.ServeHTTP(w, r)
			return
		}
		e.cfg.Page.ServeHTTP(w, r)
		return
	}
	way := spoken.Find(r.URL.Path, websocket.Subprotocols(r))
	if !way.Addressed() {
		if err := e.cfg.RoomNames(way.Room); err != nil {
			http.Error(w, err.Error(), nameStatus(err))
			return
		}
	}
	if !e.origins.allows(r.Header["Origin"], r.Host, e.proxies.https(r)) {
		http.Error(w, "this origin is not allowed here", http.StatusForbidden)
		return
	}
	ticket, refusal := e.admit(r)
	if refusal != nil {
		refuse(w, refusal)
		return
	}
	settled := false
	defer func() { // in any case, or a hook that panics would hold the place for ever
		if !settled {
			e.upgraded(ticket, nil)
		}
	}()
	pass, refusal := e.authorize(r, way)
	if refusal == nil {
		refusal = e.crowded(ticket, way, pass)
	}
	if refusal != nil {
		refuse(w, refusal)
		return
	}
	if way.Protocol == "" {
		way.Protocol = pass.protocol
	}
	ws, err := e.upgrade(w, r, way.Protocol)
	if err != nil {
		return // gorilla has answered
	}
	c := newClient(e, ws, way, pass)
	settled = true
	e.upgraded(ticket, c)
	// The server's own goroutine would keep the request, its headers and a
	// deep stack alive as long as the socket.
	go c.run()
}

// upgrade makes the connection a websocket that speaks the given subprotocol,
// none if it is empty.
func (e *Edge) upgrade(w http.ResponseWriter, r *http.Request, protocol string) (*websocket.Conn, error) {
	upgrader := websocket.Upgrader{
		HandshakeTimeout: upgradeTimeout,
		ReadBufferSize:   readBuffer,
		WriteBufferSize:  writeBuffer,
		WriteBufferPool:  &writeBuffers,
		// Origins were checked before.
		CheckOrigin: func(*http.Request) bool { return true },
		// A small frame can inflate to anything, past gorilla's read limit.
		EnableCompression: false,
	}
	var header http.Header
	if protocol != "" {
		header = http.Header{"Sec-Websocket-Protocol": {protocol}}
	}
	return upgrader.Upgrade(w, r, header)
}

// nameStatus returns the status that refuses a room's name: ELVA's clients know
// 403, others are told that their request is wrong.
func nameStatus(err error) int {
	if errors.Is(err, roomname.ErrNotELVA) {
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}
