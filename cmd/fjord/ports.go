package main

import (
	"net"

	"github.com/fjord-sync/fjord/internal/command"
)

// ports are the addresses that the process is reached at. They are taken before
// the disk is touched: a port that is taken is the commonest reason why a
// start fails.
type ports struct {
	web, rpc, ops net.Listener
}

func listen(c config) (p ports, err error) {
	for _, port := range []struct {
		flag     string
		address  *net.TCPAddr
		listener *net.Listener
	}{
		{command.ListenFlag, c.listen, &p.web},
		{command.RPCFlag, c.rpc, &p.rpc},
		{command.OpsFlag, c.ops, &p.ops},
	} {
		if *port.listener, err = command.Take(port.flag, port.address); err != nil {
			return ports{}, err
		}
	}
	return p, nil
}

// announce prints where everything is, for people and for scripts.
func (p ports) announce(c config) {
	command.Announce("editor", c.certificate.Scheme("http"), p.web.Addr())
	command.Announce("websocket", c.certificate.Scheme("ws"), p.web.Addr())
	command.Announce("rpc", c.peers.Scheme(), p.rpc.Addr())
	command.Announce("ops", "http", p.ops.Addr())
}
