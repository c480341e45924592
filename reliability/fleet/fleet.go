package fleet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/reliability/tap"
)

// maxMessage lets the largest document through.
const maxMessage = 288 << 20

// Config says what a fleet consists of. The zero Config is one process of each
// service, with a data directory below Dir.
type Config struct {
	// Dir holds logs and, unless Data says otherwise, the data directory.
	Dir string
	// Data is the data directory; empty means Dir/data.
	Data string
	// Tags are the build tags of the binaries.
	Tags string
	// AllInOne runs everything in one process; Edges and Rooms mean nothing then.
	AllInOne bool
	// Edges and Rooms are how many processes there are of each; 0 means 1.
	Edges, Rooms int
	// Args are more arguments for the processes, by binary.
	Args map[string][]string
}

// Fleet is a running Fjord.
type Fleet struct {
	Config
	// All is in the order of a start: storage, rooms, edges; or the one process.
	All     []*Process
	Storage *Process
	Rooms   []*Process
	Edges   []*Process
	// Tap stands before storage; nil all in one.
	Tap *tap.Tap
	// Front has a proxy before each edge (or the one process), Back one before
	// each rooms process; Deep is the one between the tap and storage, nil all in
	// one.
	Front, Back []*Proxy
	Deep        *Proxy

	mu        sync.Mutex // guards addresses
	addresses map[string]string
	client    *http.Client
	logs      []*os.File
}

// Open builds the binaries and wires the fleet. Nothing runs until Start.
func Open(cfg Config) (*Fleet, error) {
	bin, err := Binaries(cfg.Tags)
	if err != nil {
		return nil, err
	}
	if cfg.Data == "" {
		cfg.Data = filepath.Join(cfg.Dir, "data")
	}
	f := &Fleet{Config: cfg, addresses: make(map[string]string), client: serve.NewClient(nil)}
	if cfg.AllInOne {
		err = f.wireOne(bin)
	} else {
		f.Edges, f.Rooms = nil, nil
		err = f.wire(bin)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *Fleet) wireOne(bin string) error {
	front, err := NewProxy()
	if err != nil {
		return err
	}
	f.Front = []*Proxy{front}
	p, err := f.process(bin, AllInOne, AllInOne, []string{"websocket", "rpc", "ops"}, "--data", f.Data)
	if err != nil {
		return err
	}
	f.addressed(p, map[string]func(string){"websocket": front.Target})
	f.Storage, f.Rooms, f.Edges = p, []*Process{p}, []*Process{p}
	f.All = []*Process{p}
	return nil
}

func (f *Fleet) wire(bin string) error {
	f.Tap = tap.New()
	var err error
	f.Storage, err = f.process(bin, Storage, Storage, []string{"rpc", "ops"}, "--data", f.Data)
	if err != nil {
		return err
	}
	if f.Deep, err = NewProxy(); err != nil {
		return err
	}
	f.Tap.Target(f.Deep.Address())
	f.addressed(f.Storage, map[string]func(string){"rpc": f.Deep.Target})
	f.All = append(f.All, f.Storage)
	var urls []string
	for i := range max(f.Config.Rooms, 1) {
		name := fmt.Sprintf("%s-%d", Rooms, i+1)
		storage, err := f.Tap.Port(name)
		if err != nil {
			return err
		}
		back, err := NewProxy()
		if err != nil {
			return err
		}
		p, err := f.process(bin, Rooms, name, []string{"rpc", "ops"}, "--storage-url", "http://"+storage)
		if err != nil {
			return err
		}
		f.addressed(p, map[string]func(string){"rpc": back.Target})
		f.Back, f.Rooms, f.All = append(f.Back, back), append(f.Rooms, p), append(f.All, p)
		urls = append(urls, "http://"+back.Address())
	}
	for i := range max(f.Config.Edges, 1) {
		front, err := NewProxy()
		if err != nil {
			return err
		}
		p, err := f.process(bin, Edge, fmt.Sprintf("%s-%d", Edge, i+1), []string{"websocket", "ops"}, "--rooms-url", strings.Join(urls, ","))
		if err != nil {
			return err
		}
		f.addressed(p, map[string]func(string){"websocket": front.Target})
		f.Front, f.Edges, f.All = append(f.Front, front), append(f.Edges, p), append(f.All, p)
	}
	return nil
}

// listens are the flags for the addresses that processes print.
var listens = map[string]string{"websocket": "--listen", "rpc": "--rpc", "ops": "--ops"}

// ownHost is an address of the loopback that nobody else listens at, where there are
// more than one (Linux has 2^24). The port of a process that has ended is anybody's:
// another test's process may take it, and would be told what the dead one was to hear.
func ownHost() string {
	n := rand.Uint32N(1<<24-2) + 1
	host := net.IPv4(127, byte(n>>16), byte(n>>8), byte(n)).String()
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "127.0.0.1"
	}
	_ = listener.Close()
	return host
}

