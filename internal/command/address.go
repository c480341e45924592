package command

import (
	"fmt"
	"net"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/serve"
)

// WebAddress reads --listen, and refuses what would let everybody in from everywhere
// unless that was said. Nothing listens yet.
func WebAddress(cmd *cli.Command) (*net.TCPAddr, error) {
	where, err := address(cmd, ListenFlag)
	if err != nil {
		return nil, err
	}
	return where, exposed(cmd, where)
}

// RPCAddress reads --rpc, and refuses what strangers would reach. It doesn't where
// peers is nil, since who is a peer isn't known then.
func RPCAddress(cmd *cli.Command, peers *serve.Peers) (*net.TCPAddr, error) {
	where, err := address(cmd, RPCFlag)
	if err != nil || peers == nil {
		return where, err
	}
	return where, peersExposed(cmd, peers, where)
}

// OpsAddress reads --ops.
func OpsAddress(cmd *cli.Command) (*net.TCPAddr, error) { return address(cmd, OpsFlag) }

func address(cmd *cli.Command, flag string) (*net.TCPAddr, error) {
	return serve.Resolve("--"+flag, cmd.String(flag))
}

// Take listens at an address that one of the above has read.
func Take(flag string, where *net.TCPAddr) (net.Listener, error) {
	return serve.Listen("--"+flag, where.String())
}

// Announce prints, on standard output, where a port is to be found: what it is,
// then its URL.
func Announce(what, scheme string, address net.Addr) {
	fmt.Fprintf(os.Stdout, "%s %s\n", what, URL(scheme, address))
}

// URL returns the URL of a listener's address. One that listens everywhere is
// found at localhost.
func URL(scheme string, address net.Addr) string {
	host, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return scheme + "://" + address.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
