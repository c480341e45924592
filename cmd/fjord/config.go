package main

import (
	"errors"
	"log/slog"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/command"
	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/services/edge"
)

// config is what the flags say.
type config struct {
	listen, rpc, ops string
	data             string
	acceptLoss       bool
	rooms            string
	keepDeleted      bool
	origins          []string
	auth             edge.Auth
	roomNames        roomname.Rule
	log              *slog.Logger
}

func readConfig(cmd *cli.Command) (config, error) {
	log, logErr := command.Logger(cmd)
	rule, ruleErr := command.RoomNameRule(cmd)
	return config{
		listen:      cmd.String(command.ListenFlag),
		rpc:         cmd.String(command.RPCFlag),
		ops:         cmd.String(command.OpsFlag),
		data:        cmd.String(command.DataFlag),
		acceptLoss:  cmd.Bool(command.AcceptLossFlag),
		rooms:       cmd.String(command.RoomsFlag),
		keepDeleted: cmd.Bool(command.KeepDeletedFlag),
		origins:     cmd.StringSlice(command.OriginsFlag),
		auth:        readAuth(cmd),
		roomNames:   rule,
		log:         log,
	}, errors.Join(command.NoArguments(cmd), logErr, ruleErr)
}

func readAuth(cmd *cli.Command) edge.Auth {
	return edge.Auth{
		Method:    cmd.String(command.AuthFlag),
		Audiences: cmd.StringSlice(command.AudienceFlag),
		Issuer:    cmd.String(command.IssuerFlag),
	}
}
