// Package spoken is the list of the dialects that an edge speaks, and how it
// tells which one a socket speaks. It is the only package that knows more of a
// dialect than package dialect says: the rest of the edge works with whatever is
// in All.
//
//	request ── Find ─► Way ── first frame, Recognize ─► Dialect
package spoken

import (
	"slices"
	"strings"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/elva"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/hocuspocus"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/ysweet"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/ywebsocket"
)

// All are the dialects. A socket of which nothing else is known speaks the first
// one that its first frame opens. The order matters: what y-websocket opens is
// answered alike for all who open so.
var All = []dialect.Dialect{
	ywebsocket.Dialect{},
	hocuspocus.Dialect{},
	elva.Dialect{},
	ysweet.Dialect{},
}

// Way is what a request says of its socket before the first frame.
type Way struct {
	// Room is the one that the path names; empty if messages name theirs.
	Room string
	// Dialect is nil if neither path nor subprotocol names one.
	Dialect dialect.Dialect
	// Protocol is the subprotocol that names the dialect, empty if none does.
	Protocol string
}

// Addressed reports whether messages name the documents.
func (w Way) Addressed() bool { return w.Dialect != nil && w.Dialect.Traits().Addressed }

// prefix begins the paths that name a dialect: /-/hocuspocus, /-/elva/room.
const prefix = "-/"

// pathed is a dialect whose clients' URLs are recognized by their form.
type pathed interface {
	// Room returns the room of a path without its first slash, and whether the
	// path has the form.
	Room(path string) (room string, ok bool)
}

// Find reads a path, decoded, and the subprotocols that were offered. A prefix
// of the path wins over a subprotocol, and that over the path's form.
func Find(path string, offered []string) Way {
	w := Way{Room: strings.TrimPrefix(path, "/")}
	for _, d := range All {
		if slices.Contains(offered, d.Name()) {
			w.Protocol = d.Name()
			w.Dialect = d
		}
	}
	if rest, ok := strings.CutPrefix(w.Room, prefix); ok {
		name, room, _ := strings.Cut(rest, "/")
		if d := named(name); d != nil {
			w.Dialect, w.Room = d, room
		}
	}
	for _, d := range All {
		if p, ok := d.(pathed); ok && w.Dialect == nil {
			if room, ok := p.Room(w.Room); ok {
				w.Dialect, w.Room = d, room
			}
		}
	}
	if w.Dialect == nil && w.Room == "" {
		w.Dialect = addressed()
	}
	if w.Addressed() {
		w.Room = ""
	}
	return w
}

// named returns the dialect of a name, nil if there is none.
func named(name string) dialect.Dialect {
	for _, d := range All {
		if d.Name() == name {
			return d
		}
	}
	return nil
}

// addressed returns the dialect that needs no room in its URL.
func addressed() dialect.Dialect {
	for _, d := range All {
		if d.Traits().Addressed {
			return d
		}
	}
	return nil
}

// Recognize returns the first dialect that frame opens, nil if there is none.
func Recognize(frame []byte) dialect.Dialect {
	for _, d := range All {
		if d.Opens(frame) {
			return d
		}
	}
	return nil
}
