package reliability_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/fjord-sync/fjord/reliability/check"
	"github.com/fjord-sync/fjord/reliability/fleet"
	"github.com/fjord-sync/fjord/reliability/typist"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// TestT14SlowConsumer lets one client of a room read nothing while the others are
// told eight megabytes. They don't wait for it, the edge holds a bounded number of
// bytes for it, and it is told to come back: it misses nothing in silence.
func TestT14SlowConsumer(t *testing.T) {
	t.Parallel()
	y := yjs(t)
	f := open(t, fleet.Config{Args: map[string][]string{fleet.Edge: {"--max-queued", "256KiB", "--max-queued-burst", "512KiB", "--max-frame", "1MiB",
		// The loud one isn't held up: the deaf one would read before all was said.
		"--max-bytes-per-second", "1GiB", "--max-messages-per-second", "1000000"}}})
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
	loud, _, err := websocket.DefaultDialer.DialContext(ctx, f.Direct(0)+"/slow-0", nil)
	must(t, err)
	defer loud.Close()
	must(t, errors.Join(loud.WriteMessage(websocket.BinaryMessage, []byte{0, 0, 1, 0}), answered(loud, 1)))
	const shouts, size = 512, 16_000
	heard := make(chan error, shouts+1) // nil for each shout that has come back
	go func() {
		for n := 0; n < shouts; {
			_, message, err := loud.ReadMessage()
			if err != nil {
				heard <- fmt.Errorf("the loud one was cut off after %d shouts: %w", n, err)
				return
			}
			for ; bytes.Contains(message, fmt.Appendf(nil, "shout %d ", n)); n++ {
				heard <- nil
			}
		}
	}()
	// hear waits for so many shouts: who says more than it hears is slow, too.
	hear := func(n int) {
		for range n {
			select {
			case err := <-heard:
				must(t, err)
			case <-ctx.Done():
				t.Fatal("a shout didn't come back")
			}
		}
	}
	author := check.Author{Name: "the loud one"}
	var with []time.Duration
	for n := range uint64(shouts) {
		shout := fmt.Appendf(nil, "shout %d ", n)
		update := typist.Insert(9, n*size, string(shout)+strings.Repeat("!", size-len(shout)))
		author.Said, author.Echoed = append(author.Said, update), append(author.Echoed, true)
		must(t, loud.WriteMessage(websocket.BinaryMessage, lib0.AppendVarBytes([]byte{0, 2}, update)))
		if n%16 == 15 {
			hear(16)
			took, err := c.round(ctx, 1)
			must(t, err)
			with = append(with, took...)
		}
	}
	c.others["slow-0"] = append(c.others["slow-0"], author)
	has, err := resident(pid, "VmRSS")
	must(t, err)
	t.Logf("echo of the others p99 %v, before %v; the edge takes %d KiB more", percentile(with, 99), percentile(before, 99), (has-had)>>10)
	if grown := has - had; grown > 32<<20 {
		t.Errorf("the edge holds %d MiB more for one client that doesn't read, want at most 32", grown>>20)
	}
	limit, err := metric(ctx, "http://"+f.Address(f.Edges[0], "ops")+"/metrics", `fjord_edge_limits_reached_total{limit="max-queued`)
	must(t, err)
	if limit == 0 {
		t.Error("nobody came to the limit of what may wait for a socket")
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

// deaf is a client that says step 1 and then reads nothing. Its buffers are the
// kernel's usual ones: behind a tiny window, reading the backlog takes minutes.
func deaf(ctx context.Context, url string) (*websocket.Conn, error) {
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	return conn, conn.WriteMessage(websocket.BinaryMessage, []byte{0, 0, 1, 0})
}

// metric adds up the samples whose names begin with prefix.
func metric(ctx context.Context, url, prefix string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var sum float64
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), prefix) {
			_, number, _ := strings.Cut(lines.Text(), "} ")
			n, err := strconv.ParseFloat(number, 64)
			if err != nil {
				return 0, err
			}
			sum += n
		}
	}
	return sum, lines.Err()
}
