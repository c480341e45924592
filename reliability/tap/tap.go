package tap

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/internal/serve"
)

// maxMessage is above what storage takes, so that it is storage that refuses.
const maxMessage = 64 << 20

// Tap is the middle of all its ports. Its methods may be called from any
// goroutine.
type Tap struct {
	began  time.Time
	client *http.Client

	mu     sync.Mutex // guards the rest
	target string
	ops    []Op
	calls  int // under way, of those that are recorded
	faults Faults
	ports  []*http.Server
	served sync.WaitGroup
}

// Faults are the shares (0 to 1) of append calls that suffer.
type Faults struct {
	LoseRequest float64 // storage never hears of it
	LoseAnswer  float64 // storage has it, rooms doesn't hear so
	Repeat      float64 // storage gets it twice, the first answer is lost
}

// New makes a Tap. Close ends it.
func New() *Tap {
	return &Tap{began: time.Now(), client: serve.NewClient(nil)}
}

// Target sets storage's address, HOST:PORT.
func (t *Tap) Target(address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.target = address
}

// Suffer sets what goes wrong from now on.
func (t *Tap) Suffer(f Faults) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = f
}

// Ops returns what was called so far.
func (t *Tap) Ops() []Op {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Op(nil), t.ops...)
}

// Quiet waits until no call is under way that is to be recorded: one whose caller has
// been killed is recorded a moment later.
func (t *Tap) Quiet(ctx context.Context) error {
	for {
		t.mu.Lock()
		calls := t.calls
		t.mu.Unlock()
		if calls == 0 {
			return nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("tap: %d calls are still under way: %w", calls, ctx.Err())
		}
	}
}

// begin counts a call until what it returns is called.
func (t *Tap) begin() (end func()) {
	count := func(n int) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.calls += n
	}
	count(1)
	return func() { count(-1) }
}

// Forget drops the history: that of rooms that have been checked.
func (t *Tap) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ops = nil
}

// Storage is a client of the storage behind the tap that nobody records.
func (t *Tap) Storage() storagev1connect.StorageServiceClient {
	t.mu.Lock()
	defer t.mu.Unlock()
	return storagev1connect.NewStorageServiceClient(t.client, "http://"+t.target, connect.WithReadMaxBytes(maxMessage))
}

// Port opens an address for one caller and returns it, HOST:PORT.
func (t *Tap) Port(name string) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	mux := http.NewServeMux()
	p, limit := &port{tap: t, name: name}, connect.WithReadMaxBytes(maxMessage)
	mux.Handle(storagev1connect.StorageServiceClaimProcedure, connect.NewUnaryHandler(storagev1connect.StorageServiceClaimProcedure, p.Claim, limit))
	mux.Handle(storagev1connect.StorageServiceAppendProcedure, connect.NewUnaryHandler(storagev1connect.StorageServiceAppendProcedure, p.Append, limit))
	mux.Handle(storagev1connect.StorageServiceLoadProcedure, connect.NewServerStreamHandler(storagev1connect.StorageServiceLoadProcedure, p.Load, limit))
	// Calls that nobody judges go through as they are.
	mux.Handle("/", &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			t.mu.Lock()
			defer t.mu.Unlock()
			r.Out.URL.Scheme, r.Out.URL.Host = "http", t.target
		},
		Transport:     t.client.Transport,
		FlushInterval: -1,
		ErrorLog:      slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	})
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: mux, Protocols: &protocols, ReadHeaderTimeout: time.Minute}
	t.mu.Lock()
	t.ports = append(t.ports, server)
	t.mu.Unlock()
	t.served.Go(func() { _ = server.Serve(listener) })
	return listener.Addr().String(), nil
}

// Close ends all ports.
func (t *Tap) Close() {
	t.mu.Lock()
	ports := t.ports
	t.mu.Unlock()
	for _, server := range ports {
		_ = server.Close()
	}
	t.served.Wait()
	t.client.CloseIdleConnections()
}

// Now is the time on the history's clock.
func (t *Tap) Now() time.Duration { return time.Since(t.began) }

func (t *Tap) record(ops ...Op) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ops = append(t.ops, ops...)
}

func (t *Tap) roll() Faults {
	t.mu.Lock()
	defer t.mu.Unlock()
	happens := func(share float64) float64 {
		if rand.Float64() < share {
			return 1
		}
		return 0
	}
	return Faults{LoseRequest: happens(t.faults.LoseRequest), LoseAnswer: happens(t.faults.LoseAnswer), Repeat: happens(t.faults.Repeat)}
}

