// Command storage runs the storage service by itself.
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
	"github.com/fjord-sync/fjord/services/storage"
)

func main() {
	flags := []cli.Flag{
		command.RPC("127.0.0.1:7071"),
		command.Data(),
		command.AcceptLoss(),
		command.Ops("127.0.0.1:9092"),
	}
	flags = append(append(flags, command.PeerFlags()...), command.Insecure())
	os.Exit(command.Main(command.New("storage", "keep the records of Fjord's rooms on disk", flags, run)))
}

func run(ctx context.Context, cmd *cli.Command) error {
	log, logErr := command.Logger(cmd)
	peers, peersErr := command.Peers(cmd, log)
	rpcAddress, rpcErr := command.RPCAddress(cmd, peers)
	opsAddress, opsErr := command.OpsAddress(cmd)
	// All that is wrong is told before anything listens, or touches the disk.
	if err := errors.Join(command.NoArguments(cmd), command.NotEmpty(cmd), logErr, peersErr, rpcErr, opsErr, trace.Check()); err != nil {
		return err
	}
	tracer, err := trace.Open(ctx, "storage", log)
	if err != nil {
		return err
	}
	defer command.EndTrace(ctx, tracer, log)
	rpcListener, err := command.Take(command.RPCFlag, rpcAddress)
	if err != nil {
		return err
	}
	opsListener, err := command.Take(command.OpsFlag, opsAddress)
	if err != nil {
		return err
	}
	command.WarnRPC(log, peers, rpcListener.Addr())
	metrics := serve.NewRegistry()
	service, err := storage.Open(ctx, storage.Config{
		Dir:        cmd.String(command.DataFlag),
		AcceptLoss: cmd.Bool(command.AcceptLossFlag),
		Logger:     log,
		Metrics:    metrics,
		Tracer:     tracer,
	})
	if err != nil {
		return err
	}
	check := serve.Check{Name: "storage", Ready: service.Ready}
	mux := http.NewServeMux()
	service.Register(mux)
	serve.MountHealthAndReflection(mux, storage.Names, check)

	rpc := serve.NewServer(command.GuardRPC(cmd, peers, rpcListener.Addr())(mux), log)
	rpc.LimitSilence(peers.Silence())
	rpc.Serve(peers.Listener(rpcListener))
	guard := command.GuardMetrics(cmd, peers, opsListener.Addr())
	ops := serve.NewServer(serve.Ops(metrics, guard, check), log)
	ops.Serve(opsListener)
	command.OnHangup(ctx, peers.Look)
	command.Announce("rpc", peers.Scheme(), rpcListener.Addr())
	command.Announce("ops", "http", opsListener.Addr())

	failure := serve.Wait(ctx, rpc.Part(), ops.Part(), serve.Part{Failed: service.Failed(), Why: service.Ready})
	log.Info("leaving")
	drain, cancel := command.Stage(ctx, command.StorageLeaves)
	defer cancel()
	return errors.Join(failure, rpc.Shutdown(drain), service.Close(), ops.Shutdown(drain))
}
