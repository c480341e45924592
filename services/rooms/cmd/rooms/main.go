// Command rooms runs the rooms service by itself.
package main

import (
	"context"
	"errors"
	"net/http"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/command"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/services/rooms"
)

func main() {
	flags := []cli.Flag{
		command.RPC("127.0.0.1:7070"),
		command.StorageURL(),
		command.Rooms(),
		command.KeepDeleted(),
		command.Ops("127.0.0.1:9091"),
	}
	flags = append(append(flags, command.PeerFlags()...), command.Insecure())
	flags = append(flags, command.LimitFlags(rooms.LimitTable)...)
	os.Exit(command.Main(command.New("rooms", "own the documents of Fjord's rooms", flags, run)))
}

func run(ctx context.Context, cmd *cli.Command) error {
	log, err := command.Logger(cmd)
	if err := errors.Join(err, command.NoArguments(cmd)); err != nil {
		return err
	}
	peers, err := command.Peers(cmd, log)
	if err != nil {
		return err
	}
	if err := peers.CheckURL(command.StorageURLFlag, cmd.String(command.StorageURLFlag)); err != nil {
		return err
	}
	rpcListener, err := serve.Listen("--rpc", cmd.String(command.RPCFlag))
	if err != nil {
		return err
	}
	if err := command.PeersExposed(cmd, log, peers, rpcListener.Addr()); err != nil {
		return err
	}
	opsListener, err := serve.Listen("--ops", cmd.String(command.OpsFlag))
	if err != nil {
		return err
	}
	tracer, err := trace.Open(ctx, "rooms", log)
	if err != nil {
		return err
	}
	defer command.EndTrace(ctx, tracer, log)
	metrics := serve.NewRegistry()
	config := rooms.Config{
		Kind:        cmd.String(command.RoomsFlag),
		StorageURL:  cmd.String(command.StorageURLFlag),
		HTTPClient:  peers.Client(nil),
		KeepDeleted: cmd.Bool(command.KeepDeletedFlag),
		Owner:       command.ProcessName("rooms"),
		Logger:      log,
		Metrics:     metrics,
		Tracer:      tracer,
	}
	if err := command.ReadLimits(cmd, rooms.LimitTable, &config); err != nil {
		return err
	}
	service, err := rooms.New(config)
	if err != nil {
		return err
	}
	check := serve.Check{Name: "rooms", Ready: service.Ready}
	mux := http.NewServeMux()
	service.Register(mux)
	serve.MountHealthAndReflection(mux, rooms.Names, check)

	rpc := serve.NewServer(command.GuardRPC(cmd, peers, rpcListener.Addr())(mux), log)
	rpc.Serve(peers.Listener(rpcListener))
	guard := command.GuardMetrics(cmd, peers, opsListener.Addr())
	ops := serve.NewServer(serve.Ops(metrics, guard, check), log)
	ops.Serve(opsListener)
	command.OnHangup(ctx, peers.Look)
	command.Announce("rpc", peers.Scheme(), rpcListener.Addr())
	command.Announce("ops", "http", opsListener.Addr())

	failure := serve.Wait(ctx, rpc.Part(), ops.Part())
	log.Info("leaving")
	drain, cancel := command.Stage(ctx, command.RoomsLeave)
	defer cancel()
	// The rooms first: what they still store is on its way while edges go.
	failure = errors.Join(failure, service.Drain(drain), rpc.Shutdown(drain))
	service.Close()
	return errors.Join(failure, ops.Shutdown(drain))
}
