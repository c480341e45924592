// Command fjord runs Fjord's three services in one process: edge, rooms and
// storage speak to one another as they do across machines, over an in-memory
// network.
//
//	browsers ══ --listen ══▶ edge ──pipe──▶ rooms ──pipe──▶ storage ──▶ --data
//	services ── --rpc ─────────────────────▶ rooms, storage
//	operators ─ --ops ─▶ /healthz /readyz /metrics
package main

import (
	"context"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/command"
	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/services/edge"
	"github.com/fjord-sync/fjord/services/rooms"
)

func main() {
	flags := append(command.EdgeFlags(),
		command.RPC("127.0.0.1:7070"),
		command.Ops("127.0.0.1:9090"),
		command.Data(),
		command.AcceptLoss(),
		command.Rooms(),
		command.KeepDeleted(),
	)
	flags = append(flags, command.PeerFlags()...)
	flags = append(flags, command.LimitFlags(edge.LimitTable)...)
	flags = append(flags, command.LimitFlags(rooms.LimitTable)...)
	root := command.New("fjord", "a Yjs collaboration backend, all in one process", flags, run)
	root.Commands = append(root.Commands, transfers()...)
	os.Exit(command.Main(root))
}

// run takes the ports, opens the services from storage upwards, serves until ctx
// ends, and leaves in the opposite order.
func run(ctx context.Context, cmd *cli.Command) error {
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	config.tracer, err = trace.Open(ctx, "fjord", config.log)
	if err != nil {
		return err
	}
	defer command.EndTrace(ctx, config.tracer, config.log)
	ports, err := listen(config)
	if err != nil {
		return err
	}
	command.WarnWeb(cmd, config.log, ports.web.Addr())
	command.WarnRPC(config.log, config.peers, ports.rpc.Addr())
	config.guardWeb = command.GuardWeb(cmd, ports.web.Addr())
	config.guardRPC = command.GuardRPC(cmd, config.peers, ports.rpc.Addr())
	config.guardMetrics = command.GuardMetrics(cmd, config.peers, ports.ops.Addr())
	house, err := open(ctx, config, ports)
	if err != nil {
		return err
	}
	command.OnHangup(ctx, func() { config.peers.Look(); config.certificate.Look() })
	ports.announce(config)
	failure := house.wait(ctx)
	return house.leave(ctx, failure)
}
