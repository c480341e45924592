package serve_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fjord-sync/fjord/internal/pipe"
	"github.com/fjord-sync/fjord/internal/serve"
)

// frail is a connection over which nothing comes any more once it is silent, without
// an end: as when a host dies or a network drops packets.
type frail struct {
	net.Conn
	silent atomic.Bool
}

func (f *frail) Read(p []byte) (int, error) {
	for {
		n, err := f.Conn.Read(p)
		if err != nil || !f.silent.Load() {
			return n, err
		}
	}
}

func (f *frail) Write(p []byte) (int, error) {
	if f.silent.Load() {
		return len(p), nil
	}
	return f.Conn.Write(p)
}

// A peer that is gone without a word is noticed by pings, by both sides: whoever
// serves a stream and whoever reads it are told within seconds, though neither of
// them sends anything.
func TestSilentPeersAreNoticed(t *testing.T) {
	t.Run("by default", func(t *testing.T) { silentPeers(t, 0, 10*time.Second) })
	t.Run("sooner", func(t *testing.T) { silentPeers(t, 3*time.Second, 3*time.Second) })
	t.Run("later", func(t *testing.T) { silentPeers(t, time.Minute, time.Minute) })
	if _, err := serve.OpenPeers(serve.PeersConfig{Silence: time.Millisecond}); err == nil || !strings.Contains(err.Error(), "--max-peer-silence 1ms: want at least 1s") {
		t.Errorf("a millisecond: %v", err)
	}
}

func silentPeers(t *testing.T, silence, want time.Duration) {
	t.Helper()
	peers, err := serve.OpenPeers(serve.PeersConfig{Silence: silence})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		listener := pipe.Listen()
		served := make(chan time.Time, 1)
		server := serve.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			served <- time.Now()
		}), quiet)
		server.LimitSilence(peers.Silence())
		server.Serve(listener)
		defer server.Shutdown(t.Context())
		var conn *frail
		client := peers.Client(func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := listener.Dial(ctx, network, address)
			conn = &frail{Conn: c}
			return conn, err
		})
		defer client.CloseIdleConnections()
		response, err := client.Get("http://pipe/")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		read := make(chan time.Time, 1)
		go func() {
			_, _ = io.Copy(io.Discard, response.Body)
			read <- time.Now()
		}()
		// Pings that are answered keep the stream for as long as it likes.
		time.Sleep(time.Hour)
		select {
		case <-served:
			t.Fatal("a stream on which both are silent ended, as served")
		case <-read:
			t.Fatal("a stream on which both are silent ended, as read")
		default:
		}
		began := time.Now()
		conn.silent.Store(true)
		for who, end := range map[string]chan time.Time{"the server": served, "the client": read} {
			select {
			case at := <-end:
				if took := at.Sub(began); took > want || took < want/2 {
					t.Errorf("%s noticed after %s, want %s at most, and half at least", who, took, want)
				}
			case <-time.After(time.Hour):
				t.Errorf("%s never noticed", who)
			}
		}
	})
}

// frozen is a connection whose end takes nothing and says nothing until it thaws, as
// that of a machine that is moved.
type frozen struct {
	net.Conn
	thaw <-chan struct{}
}

func (f *frozen) Read(p []byte) (int, error) {
	<-f.thaw
	return f.Conn.Read(p)
}

// A peer that may be silent for long may also take nothing for as long.
func TestFrozenPeersAreWaitedFor(t *testing.T) {
	for silence, want := range map[time.Duration]bool{10 * time.Second: false, time.Minute: true} {
		synctest.Test(t, func(t *testing.T) {
			const size = 200 << 10 // more than is on its way
			listener := pipe.Listen()
			server := serve.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(make([]byte, size))
			}), quiet)
			server.LimitSilence(silence)
			server.Serve(listener)
			defer server.Shutdown(t.Context())
			peers, err := serve.OpenPeers(serve.PeersConfig{Silence: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			thaw := make(chan struct{})
			client := peers.Client(func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := listener.Dial(ctx, network, address)
				return &frozen{conn, thaw}, err
			})
			defer client.CloseIdleConnections()
			time.AfterFunc(25*time.Second, func() { close(thaw) })
			got := 0
			response, err := client.Get("http://pipe/")
			if err == nil {
				var body []byte
				body, err = io.ReadAll(response.Body)
				got = len(body)
				_ = response.Body.Close()
			}
			if whole := err == nil && got == size; whole != want {
				t.Errorf("silence %s: %d bytes, %v", silence, got, err)
			}
		})
	}
}
