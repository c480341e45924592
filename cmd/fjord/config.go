package main

import (
	"errors"
	"log/slog"
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
	listen, rpc, ops string
	data             string
	acceptLoss       bool
	rooms            string
	keepDeleted      bool
	// edge is what flags say of it; the rest of it is the house's.
	edge        edge.Config
	limits      rooms.Config // the limits of rooms, and nothing else
	peers       *serve.Peers
	certificate *serve.Certificate
	// guardWeb and guardRPC stand before their ports, guardMetrics before /metrics.
	guardWeb, guardRPC, guardMetrics func(http.Handler) http.Handler

	log    *slog.Logger
	tracer *trace.Tracer // nil: nobody is told
}

func readConfig(cmd *cli.Command) (config, error) {
	log, logErr := command.Logger(cmd)
	edgeConfig, edgeErr := readEdge(cmd)
	peers, peersErr := command.Peers(cmd, log)
	certificate, certificateErr := command.Certificate(cmd, log)
	var limits rooms.Config
	limitsErr := command.ReadLimits(cmd, rooms.LimitTable, &limits)
	return config{
		limits:      limits,
		listen:      cmd.String(command.ListenFlag),
		rpc:         cmd.String(command.RPCFlag),
		ops:         cmd.String(command.OpsFlag),
		data:        cmd.String(command.DataFlag),
		acceptLoss:  cmd.Bool(command.AcceptLossFlag),
		rooms:       cmd.String(command.RoomsFlag),
		keepDeleted: cmd.Bool(command.KeepDeletedFlag),
		edge:        edgeConfig,
		peers:       peers,
		certificate: certificate,
		log:         log,
	}, errors.Join(command.NoArguments(cmd), logErr, edgeErr, peersErr, certificateErr, limitsErr)
}

func readEdge(cmd *cli.Command) (edge.Config, error) {
	rule, ruleErr := command.RoomNameRule(cmd)
	proxies, proxiesErr := command.Proxies(cmd)
	leaves, leavesErr := command.EdgeLeaves(cmd)
	c := edge.Config{
		RoomNames:      rule,
		AllowedOrigins: cmd.StringSlice(command.OriginsFlag),
		TrustedProxies: proxies,
		DrainSpread:    leaves / 2,
		Auth: edge.Auth{
			Method:    cmd.String(command.AuthFlag),
			Audiences: cmd.StringSlice(command.AudienceFlag),
			Issuer:    cmd.String(command.IssuerFlag),
		},
	}
	return c, errors.Join(ruleErr, proxiesErr, leavesErr, command.ReadLimits(cmd, edge.LimitTable, &c))
}
