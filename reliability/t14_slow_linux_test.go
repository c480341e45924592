package reliability_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/fjord-sync/fjord/reliability/fleet"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// TestT14SlowConsumer lets one client of a room read nothing while the others are
// told eight megabytes. They don't wait for it, the edge holds a bounded number of
// bytes for it, and it is told to come back: it misses nothing in silence.
func TestT14SlowConsumer(t *testing.T) {
	t.Parallel()
	y := yjs(t)
	f := open(t, fleet.Config{Args: map[string][]string{fleet.Edge: {"--max-queued", "256KiB", "--max-queued-burst", "512KiB", "--max-frame", "1MiB"}}})
	c := gather(t, f, "slow", 30, 1)
	ctx := within(t, 5*patience)
	before, err := c.round(ctx, 20)
	must(t, err)
	slow, err := deaf(ctx, f.Direct(0)+"/slow-0")
	must(t, err)
	defer slow.Close()
	pid := f.Edges[0].PID()
	had, err := resident(pid, "VmRSS")
	must(t, err)
	// Presence of 16 KiB each is passed on at once and never kept: it fills what
	// waits for the deaf client, without the disk.
	loud, _, err := websocket.DefaultDialer.DialContext(ctx, f.Direct(0)+"/slow-0", nil)
	must(t, err)
	defer loud.Close()
	must(t, errors.Join(loud.WriteMessage(websocket.BinaryMessage, []byte{0, 0, 1, 0}), answered(loud, 1)))
	go func() {
		for { // it takes what it is told
			if _, _, err := loud.ReadMessage(); err != nil {
				return
			}
		}
	}()
	var with []time.Duration
	for clock := range uint64(512) {
		body := lib0.AppendVarString(uints(nil, 1, 9, clock+1), `"`+strings.Repeat("p", 16_000)+`"`)
		must(t, loud.WriteMessage(websocket.BinaryMessage, presence(body)))
		if clock%16 == 0 {
			took, err := c.round(ctx, 1)
			must(t, err)
			with = append(with, took...)
		}
	}
	has, err := resident(pid, "VmRSS")
	must(t, err)
	t.Logf("echo of the others p99 %v, before %v; the edge takes %d KiB more", percentile(with, 99), percentile(before, 99), (has-had)>>10)
	if grown := has - had; grown > 32<<20 {
		t.Errorf("the edge holds %d MiB more for one client that doesn't read, want at most 32", grown>>20)
	}
	// Reading at last, it finds the end behind what the kernel held.
	var network net.Error
	err = answered(slow, 1<<30)
	if errors.As(err, &network) && network.Timeout() {
		t.Error("a client that read nothing of eight megabytes is still connected")
	}
	t.Logf("the deaf client: %v", err)
	must(t, c.judge(y))
}

// deaf is a client that says step 1 and then reads nothing, with small buffers.
func deaf(ctx context.Context, url string) (*websocket.Conn, error) {
	d := websocket.Dialer{NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok {
			err = tcp.SetReadBuffer(4096)
		}
		return conn, err
	}}
	conn, _, err := d.DialContext(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	return conn, conn.WriteMessage(websocket.BinaryMessage, []byte{0, 0, 1, 0})
}
