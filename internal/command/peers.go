package command

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/serve"
)

// The flags of how services know one another, and of what the public port
// presents.
const (
	RPCSecretFlag = "rpc-secret"
	PeerCertFlag  = "peer-cert"
	PeerKeyFlag   = "peer-key"
	PeerCAFlag    = "peer-ca"
	TLSCertFlag   = "tls-cert"
	TLSKeyFlag    = "tls-key"
)

// PeerFlags are those of everything that calls other services or is called by
// them.
func PeerFlags() []cli.Flag {
	return append([]cli.Flag{
		text(RPCSecretFlag, "", "`FILE` with the secret by which services know one another, of 32 characters or more; further lines are accepted too"),
		text(PeerCertFlag, "", "`FILE` with this process's certificate for other services, in PEM: they speak TLS and know one another by it"),
		text(PeerKeyFlag, "", "`FILE` with the key of --peer-cert"),
		text(PeerCAFlag, "", "`FILE` with the certificate of the authority that made the other services' certificates"),
	}, LimitFlags(serve.PeerLimits)...)
}

// Insecure lets what is open be reached from other machines.
func Insecure() cli.Flag {
	return &cli.BoolFlag{
		Name:    InsecureFlag,
		Usage:   "let what nothing protects be reached from other machines: --auth open, and --rpc and metrics without --rpc-secret or --peer-cert",
		Sources: env(InsecureFlag),
	}
}

// TLSFlags are those of a public port that ends TLS itself.
func TLSFlags() []cli.Flag {
	return []cli.Flag{
		text(TLSCertFlag, "", "`FILE` with the certificate of the websocket port and its chain, in PEM; read again when it changes"),
		text(TLSKeyFlag, "", "`FILE` with the key of --tls-cert"),
	}
}

var errTLSPair = errors.New("--tls-cert and --tls-key go together: want both or none")

// Certificate reads --tls-cert and --tls-key; nil if neither was given.
func Certificate(cmd *cli.Command, log *slog.Logger) (*serve.Certificate, error) {
	certificate, key := cmd.String(TLSCertFlag), cmd.String(TLSKeyFlag)
	switch {
	case certificate == "" && key == "":
		return nil, nil
	case certificate == "" || key == "":
		return nil, errTLSPair
	}
	return serve.OpenCertificate(certificate, key, log)
}

// Peers reads the files that say who the other services are.
func Peers(cmd *cli.Command, log *slog.Logger) (*serve.Peers, error) {
	c := serve.PeersConfig{
		Secret:      cmd.String(RPCSecretFlag),
		Certificate: cmd.String(PeerCertFlag),
		Key:         cmd.String(PeerKeyFlag),
		CA:          cmd.String(PeerCAFlag),
		Logger:      log,
	}
	if err := ReadLimits(cmd, serve.PeerLimits, &c); err != nil {
		return nil, err
	}
	return serve.OpenPeers(c)
}

// peersExposed refuses to let everybody call the RPC port from everywhere unless
// that was said. It looks at where the port is, as exposed does.
func peersExposed(cmd *cli.Command, peers *serve.Peers, where net.Addr) error {
	if peers.Known() || onlyHere(where) || cmd.Bool(InsecureFlag) {
		return nil
	}
	return fmt.Errorf("--%s %s: other machines reach it, and whoever calls it can read and delete every room; "+
		"give all services --%s FILE (`make-secret FILE` makes one) or --%s, listen on 127.0.0.1, or say --%s",
		RPCFlag, where, RPCSecretFlag, PeerCertFlag, InsecureFlag)
}

// WarnRPC tells of what --insecure lets an RPC port do.
func WarnRPC(log *slog.Logger, peers *serve.Peers, where net.Addr) {
	if !peers.Known() && !onlyHere(where) {
		log.Warn("everybody who reaches the RPC port may read and delete every room", "rpc", where.String())
	}
}

var errMetrics = "metrics are for this machine, or for who says the secret: give --" + RPCSecretFlag +
	", bind --" + OpsFlag + " to 127.0.0.1, or say --" + InsecureFlag

// opsOtherwise: Prometheus scrapes by IP or by a name of this machine.
const opsOtherwise = calledByOthers + "; or say --" + InsecureFlag

// GuardMetrics keeps strangers from /metrics of the operators' port: where other
// machines reach it, they must say the secret; where none does, web pages of any name
// are kept out: see serve.CalledHere. Probes needn't say anything.
func GuardMetrics(cmd *cli.Command, peers *serve.Peers, where net.Addr) func(http.Handler) http.Handler {
	switch {
	case cmd.Bool(InsecureFlag):
		return unguarded
	case onlyHere(where):
		return func(h http.Handler) http.Handler { return serve.CalledHere(h, nil, opsOtherwise) }
	case peers.HasSecret():
		return peers.Guard
	default:
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, errMetrics, http.StatusForbidden)
			})
		}
	}
}
