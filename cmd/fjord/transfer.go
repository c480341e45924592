package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/cmd/fjord/internal/transfer"
	"github.com/fjord-sync/fjord/internal/command"
)

// rpcURLFlag names the process that import and export speak to.
const rpcURLFlag = "rpc-url"

// transfers are the commands that take documents from elsewhere, and give them
// back.
func transfers() []*cli.Command {
	return []*cli.Command{{
		Name:         "import",
		Usage:        "take documents into rooms",
		Action:       wantKind,
		OnUsageError: command.UsageError,
		Commands: []*cli.Command{{
			Name:         "elva",
			Usage:        "take ELVA's files, DIR/<identifier>.y, into the rooms of those names; what a room has stays",
			ArgsUsage:    "DIR",
			Flags:        []cli.Flag{rpcURL(), dryRun()},
			Action:       importELVA,
			OnUsageError: command.UsageError,
		}},
	}, {
		Name:         "export",
		Usage:        "write rooms for other servers",
		Action:       wantKind,
		OnUsageError: command.UsageError,
		Commands: []*cli.Command{{
			Name:         "elva",
			Usage:        "write rooms as ELVA's files, DIR/<room>.y; what a file has stays",
			ArgsUsage:    "DIR [ROOM…]",
			Flags:        []cli.Flag{rpcURL(), storageURL()},
			Action:       exportELVA,
			OnUsageError: command.UsageError,
		}},
	}}
}

// wantKind refuses a kind of file that nobody knows.
func wantKind(_ context.Context, cmd *cli.Command) error {
	return fmt.Errorf("%s what? want %s elva DIR (see --help)", cmd.Name, cmd.FullName())
}

func rpcURL() cli.Flag {
	return &cli.StringFlag{
		Name:    rpcURLFlag,
		Usage:   "`URL` of the --rpc of a process that runs; without it, --data is opened, which no other process may have open",
		Sources: cli.EnvVars("FJORD_RPC_URL"),
	}
}

// storageURL is where rooms are listed, if not where they are read.
func storageURL() cli.Flag {
	return &cli.StringFlag{
		Name:    command.StorageURLFlag,
		Usage:   "`URL` of the --rpc of storage, which lists the rooms, if --rpc-url is that of a rooms process",
		Sources: cli.EnvVars("FJORD_STORAGE_URL"),
	}
}

const dryRunFlag = "dry-run"

func dryRun() cli.Flag {
	return &cli.BoolFlag{Name: dryRunFlag, Usage: "check everything and write nothing", Sources: cli.EnvVars("FJORD_DRY_RUN")}
}

func importELVA(ctx context.Context, cmd *cli.Command) error {
	dir, err := folder(cmd)
	if err != nil {
		return err
	}
	if cmd.Args().Len() > 1 {
		return fmt.Errorf("%q is one argument too many; want %s %s", cmd.Args().Get(1), cmd.FullName(), cmd.ArgsUsage)
	}
	rule, err := command.RoomNameRule(cmd)
	if err != nil {
		return err
	}
	return at(ctx, cmd, func(p *transfer.Place) error {
		return transfer.Import(ctx, p, dir, rule, cmd.Bool(dryRunFlag))
	})
}

func exportELVA(ctx context.Context, cmd *cli.Command) error {
	dir, err := folder(cmd)
	if err != nil {
		return err
	}
	return at(ctx, cmd, func(p *transfer.Place) error {
		return transfer.Export(ctx, p, dir, cmd.Args().Tail())
	})
}

// folder reads the command's first argument, a directory that is there.
func folder(cmd *cli.Command) (string, error) {
	dir := cmd.Args().First()
	if dir == "" {
		return "", fmt.Errorf("no directory; want %s %s", cmd.FullName(), cmd.ArgsUsage)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is no directory", dir)
	}
	return dir, nil
}

// at does the work where the flags say that the rooms are.
func at(ctx context.Context, cmd *cli.Command, work func(*transfer.Place) error) error {
	log, err := command.Logger(cmd)
	if err != nil {
		return err
	}
	if !cmd.IsSet("log-level") {
		// What a server says of itself isn't what somebody at a terminal asked.
		log = slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	s, err := openSeat(ctx, cmd, log)
	if err != nil {
		return err
	}
	p := &transfer.Place{Documents: s.documents, Storage: s.storage, Out: os.Stdout, Refused: os.Stderr}
	return errors.Join(work(p), s.leave())
}
