package edge

import (
	"errors"
	"slices"
	"strings"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/elva"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/hocuspocus"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/ysweet"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/ywebsocket"
)

// dialects are those that an edge speaks. A socket of which nothing else is
// known speaks the first one that its first frame opens. The order matters: what
// y-websocket opens is answered alike for all who open so.
var dialects = []dialect.Dialect{
	ywebsocket.Dialect{},
	hocuspocus.Dialect{},
	elva.Dialect{},
	ysweet.Dialect{},
}

var errNoDialect = errors.New("this is no client's first frame")

// way is what a request says of its socket before the first frame.
type way struct {
	// room is the one that the path names; empty if messages name theirs.
	room string
	// dialect is nil if neither path nor subprotocol names one.
	dialect dialect.Dialect
	// protocol is the subprotocol that names the dialect, empty if none does.
	protocol string
}

// prefix begins the paths that name a dialect: /-/hocuspocus, /-/elva/room.
const prefix = "-/"

// pathed is a dialect whose clients' URLs are recognized by their form.
type pathed interface {
	// Room returns the room of a path without its first slash, and whether the
	// path has the form.
	Room(path string) (room string, ok bool)
}

// findWay reads a path, decoded, and the subprotocols that were offered.
func findWay(path string, offered []string) way {
	w := way{room: strings.TrimPrefix(path, "/")}
	for _, d := range dialects {
		if slices.Contains(offered, d.Name()) {
			w.protocol = d.Name()
			w.dialect = d
		}
	}
	if rest, ok := strings.CutPrefix(w.room, prefix); ok {
		name, room, _ := strings.Cut(rest, "/")
		if d := named(name); d != nil {
			w.dialect, w.room = d, room
		}
	}
	for _, d := range dialects {
		if p, ok := d.(pathed); ok && w.dialect == nil {
			if room, ok := p.Room(w.room); ok {
				w.dialect, w.room = d, room
			}
		}
	}
	if w.dialect == nil && w.room == "" {
		w.dialect = addressed()
	}
	if w.addressed() {
		w.room = ""
	}
	return w
}

// addressed reports whether messages name the documents.
func (w way) addressed() bool { return w.dialect != nil && w.dialect.Traits().Addressed }

// named returns the dialect of a name, nil if there is none.
func named(name string) dialect.Dialect {
	for _, d := range dialects {
		if d.Name() == name {
			return d
		}
	}
	return nil
}

// addressed returns the dialect that needs no room in its URL.
func addressed() dialect.Dialect {
	for _, d := range dialects {
		if d.Traits().Addressed {
			return d
		}
	}
	return nil
}

// recognize returns the first dialect that frame opens, nil if there is none.
func recognize(frame []byte) dialect.Dialect {
	for _, d := range dialects {
		if d.Opens(frame) {
			return d
		}
	}
	return nil
}
