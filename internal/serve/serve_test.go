package serve_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"

	"github.com/fjord-sync/fjord/internal/pipe"
	"github.com/fjord-sync/fjord/internal/serve"
)

var quiet = slog.New(slog.DiscardHandler)

func TestListenSaysWhatWouldBeRight(t *testing.T) {
	taken, err := serve.Listen("--rpc", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]string{
		taken.Addr().String(): "the port is taken",
		"127.0.0.1":           "want HOST:PORT",
		"127.0.0.1:99999":     "want HOST:PORT",
	} {
		_, err := serve.Listen("--rpc", address)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "--rpc ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line that names --rpc and says %q", address, err, want)
		}
	}
}

func get(t *testing.T, handler http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestOps(t *testing.T) {
	var broken error
	ops := serve.Ops(serve.NewRegistry(), nil, serve.Check{Name: "disk", Ready: func() error { return broken }})
	if code, _ := get(t, ops, "/healthz"); code != http.StatusOK {
		t.Errorf("/healthz: %d, want 200", code)
	}
	if code, _ := get(t, ops, "/readyz"); code != http.StatusOK {
		t.Errorf("/readyz: %d, want 200", code)
	}
	broken = errors.New("it is full")
	if code, body := get(t, ops, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "disk: it is full") {
		t.Errorf("/readyz: %d %q, want 503 and the reason", code, body)
	}
	if code, _ := get(t, ops, "/healthz"); code != http.StatusOK {
		t.Errorf("/healthz: %d, want 200 from a process that lives", code)
	}
	if code, body := get(t, ops, "/metrics"); code != http.StatusOK || !strings.Contains(body, "go_goroutines") {
		t.Errorf("/metrics: %d, want Prometheus' text", code)
	}
}

// started serves a handler over a pipe and returns a client for it.
func started(t *testing.T, handler http.Handler) (*serve.Server, *http.Client) {
	t.Helper()
	listener := pipe.Listen()
	server := serve.NewServer(handler, quiet)
	server.Serve(listener)
	return server, serve.NewClient(listener.Dial)
}

func TestHealthAndReflection(t *testing.T) {
	var broken error
	mux := http.NewServeMux()
	serve.MountHealthAndReflection(mux, []string{"a.Service"}, serve.Check{Name: "a", Ready: func() error { return broken }})
	server, client := started(t, mux)
	defer server.Shutdown(t.Context())

	ask := func(body string) string {
		response, err := client.Post("http://pipe/grpc.health.v1.Health/Check", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		answer, _ := io.ReadAll(response.Body)
		return string(answer)
	}
	for body, want := range map[string]string{
		`{}`:                       "SERVING",
		`{"service":"a.Service"}`:  "SERVING",
		`{"service":"no.Service"}`: "unknown service no.Service",
	} {
		if got := ask(body); !strings.Contains(got, want) {
			t.Errorf("health of %s: %s, want %s", body, got, want)
		}
	}
	broken = errors.New("no")
	if got := ask(`{}`); !strings.Contains(got, "NOT_SERVING") {
		t.Errorf("health: %s, want NOT_SERVING", got)
	}

	stream := grpcreflect.NewClient(client, "http://pipe", connect.WithGRPC()).NewStream(t.Context())
	names, err := stream.ListServices()
	if err != nil || len(names) != 2 {
		t.Errorf("reflection lists %v (%v), want a.Service and health", names, err)
	}
	if _, err := stream.Close(); err != nil {
		t.Error(err)
	}
}

// A stream that is open must not hold up the end until its deadline.
func TestShutdownEndsStreams(t *testing.T) {
	entered := make(chan struct{})
	server, client := started(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		close(entered)
		<-r.Context().Done()
	}))
	response, err := client.Get("http://pipe/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func TestWaitTellsOfAListenerThatFailed(t *testing.T) {
	listener := pipe.Listen()
	server := serve.NewServer(http.NotFoundHandler(), quiet)
	server.Serve(listener)
	_ = listener.Close()
	if err := serve.Wait(t.Context(), server.Part()); err == nil {
		t.Error("Wait: nil, want the listener's error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	healthy := serve.NewServer(http.NotFoundHandler(), quiet)
	if err := serve.Wait(ctx, healthy.Part()); err != nil {
		t.Errorf("Wait after the end: %v, want nil", err)
	}
}

// https URLs are called with HTTP/2 over TLS.
func TestClientSpeaksTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	client := serve.NewClient(nil)
	defer client.CloseIdleConnections()
	transport := client.Transport.(*http.Transport)
	transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
	response, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); string(body) != "HTTP/2.0" {
		t.Errorf("spoke %s, want HTTP/2.0", body)
	}
}

// A connection that never spoke must not make an orderly end a failure.
func TestShutdownCutsOffAtItsDeadline(t *testing.T) {
	listener := pipe.Listen()
	server := serve.NewServer(http.NotFoundHandler(), quiet)
	server.Serve(listener)
	silent, err := listener.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v, want the connection cut off", err)
	}
	if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("read: %v, want the end of the connection", err)
	}
}

// Whoever asked once and says no more doesn't keep the connection for ever.
func TestIdleConnectionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := pipe.Listen()
		server := serve.NewServer(http.NotFoundHandler(), quiet)
		server.Serve(listener)
		defer server.Shutdown(t.Context())
		idle, err := listener.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer idle.Close()
		if _, err := idle.Write([]byte("GET / HTTP/1.1\r\nHost: pipe\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		_ = idle.SetReadDeadline(time.Now().Add(time.Hour))
		if answer, err := io.ReadAll(idle); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 404") {
			t.Errorf("%q, %v, want an answer, and the end within the hour", answer, err)
		}
	})
}
