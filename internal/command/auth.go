package command

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// The names of the flags that say who may come in.
const (
	AuthFlag     = "auth"
	AudienceFlag = "jwt-audience"
	IssuerFlag   = "jwt-issuer"
	InsecureFlag = "insecure"
	recheckFlag  = "auth-recheck"
)

// AuthFlags are those of everything that lets people in.
func AuthFlags() []cli.Flag {
	return []cli.Flag{
		text(AuthFlag, "open", "`METHOD` that decides who may come in: open (everybody), basic:FILE (htpasswd), jwt:FILE (public keys in PEM, a JWK Set or a secret), jwt:URL (a JWK Set) or webhook:URL"),
		&cli.StringSliceFlag{
			Name:    AudienceFlag,
			Usage:   "`AUDIENCE` that tokens must be for, with --auth jwt; of several, with commas, one",
			Sources: env(AudienceFlag),
		},
		text(IssuerFlag, "", "`ISSUER` that tokens must be from, with --auth jwt"),
		text(recheckFlag, "0s", "`TIME` within which --auth is asked again, each time, about those who are in; 0s: never"),
		Insecure(),
	}
}

// AuthRecheck reads --auth-recheck.
func AuthRecheck(cmd *cli.Command) (time.Duration, error) {
	d, err := time.ParseDuration(cmd.String(recheckFlag))
	if err != nil {
		return 0, fmt.Errorf("--%s %s: want a time, as in 30s, 5m or 1h, or 0s for never", recheckFlag, cmd.String(recheckFlag))
	}
	return d, nil
}

// exposed refuses to let everybody in from everywhere unless that was said. It
// looks at where the port is, not at how its address was spelt.
func exposed(cmd *cli.Command, where net.Addr) error {
	if !open(cmd) || onlyHere(where) || cmd.Bool(InsecureFlag) {
		return nil
	}
	return fmt.Errorf("--%s %s: other machines reach it, and --%s open lets everybody read and write everything; "+
		"choose another --%s, listen on 127.0.0.1, or say --%s", ListenFlag, where, AuthFlag, AuthFlag, InsecureFlag)
}

// WarnWeb tells of what --insecure lets a websocket port do.
func WarnWeb(cmd *cli.Command, log *slog.Logger, where net.Addr) {
	if open(cmd) && !onlyHere(where) {
		log.Warn("everybody who reaches the websocket port may read and write everything", "listen", where.String())
	}
}

// open reports whether everybody may come in.
func open(cmd *cli.Command) bool {
	method, _, _ := strings.Cut(cmd.String(AuthFlag), ":")
	return method == "" || method == "open"
}

// onlyHere reports whether nobody but this machine reaches an address.
func onlyHere(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
