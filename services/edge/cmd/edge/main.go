// Command edge runs the edge service by itself.
package main

import (
	"context"
	"errors"
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
	log, err := command.Logger(cmd)
	config, configErr := readConfig(cmd)
	if err := errors.Join(err, configErr, command.NoArguments(cmd)); err != nil {
		return err
	}
	peers, err := command.Peers(cmd, log)
	if err != nil {
		return err
	}
	for _, url := range config.RoomsURLs {
		if err := peers.CheckURL(command.RoomsURLFlag, url); err != nil {
			return err
		}
	}
	certificate, err := command.Certificate(cmd, log)
	if err != nil {
		return err
	}
	listener, err := serve.Listen("--listen", cmd.String(command.ListenFlag))
	if err != nil {
		return err
	}
	if err := command.Exposed(cmd, log, listener.Addr()); err != nil {
		return err
	}
	opsListener, err := serve.Listen("--ops", cmd.String(command.OpsFlag))
	if err != nil {
		return err
	}
	tracer, err := trace.Open(ctx, "edge", log)
	if err != nil {
		return err
	}
	defer command.EndTrace(ctx, tracer, log)
	metrics := serve.NewRegistry()
	config.HTTPClient = peers.Client(nil)
	config.Logger = log
	config.Metrics = metrics
	config.Tracer = tracer
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

// readConfig reads what the flags say.
func readConfig(cmd *cli.Command) (edge.Config, error) {
	rule, ruleErr := command.RoomNameRule(cmd)
	proxies, proxiesErr := command.Proxies(cmd)
	leaves, leavesErr := command.EdgeLeaves(cmd)
	c := edge.Config{
		RoomsURLs:      cmd.StringSlice(command.RoomsURLFlag),
		Name:           command.ProcessName("edge"),
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
