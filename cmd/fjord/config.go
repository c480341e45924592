package main

import (
	"errors"
	"log/slog"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/command"
	"github.com/fjord-sync/fjord/services/edge"
)

// config is what the flags say.
type config struct {
	listen, rpc, ops string
	data             string
	rooms            string
	origins          []string
	roomNames        edge.RoomNames
	log              *slog.Logger
}

func readConfig(cmd *cli.Command) (config, error) {
	log, logErr := command.Logger(cmd)
	rule := edge.AnyName
	if cmd.String(command.RoomNamesFlag) == "elva" {
		rule = edge.ELVANames
	}
	return config{
		listen:    cmd.String(command.ListenFlag),
		rpc:       cmd.String(command.RPCFlag),
		ops:       cmd.String(command.OpsFlag),
		data:      cmd.String(command.DataFlag),
		rooms:     cmd.String(command.RoomsFlag),
		origins:   cmd.StringSlice(command.OriginsFlag),
		roomNames: rule,
		log:       log,
	}, errors.Join(command.NoArguments(cmd), logErr)
}
