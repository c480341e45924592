package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"connectrpc.com/connect"
	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/internal/command"
	"github.com/fjord-sync/fjord/internal/pipe"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/rooms"
	"github.com/fjord-sync/fjord/services/storage"
)

// seat is where documents are read and written by a command that ends: a process
// that runs, or the data directory of one that doesn't.
type seat struct {
	documents roomsv1connect.DocumentsServiceClient
	storage   storagev1connect.StorageServiceClient
	leave     func() error
}

// openSeat opens the one that the flags choose.
func openSeat(ctx context.Context, cmd *cli.Command, log *slog.Logger) (*seat, error) {
	url, storage := cmd.String(rpcURLFlag), cmd.String(command.StorageURLFlag)
	switch {
	case url != "":
		return visit(cmd, log, url, storage)
	case storage != "":
		return nil, errOnlyStorage
	}
	c := config{
		rooms:      rooms.Config{StorageURL: insideURL, KeepDeleted: cmd.Bool(command.KeepDeletedFlag)},
		data:       cmd.String(command.DataFlag),
		acceptLoss: cmd.Bool(command.AcceptLossFlag),
		log:        log,
	}
	if err := errors.Join(command.NotEmpty(cmd), command.ReadLimits(cmd, rooms.LimitTable, &c.rooms), c.rooms.Check()); err != nil {
		return nil, err
	}
	return sitDown(ctx, c)
}

var errOnlyStorage = errors.New("--storage-url without --rpc-url: rooms are read there, and storage only lists them")

// visit opens a seat at processes that run: one of rooms, and storage, which is the
// same if it has no URL of its own.
func visit(cmd *cli.Command, log *slog.Logger, url, storage string) (*seat, error) {
	peers, err := command.Peers(cmd, log)
	if err != nil {
		return nil, err
	}
	if err := peers.CheckURL(rpcURLFlag, url); err != nil {
		return nil, err
	}
	if storage == "" {
		storage = url
	} else if err := peers.CheckURL(command.StorageURLFlag, storage); err != nil {
		return nil, err
	}
	return newSeat(peers.Client(nil), url, storage, func() error { return nil }), nil
}

func newSeat(client connect.HTTPClient, url, storage string, leave func() error) *seat {
	return &seat{
		documents: roomsv1connect.NewDocumentsServiceClient(client, url),
		storage:   storagev1connect.NewStorageServiceClient(client, storage),
		leave:     leave,
	}
}

// sitDown opens rooms and storage on a data directory, without a port. A process
// that has the directory open is told of in the error.
func sitDown(ctx context.Context, c config) (*seat, error) {
	keep, err := storage.Open(ctx, storage.Config{Dir: c.data, AcceptLoss: c.acceptLoss, Logger: c.log})
	if err != nil {
		return nil, err
	}
	inside := pipe.Listen()
	c.rooms.StorageURL = insideURL
	c.rooms.HTTPClient = serve.NewClient(inside.Dial)
	c.rooms.Owner = command.ProcessName("fjord-command")
	c.rooms.Logger = c.log
	own, err := rooms.New(c.rooms)
	if err != nil {
		return nil, errors.Join(err, keep.Close())
	}
	mux := http.NewServeMux()
	keep.Register(mux)
	own.Register(mux)
	server := serve.NewServer(mux, c.log)
	server.Serve(inside)
	return newSeat(serve.NewClient(inside.Dial), insideURL, insideURL, func() error {
		stage, cancel := command.Stage(ctx, command.RoomsLeave)
		defer cancel()
		err := errors.Join(own.Drain(stage), server.Shutdown(stage))
		own.Close()
		return errors.Join(err, keep.Close())
	}), nil
}
