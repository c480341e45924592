package edge_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/fjord-sync/fjord/services/edge"
)

// unhurried lets clients be silent for as long as a test wants.
func unhurried(c *edge.Config) { c.Limits.FirstMessage = time.Hour }

// A y-websocket client gives up after 30 s without a data frame.
func TestKeepalive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		p := w.sync("doc")
		last := time.Now()
		for i := range 10 {
			p.wantNextWithin(21*time.Second, "01 01 00")
			if gap := time.Since(last); gap != 20*time.Second {
				t.Errorf("keepalive %d after %s, want 20s after the last frame", i, gap)
			}
			last = time.Now()
		}
		// A data frame puts it off: never two within 20 s, never 30 s without.
		time.Sleep(7 * time.Second)
		p.send("00 02 01 05")
		p.want("00 02 01 05")
		p.wantNextWithin(21*time.Second, "01 01 00")
		if gap := time.Since(last); gap != 27*time.Second {
			t.Errorf("keepalive %s after the one before, want 27s", gap)
		}
		_ = p.conn.Close()
	})
}

func TestNoKeepaliveBeforeTheClientSpeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, unhurried)
		p := w.join("doc")
		p.wantNothingFor(5 * time.Minute)
		_ = p.conn.Close()
	})
}

func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, unhurried)
		p := w.join("doc")
		var pings []time.Time
		p.conn.SetPingHandler(func(data string) error {
			pings = append(pings, time.Now())
			return p.conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
		})
		p.wantNothingFor(5 * time.Minute)
		if len(pings) < 15 {
			t.Errorf("%d pings in 5 minutes, want one every 20s", len(pings))
		}
		for i := 1; i < len(pings); i++ {
			if gap := pings[i].Sub(pings[i-1]); gap != 20*time.Second {
				t.Errorf("%s between pings, want 20s", gap)
			}
		}
		_ = p.conn.Close()
	})
}

func TestSilentPeerIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, unhurried)
		p := w.join("doc")
		start := time.Now()
		p.conn.SetPingHandler(func(string) error { return nil }) // and no pong
		_ = p.conn.SetReadDeadline(time.Now().Add(time.Hour))
		_, _, err := p.conn.ReadMessage()
		if err == nil || time.Since(start) != 40*time.Second {
			t.Errorf("%v after %s, want the connection to end after 40s", err, time.Since(start))
		}
	})
}

// A frame that trickles in keeps its connection only while it makes progress.
func TestTricklingFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		p := w.sync("doc")
		// A header that claims a megabyte, and then a byte a second.
		header := []byte{0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 1, 2, 3, 4}
		if _, err := p.conn.NetConn().Write(header); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for time.Since(start) < 10*time.Minute {
			if _, err := p.conn.NetConn().Write([]byte{0}); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		if took := time.Since(start); took < 40*time.Second || took > 42*time.Second {
			t.Errorf("dropped after %s, want 40s", took)
		}
	})
}

func TestDrainInWaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		start := time.Now()
		const n = 100
		ends := make(chan time.Duration, n)
		for range n {
			p := w.sync("doc")
			go func() {
				_ = p.conn.SetReadDeadline(time.Time{})
				for {
					_, _, err := p.conn.ReadMessage()
					var closed *websocket.CloseError
					if errors.As(err, &closed) && closed.Code == websocket.CloseServiceRestart {
						break
					}
					if err != nil {
						t.Errorf("%v, want close 1012", err)
						break
					}
				}
				ends <- time.Since(start)
			}()
		}
		drained := make(chan error, 1)
		go func() { drained <- w.edge.Drain(context.Background()) }()
		synctest.Wait()
		if w.edge.Ready() == nil {
			t.Error("ready while draining")
		}
		_, response, err := w.dial(request{path: "/doc"})
		if err == nil || response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
			t.Errorf("%v, %v while draining; want 503 with Retry-After", response, err)
		}
		if err := <-drained; err != nil {
			t.Error(err)
		}
		perSecond := map[time.Duration]int{}
		for range n {
			perSecond[(<-ends).Truncate(time.Second)]++
		}
		if len(perSecond) != 10 {
			t.Errorf("closed at %v, want 10 in each of 10 seconds", perSecond)
		}
		for at, n := range perSecond {
			if n != 10 {
				t.Errorf("%d closed at %s, want 10", n, at)
			}
		}
	})
}

func TestDrainGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *edge.Config) { c.DrainSpread = time.Hour })
		w.sync("a")
		w.sync("b")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		// Nobody reads, so nobody answers the close frames.
		if err := w.edge.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		start = time.Now()
		w.edge.Close()
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("Close took %s", took)
		}
	})
}
