package registry

import (
	"fmt"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

// compactors is how many documents of volatile rooms are compacted at a time: each
// takes several times its size in memory, and a core.
const compactors = 2

func newCompactions() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fjord_rooms_compactions_total",
		Help: "Compactions of the documents of volatile rooms by outcome.",
	}, []string{"outcome"})
}

// compact has a copy of the document compacted beside the loop, which waits for it
// when it ends.
func (o *openRoom) compact(c room.Copy) {
	o.beside.Go(func() {
		document := o.registry.compact(o.name, c)
		o.post(item{event: room.Event{Kind: room.Compacted, Document: document}}, unbounded)
	})
}

// compact waits for its turn. It returns nil if the document couldn't be compacted,
// or if the process goes first.
func (r *Registry) compact(name string, c room.Copy) *yjs.Document {
	select {
	case r.compactors <- struct{}{}:
	case <-r.stopping.Done():
		return nil
	}
	defer func() { <-r.compactors }()
	document, err := contained(c)
	if err != nil {
		r.compactions.WithLabelValues("failed").Inc()
		r.config.Logger.Error("document couldn't be compacted; its room keeps it as it is", "room", shorten(name), "error", err)
		return nil
	}
	r.compactions.WithLabelValues("compacted").Inc()
	return document
}

// contained keeps what makes the engine panic to this compaction.
func contained(c room.Copy) (document *yjs.Document, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			document, err = nil, fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return c.Compacted()
}
