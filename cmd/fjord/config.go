package main

import (
	"errors"
	"log/slog"
	"net"
	"net/http"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/command"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/services/edge"
	"github.com/fjord-sync/fjord/services/rooms"
)

// config is what the flags say.
type config struct {
	listen, rpc, ops *net.TCPAddr
	data             string
	acceptLoss       bool
	// edge is what flags say of it; the rest of it is the house's.
	edge        edge.Config
	rooms       rooms.Config // the same
	peers       *serve.Peers
	certificate *serve.Certificate
	// guardWeb and guardRPC stand before their ports, guardMetrics before /metrics.
	guardWeb, guardRPC, guardMetrics func(http.Handler) http.Handler

	log    *slog.Logger
	tracer *trace.Tracer // nil: nobody is told
}

// readConfig reads and checks it, and tells all that is wrong with it, before a port
// is taken or the disk is touched.
func readConfig(cmd *cli.Command) (config, error) {
	log, logErr := command.Logger(cmd)
	edgeConfig, edgeErr := readEdge(cmd)
	peers, peersErr := command.Peers(cmd, log)
	certificate, certificateErr := command.Certificate(cmd, log)
	listen, listenErr := command.WebAddress(cmd)
	rpc, rpcErr := command.RPCAddress(cmd, peers)
	ops, opsErr := command.OpsAddress(cmd)
	roomsConfig := rooms.Config{
		Kind:        cmd.String(command.RoomsFlag),
		StorageURL:  insideURL,
		KeepDeleted: cmd.Bool(command.KeepDeletedFlag),
	}
	limitsErr := command.ReadLimits(cmd, rooms.LimitTable, &roomsConfig)
	return config{
			listen: listen, rpc: rpc, ops: ops,
			data:        cmd.String(command.DataFlag),
			acceptLoss:  cmd.Bool(command.AcceptLossFlag),
			edge:        edgeConfig,
			rooms:       roomsConfig,
			peers:       peers,
			certificate: certificate,
			log:         log,
		}, errors.Join(command.NoArguments(cmd), command.NotEmpty(cmd), logErr, edgeErr, peersErr, certificateErr, listenErr, rpcErr, opsErr, limitsErr,
			edgeConfig.Check(), roomsConfig.Check(), trace.Check())
}

func readEdge(cmd *cli.Command) (edge.Config, error) {
	rule, ruleErr := command.RoomNameRule(cmd)
	proxies, proxiesErr := command.Proxies(cmd)
	leaves, leavesErr := command.EdgeLeaves(cmd)
	again, againErr := command.AuthRecheck(cmd)
	c := edge.Config{
		RoomsURLs:      []string{insideURL},
		RoomNames:      rule,
		AllowedOrigins: cmd.StringSlice(command.OriginsFlag),
		TrustedProxies: proxies,
		DrainSpread:    leaves / 2,
		Recheck:        again,
		Auth: edge.Auth{
			Method:    cmd.String(command.AuthFlag),
			Audiences: cmd.StringSlice(command.AudienceFlag),
			Issuer:    cmd.String(command.IssuerFlag),
		},
	}
	return c, errors.Join(ruleErr, proxiesErr, leavesErr, againErr, command.ReadLimits(cmd, edge.LimitTable, &c))
}
