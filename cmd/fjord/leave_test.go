package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// silent opens a websocket that answers nothing, the server's goodbye included.
func silent(t *testing.T, r *running) net.Conn {
	t.Helper()
	address := strings.TrimPrefix(r.urls["websocket"], "ws://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, _ = io.WriteString(conn, "GET /doc HTTP/1.1\r\nHost: "+address+
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	head := make([]byte, len("HTTP/1.1 101"))
	if _, err := io.ReadFull(conn, head); err != nil || string(head) != "HTTP/1.1 101" {
		t.Fatalf("%q, %v; want an upgrade", head, err)
	}
	return conn
}

// leaving waits until the edge turns newcomers away.
func leaving(t *testing.T, r *running) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		request, _ := http.NewRequest(http.MethodGet, r.urls["editor"]+"/doc", nil)
		request.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusServiceUnavailable {
			if response.Header.Get("Retry-After") == "" {
				t.Error("newcomers aren't told when to come back")
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s, want newcomers turned away", response.Status)
		}
	}
}

// Who doesn't answer when told to come back is cut off when --drain is over.
func TestDrainKeepsItsTime(t *testing.T) {
	r := start(t, nil, anywhere(t.TempDir(), "--drain", "2s")...)
	silent(t, r)
	began := time.Now()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("%v, want an orderly end", err)
	}
	if took := time.Since(began); took < 2*time.Second || took > patience {
		t.Errorf("it took %s, want 2s and a little", took)
	}
}

// While clients are told to come back, newcomers are turned away and the process
// isn't ready. A second SIGTERM ends it at once, however long --drain is.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	r := start(t, nil, anywhere(t.TempDir(), "--drain", "10m")...)
	silent(t, r)
	r.becomesReady(t)
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	leaving(t, r)
	if code, body := r.get(t, r.urls["ops"]+"/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "draining") {
		t.Errorf("/readyz: %d %s, want 503", code, body)
	}
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.cmd.Wait() }()
	select {
	case <-ended:
		if code := r.cmd.ProcessState.ExitCode(); code != 1 {
			t.Errorf("exit code %d, want 1", code)
		}
	case <-time.After(patience):
		t.Fatal("it still lives")
	}
}

// A data directory that was removed is told of, and keeps nobody from ending the
// process: Badger would try for ever to write what it has in memory.
func TestLeaveWithoutDirectory(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	r := start(t, nil, anywhere(data)...)
	r.becomesReady(t)                             // or else another part, which has just begun, may be the one that isn't
	for deadline := time.Now().Add(patience); ; { // storage may have made a file meanwhile
		err := os.RemoveAll(data)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	const reason = "storage: nothing is written, since it is unknown how much space is left"
	if code, body := r.get(t, r.urls["ops"]+"/readyz"); code != http.StatusServiceUnavailable || !strings.HasPrefix(body, reason) {
		t.Errorf("/readyz: %d %s, want 503 and %q", code, body, reason)
	}
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("it still lives")
	}
	if code := r.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if said := r.log.String(); !strings.Contains(said, "has not closed within 10s") {
		t.Errorf("it said\n%s\nwant that the database didn't close", said)
	}
}
