package fleet

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Direction of bytes through a proxy.
type Direction int

// Up is from the caller to the one behind the proxy, Down is back.
const (
	Up Direction = iota
	Down
)

// Proxy is a TCP address that stays while what is behind it comes and goes. Like a
// network, it can go silent, in both directions or in one, be slow, or reset
// everything; what is silent for a while loses no bytes, as TCP would send them
// again.
type Proxy struct {
	listener net.Listener
	workers  sync.WaitGroup

	mu      sync.Mutex // guards the rest
	target  string
	held    [2]chan struct{} // closed when the direction flows again; nil while it flows
	delay   time.Duration
	loss    float64
	refuse  bool
	conns   map[net.Conn]struct{}
	closed  bool
	relayed [2]int64 // bytes
}

// retransmit is what a lost packet costs: the least that Linux waits before it
// sends it again.
const retransmit = 200 * time.Millisecond

// NewProxy listens on a free port of the loopback.
func NewProxy() (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: listener, conns: make(map[net.Conn]struct{})}
	p.workers.Go(p.accept)
	return p, nil
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Target sets who is behind the proxy from the next connection on; "" is nobody.
func (p *Proxy) Target(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = address
}

// Hold stops the bytes of some directions until Heal.
func (p *Proxy) Hold(directions ...Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range directions {
		if p.held[d] == nil {
			p.held[d] = make(chan struct{})
		}
	}
}

// Slow delays every byte, and as much of them as loss says (0 to 1) by a
// retransmission too.
func (p *Proxy) Slow(delay time.Duration, loss float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay, p.loss = delay, loss
}

// Refuse turns new connections away, and resets those there are.
func (p *Proxy) Refuse() {
	p.mu.Lock()
	p.refuse = true
	p.mu.Unlock()
	p.Cut()
}

// Heal lets everything flow again.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for d, held := range p.held {
		if held != nil {
			close(held)
			p.held[d] = nil
		}
	}
	p.delay, p.loss, p.refuse = 0, 0, false
}

// Cut resets all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
}

// Relayed returns how many bytes have passed in a direction.
func (p *Proxy) Relayed(d Direction) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.relayed[d]
}

// Close ends the proxy and its connections.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Heal()
	_ = p.listener.Close()
	p.Cut()
	p.workers.Wait()
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // out of descriptors: they come back
			continue
		}
		p.workers.Go(func() { p.carry(conn) })
	}
}

// carry is one connection's life.
func (p *Proxy) carry(caller net.Conn) {
	defer caller.Close()
	if !p.register(caller) {
		return
	}
	defer p.forget(caller)
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	if target == "" {
		return
	}
	behind, err := net.DialTimeout("tcp", target, 5*time.Second)
	if err != nil {
		return
	}
	defer behind.Close()
	if !p.register(behind) {
		return
	}
	defer p.forget(behind)
	var directions sync.WaitGroup
	directions.Go(func() { p.relay(behind, caller, Up) })
	directions.Go(func() { p.relay(caller, behind, Down) })
	directions.Wait()
}

func (p *Proxy) register(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.refuse {
		return false
	}
	p.conns[conn] = struct{}{}
	return true
}

func (p *Proxy) forget(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}

// chunk is bytes on their way, not to arrive before due.
type chunk struct {
	data []byte
	due  time.Time
}

// relay copies one direction until either end is gone, and ends both then.
func (p *Proxy) relay(to, from net.Conn, d Direction) {
	way := make(chan chunk, 64)
	var writer sync.WaitGroup
	writer.Go(func() {
		defer to.Close()
		for c := range way {
			if wait := time.Until(c.due); wait > 0 {
				time.Sleep(wait)
			}
			p.wait(d)
			if _, err := to.Write(c.data); err != nil {
				_ = from.Close()
				for range way { // let the reader end
				}
				return
			}
		}
	})
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			way <- chunk{data: append([]byte(nil), buf[:n]...), due: p.due(d, n)}
		}
		if err != nil {
			break
		}
	}
	close(way)
	writer.Wait()
}

func (p *Proxy) due(d Direction, n int) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.relayed[d] += int64(n)
	due := time.Time{}
	if p.delay > 0 {
		due = time.Now().Add(p.delay)
	}
	if p.loss > 0 && rand.Float64() < p.loss {
		due = time.Now().Add(p.delay + retransmit)
	}
	return due
}

func (p *Proxy) wait(d Direction) {
	for {
		p.mu.Lock()
		held := p.held[d]
		p.mu.Unlock()
		if held == nil {
			return
		}
		<-held
	}
}
