package command

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/serve"
)

const (
	calledByOthers = "this server is open to its own machine, and was called by a name that isn't this machine's: say localhost or 127.0.0.1"
	webOtherwise   = calledByOthers + "; or let it know the name with --" + OriginsFlag + " https://NAME, choose an --" + AuthFlag + ", or say --" + InsecureFlag
	rpcOtherwise   = calledByOthers + "; or give --" + RPCSecretFlag + " or --" + PeerCertFlag + ", or say --" + InsecureFlag
)

// GuardWeb keeps web pages of any name from a websocket port that lets everybody
// in because only this machine reaches it: see serve.CalledHere. The hosts of
// --allow-origin are known.
func GuardWeb(cmd *cli.Command, where net.Addr) func(http.Handler) http.Handler {
	known := make(map[string]bool)
	for _, origin := range cmd.StringSlice(OriginsFlag) {
		if origin == "*" {
			return unguarded
		}
		if u, err := url.Parse(origin); err == nil && u.Hostname() != "" { // edge.New says what is wrong with others
			known[strings.ToLower(u.Hostname())] = true
		}
	}
	if !open(cmd) || !onlyHere(where) || cmd.Bool(InsecureFlag) {
		return unguarded
	}
	return func(h http.Handler) http.Handler { return serve.CalledHere(h, known, webOtherwise) }
}

// GuardRPC keeps strangers from an RPC port: those who aren't known as peers, or,
// where nobody is because only this machine reaches it, what GuardWeb keeps out.
func GuardRPC(cmd *cli.Command, peers *serve.Peers, where net.Addr) func(http.Handler) http.Handler {
	if peers.Known() || !onlyHere(where) || cmd.Bool(InsecureFlag) {
		return peers.Guard
	}
	return func(h http.Handler) http.Handler { return serve.CalledHere(h, nil, rpcOtherwise) }
}

func unguarded(h http.Handler) http.Handler { return h }
