package pipe_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"github.com/fjord-sync/fjord/internal/pipe"
)

// The standard contract of net.Conn: deadlines, concurrent use, closing.
func TestConnKeepsTheContract(t *testing.T) {
	nettest.TestConn(t, func() (client, server net.Conn, stop func(), err error) {
		l := pipe.Listen()
		accepted := make(chan net.Conn, 1)
		go func() {
			c, acceptErr := l.Accept()
			if acceptErr == nil {
				accepted <- c
			}
		}()
		client, err = l.Dial(t.Context(), "", "")
		if err != nil {
			return nil, nil, nil, err
		}
		server = <-accepted
		return client, server, func() {
			_ = client.Close()
			_ = server.Close()
			_ = l.Close()
		}, nil
	})
}

func TestBytesSurviveAnyWriteSize(t *testing.T) {
	l := pipe.Listen()
	defer l.Close()
	random := rand.New(rand.NewPCG(1, 2))
	want := make([]byte, 1<<20)
	for i := range want {
		want[i] = byte(random.Uint32())
	}
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		for rest := want; len(rest) > 0; {
			n := min(len(rest), 1+random.IntN(200_000))
			if _, err := c.Write(rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
	}()
	c, err := l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("read %d bytes (%v), want the %d that were written", len(got), err, len(want))
	}
}

func TestClosedListenerRefuses(t *testing.T) {
	l := pipe.Listen()
	_ = l.Close()
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v, want net.ErrClosed", err)
	}
	if _, err := l.Dial(t.Context(), "", ""); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Dial after Close: %v, want net.ErrClosed", err)
	}
}

func TestFullBufferHoldsTheWriterUntilItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := pipe.Listen()
		go func() { _, _ = l.Accept() }()
		c, err := l.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetWriteDeadline(time.Now().Add(time.Minute))
		n, err := c.Write(make([]byte, 1<<20))
		if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == 1<<20 {
			t.Errorf("wrote %d bytes with %v, want some of them and a deadline error", n, err)
		}
	})
}

// HTTP/2 in clear text is what the services speak over it.
func TestServesHTTP2(t *testing.T) {
	l := pipe.Listen()
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Protocols:         &protocols,
		ReadHeaderTimeout: time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Proto)
		}),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	transport := &http.Transport{Protocols: &protocols, DialContext: l.Dial}
	client := &http.Client{Transport: transport}
	response, err := client.Get("http://pipe/")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || string(body) != "HTTP/2.0" {
		t.Errorf("got %q (%v), want HTTP/2.0", body, err)
	}
	transport.CloseIdleConnections()
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	<-served
}
