package command

import (
	"fmt"
	"net"
	"os"
)

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
