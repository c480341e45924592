// Command edge runs the edge service by itself.
package main

import (
	"context"
	"errors"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/command"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/edge"
)

func main() {
	flags := append(command.EdgeFlags(), command.RoomsURL(), command.Ops("127.0.0.1:9090"))
	os.Exit(command.Main(command.New("edge", "let Yjs clients into Fjord's rooms by websocket", flags, run)))
}

func run(ctx context.Context, cmd *cli.Command) error {
	log, err := command.Logger(cmd)
	rule, ruleErr := command.RoomNameRule(cmd)
	if err := errors.Join(err, ruleErr, command.NoArguments(cmd)); err != nil {
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
	metrics := serve.NewRegistry()
	service, err := edge.New(edge.Config{
		RoomsURLs:      cmd.StringSlice(command.RoomsURLFlag),
		HTTPClient:     serve.NewClient(nil),
		Name:           command.ProcessName("edge"),
		RoomNames:      rule,
		AllowedOrigins: cmd.StringSlice(command.OriginsFlag),
		Auth: edge.Auth{
			Method:    cmd.String(command.AuthFlag),
			Audiences: cmd.StringSlice(command.AudienceFlag),
			Issuer:    cmd.String(command.IssuerFlag),
		},
		Logger:  log,
		Metrics: metrics,
	})
	if err != nil {
		return err
	}
	web := serve.NewServer(service, log)
	web.Serve(edge.Listener(listener))
	ops := serve.NewServer(serve.Ops(metrics, serve.Check{Name: "edge", Ready: service.Ready}), log)
	ops.Serve(opsListener)
	command.Announce("websocket", "ws", listener.Addr())
	command.Announce("ops", "http", opsListener.Addr())

	failure := serve.Wait(ctx, web.Part(), ops.Part())
	log.Info("leaving")
	drain, cancel := command.Stage(ctx, command.EdgeLeaves)
	defer cancel()
	if err := service.Drain(drain); err != nil {
		log.Warn("cutting off sockets that don't answer", "error", err)
	}
	service.Close()
	return errors.Join(failure, web.Shutdown(drain), ops.Shutdown(drain))
}
