// Command edge runs the edge service by itself.
package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/command"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/services/edge"
)

func main() {
	flags := append(command.EdgeFlags(), command.RoomsURL(), command.Ops("127.0.0.1:9090"))
	flags = append(flags, command.PeerFlags()...)
	flags = append(flags, command.LimitFlags(edge.LimitTable)...)
	os.Exit(command.Main(command.New("edge", "let Yjs clients into Fjord's rooms by websocket", flags, run)))
}

func run(ctx context.Context, cmd *cli.Command) error {
	c, err := readConfig(cmd)
	if err != nil {
		return err
	}
	log, peers, certificate, config := c.log, c.peers, c.certificate, c.edge
	config.Tracer, err = trace.Open(ctx, "edge", log)
	if err != nil {
		return err
	}
	defer command.EndTrace(ctx, config.Tracer, log)
	listener, err := command.Take(command.ListenFlag, c.listen)
	if err != nil {
		return err
	}
	opsListener, err := command.Take(command.OpsFlag, c.ops)
	if err != nil {
		return err
	}
	command.WarnWeb(cmd, log, listener.Addr())
	metrics := serve.NewRegistry()
	config.HTTPClient = peers.Client(nil)
	config.Logger = log
	config.Metrics = metrics
	service, err := edge.New(config)
	if err != nil {
		return err
	}
	web := serve.NewServer(command.GuardWeb(cmd, listener.Addr())(service), log)
	web.LimitHeaders(service.HeaderBytes())
	web.Serve(certificate.Listener(edge.Listener(listener)))
	guard := command.GuardMetrics(cmd, peers, opsListener.Addr())
	ops := serve.NewServer(serve.Ops(metrics, guard, serve.Check{Name: "edge", Ready: service.Ready}), log)
	ops.Serve(opsListener)
	command.OnHangup(ctx, func() { peers.Look(); certificate.Look() })
	command.Announce("websocket", certificate.Scheme("ws"), listener.Addr())
	command.Announce("ops", "http", opsListener.Addr())

	failure := serve.Wait(ctx, web.Part(), ops.Part())
	log.Info("leaving")
	drain, cancel := command.Stage(ctx, 2*config.DrainSpread)
	defer cancel()
	if err := service.Drain(drain); err != nil {
		log.Warn("cutting off sockets that don't answer", "error", err)
	}
	service.Close()
	return errors.Join(failure, web.Shutdown(drain), ops.Shutdown(drain))
}

// config is what the flags say.
type config struct {
	listen, ops *net.TCPAddr
	peers       *serve.Peers
	certificate *serve.Certificate
	edge        edge.Config
	log         *slog.Logger
}

// readConfig reads and checks it, and tells all that is wrong with it.
func readConfig(cmd *cli.Command) (config, error) {
	log, logErr := command.Logger(cmd)
	peers, peersErr := command.Peers(cmd, log)
	certificate, certificateErr := command.Certificate(cmd, log)
	listen, listenErr := command.WebAddress(cmd)
	ops, opsErr := command.OpsAddress(cmd)
	edgeConfig, edgeErr := readEdge(cmd)
	wrong := []error{command.NoArguments(cmd), command.NotEmpty(cmd), logErr, peersErr, certificateErr, listenErr, opsErr, edgeErr, edgeConfig.Check(), trace.Check()}
	for _, url := range edgeConfig.RoomsURLs {
		wrong = append(wrong, peers.CheckURL(command.RoomsURLFlag, url))
	}
	return config{listen: listen, ops: ops, peers: peers, certificate: certificate, edge: edgeConfig, log: log}, errors.Join(wrong...)
}

// readEdge reads what flags say of the edge itself.
func readEdge(cmd *cli.Command) (edge.Config, error) {
	rule, ruleErr := command.RoomNameRule(cmd)
	proxies, proxiesErr := command.Proxies(cmd)
	leaves, leavesErr := command.EdgeLeaves(cmd)
	again, againErr := command.AuthRecheck(cmd)
	c := edge.Config{
		RoomsURLs:      cmd.StringSlice(command.RoomsURLFlag),
		Name:           command.ProcessName("edge"),
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
