// Command rooms runs the rooms service by itself.
package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
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
	c, err := readConfig(cmd)
	if err != nil {
		return err
	}
	log, peers, config := c.log, c.peers, c.rooms
	config.Tracer, err = trace.Open(ctx, "rooms", log)
	if err != nil {
		return err
	}
	defer command.EndTrace(ctx, config.Tracer, log)
	rpcListener, err := command.Take(command.RPCFlag, c.rpc)
	if err != nil {
		return err
	}
	opsListener, err := command.Take(command.OpsFlag, c.ops)
	if err != nil {
		return err
	}
	command.WarnRPC(log, peers, rpcListener.Addr())
	metrics := serve.NewRegistry()
	config.HTTPClient = peers.Client(nil)
	config.Logger = log
	config.Metrics = metrics
	service, err := rooms.New(config)
	if err != nil {
		return err
	}
	check := serve.Check{Name: "rooms", Ready: service.Ready}
	mux := http.NewServeMux()
	service.Register(mux)
	serve.MountHealthAndReflection(mux, rooms.Names, check)

	rpc := serve.NewServer(command.GuardRPC(cmd, peers, rpcListener.Addr())(mux), log)
	rpc.LimitSilence(peers.Silence())
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

// config is what the flags say.
type config struct {
	rpc, ops *net.TCPAddr
	peers    *serve.Peers
	rooms    rooms.Config
	log      *slog.Logger
}

// readConfig reads and checks it, and tells all that is wrong with it.
func readConfig(cmd *cli.Command) (config, error) {
	log, logErr := command.Logger(cmd)
	peers, peersErr := command.Peers(cmd, log)
	rpc, rpcErr := command.RPCAddress(cmd, peers)
	ops, opsErr := command.OpsAddress(cmd)
	c := config{rpc: rpc, ops: ops, peers: peers, log: log, rooms: rooms.Config{
		Kind:        cmd.String(command.RoomsFlag),
		StorageURL:  cmd.String(command.StorageURLFlag),
		KeepDeleted: cmd.Bool(command.KeepDeletedFlag),
		Owner:       command.ProcessName("rooms"),
	}}
	limitsErr := command.ReadLimits(cmd, rooms.LimitTable, &c.rooms)
	return c, errors.Join(command.NoArguments(cmd), command.NotEmpty(cmd), logErr, peersErr, rpcErr, opsErr, limitsErr,
		c.rooms.Check(), peers.CheckURL(command.StorageURLFlag, c.rooms.StorageURL), trace.Check())
}
