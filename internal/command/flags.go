package command

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/roomname"
)

// The flags' names, for reading them.
const (
	ListenFlag      = "listen"
	RPCFlag         = "rpc"
	OpsFlag         = "ops"
	DataFlag        = "data"
	AcceptLossFlag  = "accept-loss"
	RoomsFlag       = "rooms"
	KeepDeletedFlag = "keep-deleted"
	RoomsURLFlag    = "rooms-url"
	StorageURLFlag  = "storage-url"
	OriginsFlag     = "allow-origin"
	RoomNamesFlag   = "room-names"
	drainFlag       = "drain"
	ProxiesFlag     = "trusted-proxy"
	logLevelFlag    = "log-level"
)

// twin names a flag's environment twin: FJORD_LOG_LEVEL for log-level.
func twin(flag string) string {
	return "FJORD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func env(flag string) cli.ValueSourceChain { return cli.EnvVars(twin(flag)) }

func text(name, value, usage string) cli.Flag {
	return &cli.StringFlag{Name: name, Value: value, Usage: usage, Sources: env(name)}
}

// Listen is the address of the websocket port. HOST and PORT, which many hosts
// set, choose its default: without them it is reached from this machine only.
func Listen() cli.Flag {
	host, port := os.Getenv("HOST"), os.Getenv("PORT")
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = "1234"
	}
	return text(ListenFlag, net.JoinHostPort(host, port), "`HOST:PORT` of the websocket port; PORT 0 takes any free one")
}

// RPC is the address of the Connect and gRPC port.
func RPC(value string) cli.Flag {
	return text(RPCFlag, value, "`HOST:PORT` of the Connect and gRPC port")
}

// Ops is the address of the operators' port.
func Ops(value string) cli.Flag {
	return text(OpsFlag, value, "`HOST:PORT` of /healthz, /readyz and /metrics")
}

// Data is the directory that storage keeps everything in.
func Data() cli.Flag {
	return text(DataFlag, "./fjord-data", "`DIR` that everything is kept in; made if it isn't there")
}

// AcceptLoss goes on with a data directory that is damaged.
func AcceptLoss() cli.Flag {
	return &cli.BoolFlag{
		Name:    AcceptLossFlag,
		Usage:   "open a damaged data directory with what can be read of it; copies of the damaged files are kept",
		Sources: env(AcceptLossFlag),
	}
}

// Rooms is the kind of rooms.
func Rooms() cli.Flag {
	return text(RoomsFlag, "durable", "`KIND` of rooms: durable (on disk), volatile (in memory) or relay (nothing is kept)")
}

// KeepDeleted keeps what Yjs with gc off would keep.
func KeepDeleted() cli.Flag {
	return &cli.BoolFlag{
		Name:    KeepDeletedFlag,
		Usage:   "keep the content of what is deleted, for clients that show a document's history (Yjs with gc off)",
		Sources: env(KeepDeletedFlag),
	}
}

// RoomsURL is where an edge finds the rooms processes.
func RoomsURL() cli.Flag {
	return &cli.StringSliceFlag{
		Name:    RoomsURLFlag,
		Value:   []string{"http://127.0.0.1:7070"},
		Usage:   "`URL` of a rooms process; several, with commas, share the rooms among them",
		Sources: env(RoomsURLFlag),
	}
}

// StorageURL is where rooms finds storage.
func StorageURL() cli.Flag {
	return text(StorageURLFlag, "http://127.0.0.1:7071", "`URL` of the storage process")
}

// AllowOrigin lists web pages that may connect beside those of the same origin.
func AllowOrigin() cli.Flag {
	return &cli.StringSliceFlag{
		Name:    OriginsFlag,
		Usage:   "`ORIGIN` of web pages that may connect, such as https://app.example.com, beside the server's own; * lets all",
		Sources: env(OriginsFlag),
	}
}

// TrustedProxies are those who say truly where a request comes from.
func TrustedProxies() cli.Flag {
	return &cli.StringSliceFlag{
		Name:    ProxiesFlag,
		Usage:   "`NETWORK` of proxies whose X-Forwarded-For and X-Forwarded-Proto count, such as 10.0.0.0/8 or 127.0.0.1; several, with commas",
		Sources: env(ProxiesFlag),
	}
}

// Proxies reads --trusted-proxy.
func Proxies(cmd *cli.Command) ([]netip.Prefix, error) {
	var proxies []netip.Prefix
	var wrong []error
	for _, s := range cmd.StringSlice(ProxiesFlag) {
		if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
			a = a.Unmap()
			proxies = append(proxies, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil || p != p.Masked() || p.Addr().Is4In6() {
			wrong = append(wrong, fmt.Errorf("--%s %s: want an address or a network, as in 127.0.0.1, 10.0.0.0/8 or fd00::/8", ProxiesFlag, s))
			continue
		}
		proxies = append(proxies, p)
	}
	return proxies, errors.Join(wrong...)
}

// Drain is how long an edge takes to leave.
func Drain() cli.Flag {
	return text(drainFlag, "4s", "`TIME` that an edge takes to leave: over half of it clients are told to come back, and at its end it cuts off who is left")
}

// EdgeLeaves reads --drain.
func EdgeLeaves(cmd *cli.Command) (time.Duration, error) {
	d, err := time.ParseDuration(cmd.String(drainFlag))
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("--%s %s: want a time, as in 500ms, 4s or 1m", drainFlag, cmd.String(drainFlag))
	}
	return d, nil
}

// RoomNames is the rule for the names of rooms.
func RoomNames() cli.Flag {
	return text(RoomNamesFlag, "default", "`RULE` for room names: default (1 to 255 bytes of UTF-8 without control characters) or elva (10 to 250 of A-Z a-z 0-9 - _)")
}

// LogLevel is how much is logged.
func LogLevel() cli.Flag {
	return text(logLevelFlag, "info", "`LEVEL`: debug, info, warn or error")
}

// EdgeFlags are those of everything that listens for websockets.
func EdgeFlags() []cli.Flag {
	flags := append([]cli.Flag{Listen()}, TLSFlags()...)
	flags = append(flags, AllowOrigin(), TrustedProxies(), RoomNames(), Drain())
	return append(flags, AuthFlags()...)
}

// RoomNameRule reads --room-names.
func RoomNameRule(cmd *cli.Command) (roomname.Rule, error) {
	switch name := cmd.String(RoomNamesFlag); name {
	case "default":
		return roomname.Default, nil
	case "elva":
		return roomname.ELVA, nil
	default:
		return nil, fmt.Errorf("--room-names %s: want default or elva", name)
	}
}

// ProcessName names this process to others and in logs: what it is, where, and
// its number there.
func ProcessName(what string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s@%s/%d", what, host, os.Getpid())
}
