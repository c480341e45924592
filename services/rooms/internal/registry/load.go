package registry

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// load brings the document, in a goroutine of its own so that the loop can hold
// those who join meanwhile.
func (o *openRoom) load(ctx context.Context) {
	o.beside.Go(func() {
		load, err := o.open(ctx)
		if err != nil {
			if ctx.Err() == nil { // else the process goes, and everybody knows
				o.registry.loads.WithLabelValues("failed").Inc()
				o.registry.config.Logger.Error("room couldn't be loaded", "room", shorten(o.name), "error", err)
			}
			o.post(item{event: room.Event{Kind: room.LoadFailed, Err: err}}, unbounded)
			return
		}
		o.registry.loads.WithLabelValues("ok").Inc()
		o.epoch.Store(load.Epoch)
		o.post(item{event: room.Event{Kind: room.Loaded, Load: load}}, unbounded)
	})
}

// open asks the journal. Stored bytes that make it panic fail this load only.
func (o *openRoom) open(ctx context.Context) (load *room.Load, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			o.registry.panicked(o, cause, debug.Stack())
			load, err = nil, fmt.Errorf("panic while loading: %v", cause)
		}
	}()
	return o.registry.journal.Open(ctx, o.name)
}
