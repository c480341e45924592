// Package command is what Fjord's binaries share at the command line: flags with
// their environment twins, signals, one-line errors, and a health check that the
// binary does itself.
package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/internal/trace"
)

// How long each part of a process takes to leave in order before it just leaves.
// Each has a share of its own, so that a socket that doesn't answer can't use up
// the time in which rooms store what they hold. With the four seconds that --drain
// gives edges by default they stay below the ten that container engines give.
const (
	RoomsLeave    = 3 * time.Second
	StorageLeaves = time.Second
	// spansLeave is what a collector gets that doesn't answer.
	spansLeave = 500 * time.Millisecond
)

// Stage returns a context for one part's leaving: it outlives the one that the
// signal ended.
func Stage(ctx context.Context, share time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), share)
}

// EndTrace sends what spans there are; the last thing that a process does.
func EndTrace(ctx context.Context, tracer *trace.Tracer, log *slog.Logger) {
	ctx, cancel := Stage(ctx, spansLeave)
	defer cancel()
	if err := tracer.Close(ctx); err != nil {
		log.Warn("spans were not sent", "error", err)
	}
}

// OnHangup calls look at each SIGHUP until ctx ends: files are to be read again.
// Without it the signal would end the process.
func OnHangup(ctx context.Context, look func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hangups)
		for {
			select {
			case <-hangups:
				look()
			case <-ctx.Done():
				return
			}
		}
	}()
}

// Main runs a command with the process's arguments and returns its exit code.
// The first SIGTERM or SIGINT ends the action's context; a second one ends the
// process at once, which loses nothing that was acknowledged.
func Main(root *cli.Command) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(1)
	}()
	if err := root.Run(ctx, os.Args); err != nil {
		// A service's own errors begin with its name, which is the binary's too.
		fmt.Fprintf(os.Stderr, "%s: %s\n", root.Name, strings.TrimPrefix(oneLine(err), root.Name+": "))
		return 1
	}
	return 0
}

// oneLine keeps an error to the one line that an operator's tools expect.
func oneLine(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
}

// New returns a command whose default action serves, with the subcommands serve,
// healthcheck and make-secret.
func New(name, usage string, flags []cli.Flag, serve cli.ActionFunc) *cli.Command {
	flags = append(flags, LogLevel())
	root := &cli.Command{
		Name:         name,
		Usage:        usage,
		Version:      version(),
		Flags:        flags,
		Action:       serve,
		OnUsageError: UsageError,
		Commands: []*cli.Command{{
			Name:         "serve",
			Usage:        "serve until SIGTERM (the default)",
			Action:       serve,
			OnUsageError: UsageError,
		}, {
			Name:         "healthcheck",
			Usage:        "ask the process that serves with the same --ops whether it is alive; exit 0 if it is",
			Action:       healthcheck,
			OnUsageError: UsageError,
		}, {
			Name:         "make-secret",
			Usage:        "write a new secret for --rpc-secret to FILE, unless it is there",
			ArgsUsage:    "FILE",
			Action:       makeSecret,
			OnUsageError: UsageError,
		}},
		// Main prints errors, in one place and once.
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
	}
	return root
}

func makeSecret(_ context.Context, cmd *cli.Command) error {
	if cmd.Args().Len() != 1 {
		return errors.New("make-secret: want one FILE")
	}
	return serve.MakeSecret(cmd.Args().First())
}

// NoArguments refuses what is left behind the flags: most likely a misspelt
// command.
func NoArguments(cmd *cli.Command) error {
	if cmd.Args().Present() {
		var names []string
		for _, known := range cmd.Root().Commands {
			if known.Name != "help" {
				names = append(names, known.Name)
			}
		}
		return fmt.Errorf("unknown command %q; want one of %s (see --help)", cmd.Args().First(), strings.Join(names, ", "))
	}
	return nil
}

// NotEmpty refuses flags that have a default and are said with nothing in them, as
// by a script whose variable isn't set: without a --data rooms would be kept in
// memory, and without an --auth everybody would come in.
func NotEmpty(cmd *cli.Command) error {
	var wrong []error
	for _, flag := range cmd.Root().Flags {
		if t, ok := flag.(*cli.StringFlag); ok && t.Value != "" && cmd.String(t.Name) == "" {
			wrong = append(wrong, fmt.Errorf("--%s is empty; leave it out (and %s), which means %s", t.Name, twin(t.Name), t.Value))
		}
	}
	return errors.Join(wrong...)
}

// UsageError says what is wrong with a command line, in one line.
func UsageError(_ context.Context, cmd *cli.Command, err error, _ bool) error {
	const unknown = "flag provided but not defined: "
	if name, ok := strings.CutPrefix(err.Error(), unknown); ok {
		return fmt.Errorf("unknown flag --%s; known are %s", strings.TrimLeft(name, "-"), strings.Join(flagNames(cmd), " "))
	}
	// Flags that are values of their own are read later: only switches are read here.
	if value, rest, ok := strings.Cut(strings.TrimPrefix(err.Error(), `invalid value "`), `" for flag -`); ok {
		name, _, _ := strings.Cut(rest, ":")
		return fmt.Errorf("--%s=%s: want true or false", name, value)
	}
	return fmt.Errorf("%w (see --help)", err)
}

func flagNames(cmd *cli.Command) []string {
	flags := cmd.Flags
	if cmd != cmd.Root() {
		flags = append(slices.Clone(flags), cmd.Root().Flags...)
	}
	var names []string
	for _, flag := range flags {
		if name := flag.Names()[0]; len(name) > 1 {
			names = append(names, "--"+name)
		}
	}
	return names
}

// Logger returns a logger that writes JSON to standard error at the level that
// --log-level asks for.
func Logger(cmd *cli.Command) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cmd.String(logLevelFlag))); err != nil {
		return nil, errors.New("--log-level " + cmd.String(logLevelFlag) + ": want debug, info, warn or error")
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})), nil
}