// Sum is the hash by which a history knows a record's bytes.
func Sum(data []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(data)
	return h.Sum64()
}

var errLost = connect.NewError(connect.CodeUnavailable, errors.New("lost on the way"))

// port is the storage service as one caller sees it.
type port struct {
	tap  *Tap
	name string
}

func (p *port) Claim(ctx context.Context, r *connect.Request[storagev1.ClaimRequest]) (*connect.Response[storagev1.ClaimResponse], error) {
	defer p.tap.begin()()
	op := Op{Port: p.name, Kind: Claim, Room: r.Msg.GetRoom(), Owner: r.Msg.GetOwner(), Call: p.tap.Now()}
	answer, err := p.tap.Storage().Claim(ctx, connect.NewRequest(r.Msg))
	op.Return = p.tap.Now()
	if err != nil {
		op.Unknown = true
		p.tap.record(op)
		return nil, passOn(err)
	}
	op.HeadEpoch, op.HeadSeq = answer.Msg.GetEpoch(), answer.Msg.GetLastSeq()
	p.tap.record(op)
	return connect.NewResponse(answer.Msg), nil
}

func (p *port) Append(ctx context.Context, r *connect.Request[storagev1.AppendRequest]) (*connect.Response[storagev1.AppendResponse], error) {
	defer p.tap.begin()()
	fate := p.tap.roll()
	called := p.tap.Now()
	send := func() (*connect.Response[storagev1.AppendResponse], error) {
		return p.tap.Storage().Append(ctx, connect.NewRequest(r.Msg))
	}
	if fate.LoseRequest > 0 {
		p.appended(r.Msg, nil, called)
		return nil, errLost
	}
	if fate.Repeat > 0 {
		_, _ = send()
	}
	answer, err := send()
	if err == nil && fate.LoseAnswer > 0 {
		err = errLost
	}
	if err != nil {
		p.appended(r.Msg, nil, called)
		return nil, passOn(err)
	}
	p.appended(r.Msg, answer.Msg, called)
	return connect.NewResponse(answer.Msg), nil
}

func (p *port) appended(asked *storagev1.AppendRequest, answered *storagev1.AppendResponse, called time.Duration) {
	returned := p.tap.Now()
	ops := make([]Op, len(asked.GetItems()))
	for i, item := range asked.GetItems() {
		ops[i] = Op{
			Port: p.name, Kind: Append, Room: item.GetRoom(), Call: called, Return: returned,
			Epoch: item.GetEpoch(), Seq: item.GetSeq(), Data: Sum(item.GetData()), Unknown: true,
		}
		if i >= len(answered.GetResults()) {
			continue
		}
		result := answered.GetResults()[i]
		ops[i].Status, ops[i].HeadEpoch, ops[i].HeadSeq = result.GetStatus(), result.GetHeadEpoch(), result.GetHeadSeq()
		ops[i].Unknown = result.GetStatus() == storagev1.AppendStatus_APPEND_STATUS_UNKNOWN
	}
	p.tap.record(ops...)
}

func (p *port) Load(ctx context.Context, r *connect.Request[storagev1.LoadRequest], to *connect.ServerStream[storagev1.LoadResponse]) error {
	defer p.tap.begin()()
	op := Op{Port: p.name, Kind: Load, Room: r.Msg.GetRoom(), Epoch: r.Msg.GetEpoch(), Call: p.tap.Now()}
	from, err := p.tap.Storage().Load(ctx, connect.NewRequest(r.Msg))
	if err != nil {
		return passOn(err)
	}
	defer from.Close()
	for from.Receive() {
		m := from.Msg()
		if head := m.GetHead(); head != nil {
			op.HeadEpoch, op.HeadSeq, op.Base = head.GetEpoch(), head.GetLastSeq(), head.GetBaseSeq()
		}
		for _, record := range m.GetRecords().GetRecords() {
			op.Records = append(op.Records, Entry{Seq: record.GetSeq(), Data: Sum(record.GetData())})
		}
		if err := to.Send(m); err != nil {
			return err
		}
	}
	if err := from.Err(); err != nil {
		return passOn(err)
	}
	op.Return = p.tap.Now()
	p.tap.record(op)
	return nil
}

// passOn keeps an error's code and details, which are the contract.
func passOn(err error) error {
	var e *connect.Error
	if !errors.As(err, &e) {
		return err
	}
	same := connect.NewError(e.Code(), errors.New(e.Message()))
	for _, detail := range e.Details() {
		same.AddDetail(detail)
	}
	return same
}