func (f *Fleet) process(bin, binary, name string, wanted []string, args ...string) (*Process, error) {
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(f.Dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	f.logs = append(f.logs, log)
	host := ownHost()
	for _, kind := range wanted {
		args = append(args, listens[kind], net.JoinHostPort(host, "0"))
	}
	return &Process{
		Name: name, binary: filepath.Join(bin, binary), args: append(args, f.Args[binary]...),
		log: log, wanted: wanted, onAddress: func(string, string) {},
	}, nil
}

// addressed notes where p listens, each time it starts, and tells who must know.
func (f *Fleet) addressed(p *Process, tell map[string]func(string)) {
	p.onAddress = func(kind, address string) {
		f.mu.Lock()
		f.addresses[p.Name+" "+kind] = address
		f.mu.Unlock()
		if t := tell[kind]; t != nil {
			t(address)
		}
	}
}

// Address is where a process listened last: kind is websocket, rpc or ops.
func (f *Fleet) Address(p *Process, kind string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.addresses[p.Name+" "+kind]
}

// Start starts every process that doesn't run, storage first.
func (f *Fleet) Start() error {
	for _, p := range f.All {
		if p.Alive() {
			continue
		}
		if err := p.Start(); err != nil {
			return err
		}
	}
	return nil
}

// Kill kills every process, edges first.
func (f *Fleet) Kill() error {
	var errs error
	for i := len(f.All) - 1; i >= 0; i-- {
		errs = errors.Join(errs, f.All[i].Kill())
	}
	return errs
}

// Drain asks every process to leave, edges first, as an operator would.
func (f *Fleet) Drain(within time.Duration) error {
	var errs error
	for i := len(f.All) - 1; i >= 0; i-- {
		errs = errors.Join(errs, f.All[i].Drain(within))
	}
	return errs
}

// Proxies returns all of them.
func (f *Fleet) Proxies() []*Proxy {
	all := append(append([]*Proxy(nil), f.Front...), f.Back...)
	if f.Deep != nil {
		all = append(all, f.Deep)
	}
	return all
}

// URL is where the i-th client finds its edge, through the proxy.
func (f *Fleet) URL(i int) string { return "ws://" + f.Front[i%len(f.Front)].Address() }

// Direct is the i-th edge without the proxy: until it is started again.
func (f *Fleet) Direct(i int) string {
	return "ws://" + f.Address(f.Edges[i%len(f.Edges)], "websocket")
}

// Documents is a client of the i-th rooms process.
func (f *Fleet) Documents(i int) roomsv1connect.DocumentsServiceClient {
	return roomsv1connect.NewDocumentsServiceClient(f.client, "http://"+f.Address(f.Rooms[i], "rpc"), connect.WithReadMaxBytes(maxMessage))
}

// Operators is a client of the i-th rooms process, for what operators ask of it.
func (f *Fleet) Operators(i int) roomsv1connect.RoomsServiceClient {
	return roomsv1connect.NewRoomsServiceClient(f.client, "http://"+f.Address(f.Rooms[i], "rpc"))
}

// Store is a client of storage, past the tap.
func (f *Fleet) Store() storagev1connect.StorageServiceClient {
	return storagev1connect.NewStorageServiceClient(f.client, "http://"+f.Address(f.Storage, "rpc"), connect.WithReadMaxBytes(maxMessage))
}

// Surprises returns what ended though nobody asked it to.
func (f *Fleet) Surprises() error {
	var errs []error
	for _, p := range f.All {
		errs = append(errs, p.Surprises()...)
	}
	return errors.Join(errs...)
}

// Close kills everything that runs and waits for it.
func (f *Fleet) Close() {
	_ = f.Kill()
	for _, proxy := range f.Proxies() {
		proxy.Close()
	}
	if f.Tap != nil {
		f.Tap.Close()
	}
	f.client.CloseIdleConnections()
	for _, log := range f.logs {
		_ = log.Close()
	}
}
