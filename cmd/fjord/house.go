package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/fjord-sync/fjord/internal/command"
	"github.com/fjord-sync/fjord/internal/pipe"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/edge"
	"github.com/fjord-sync/fjord/services/rooms"
	"github.com/fjord-sync/fjord/services/storage"
)

// insideURL is how the services call one another; the pipe ignores the host.
const insideURL = "http://fjord.internal"

// house is the three services and the servers that carry them.
type house struct {
	storage *storage.Service
	rooms   *rooms.Service
	edge    *edge.Edge

	log      *slog.Logger
	inside   *pipe.Listener
	edgeTime time.Duration // for the edge to leave
	// own serves the house itself, rpc others.
	web, own, rpc, ops *serve.Server
}

// open starts everything. The handlers of rooms and storage are served twice: to
// the house itself over the pipe, and to others on --rpc. Each caller has a
// connection of its own, so that a link's traffic doesn't hold up appends.
func open(ctx context.Context, c config, p ports) (*house, error) {
	h := &house{log: c.log, inside: pipe.Listen(), edgeTime: 2 * c.edge.DrainSpread}
	metrics := serve.NewRegistry()
	var err error
	h.storage, err = storage.Open(ctx, storage.Config{
		Dir: c.data, AcceptLoss: c.acceptLoss, Logger: c.log, Metrics: metrics, Tracer: c.tracer,
	})
	if err != nil {
		return nil, err
	}
	name := command.ProcessName("fjord")
	c.rooms.HTTPClient = serve.NewClient(h.inside.Dial)
	c.rooms.Owner = name
	c.rooms.Logger = c.log
	c.rooms.Metrics = metrics
	c.rooms.Tracer = c.tracer
	h.rooms, err = rooms.New(c.rooms)
	if err != nil {
		return nil, errors.Join(err, h.storage.Close())
	}
	c.edge.HTTPClient = serve.NewClient(h.inside.Dial)
	c.edge.Name = name
	c.edge.Logger = c.log
	c.edge.Metrics = metrics
	c.edge.Tracer = c.tracer
	h.edge, err = edge.New(c.edge)
	if err != nil {
		return nil, errors.Join(err, h.storage.Close())
	}
	h.serve(c, p, serve.Ops(metrics, c.guardMetrics, h.checks()...))
	return h, nil
}

func (h *house) checks() []serve.Check {
	return []serve.Check{
		{Name: "storage", Ready: h.storage.Ready},
		{Name: "rooms", Ready: h.rooms.Ready},
		{Name: "edge", Ready: h.edge.Ready},
	}
}

func (h *house) serve(c config, p ports, ops http.Handler) {
	mux := http.NewServeMux()
	h.storage.Register(mux)
	h.rooms.Register(mux)
	names := append(append([]string{}, rooms.Names...), storage.Names...)
	serve.MountHealthAndReflection(mux, names, h.checks()...)

	h.own = serve.NewServer(mux, c.log)
	h.own.Serve(h.inside)
	h.rpc = serve.NewServer(c.guardRPC(mux), c.log)
	h.rpc.LimitSilence(c.peers.Silence())
	h.rpc.Serve(c.peers.Listener(p.rpc))
	h.web = serve.NewServer(c.guardWeb(h.edge), c.log)
	h.web.LimitHeaders(h.edge.HeaderBytes())
	h.web.Serve(c.certificate.Listener(edge.Listener(p.web)))
	h.ops = serve.NewServer(ops, c.log)
	h.ops.Serve(p.ops)
}

// wait returns when ctx ends (nil), or a port or the disk fails.
func (h *house) wait(ctx context.Context) error {
	return serve.Wait(ctx, h.web.Part(), h.own.Part(), h.rpc.Part(), h.ops.Part(),
		serve.Part{Failed: h.storage.Failed(), Why: h.storage.Ready})
}

// leave goes from the outside in, so that each has what it needs until it is
// done: sockets come back later, rooms store what they have, storage closes last.
func (h *house) leave(ctx context.Context, failure error) error {
	return errors.Join(failure, h.edgeLeaves(ctx), h.roomsLeave(ctx), h.storageLeaves(ctx))
}

func (h *house) edgeLeaves(ctx context.Context) error {
	ctx, cancel := command.Stage(ctx, h.edgeTime)
	defer cancel()
	if err := h.edge.Drain(ctx); err != nil {
		h.log.Warn("cutting off sockets that don't answer", "error", err)
	}
	h.edge.Close()
	return h.web.Shutdown(ctx)
}

// roomsLeave ends the RPC ports too: what still wants storage is in here.
func (h *house) roomsLeave(ctx context.Context) error {
	ctx, cancel := command.Stage(ctx, command.RoomsLeave)
	defer cancel()
	defer h.rooms.Close()
	return errors.Join(h.rooms.Drain(ctx), h.rpc.Shutdown(ctx), h.own.Shutdown(ctx))
}

func (h *house) storageLeaves(ctx context.Context) error {
	ctx, cancel := command.Stage(ctx, command.StorageLeaves)
	defer cancel()
	return errors.Join(h.storage.Close(), h.ops.Shutdown(ctx))
}
