package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const revokeSecret = "0123456789abcdef0123456789abcdef"

// signed returns a token of ann's for all rooms.
func signed(t *testing.T, id string) string { return signedFor(t, id, "rw") }

func signedFor(t *testing.T, id, perm string) string {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(`{"alg":"HS256"}`)) + "." + b64(fmt.Appendf(nil,
		`{"sub":"ann","jti":%q,"exp":%d,"rooms":[{"prefix":"","perm":%q}]}`, id, time.Now().Add(time.Hour).Unix(), perm))
	mac := hmac.New(sha256.New, []byte(revokeSecret))
	mac.Write([]byte(text))
	return text + "." + b64(mac.Sum(nil))
}

// dial asks for a websocket and returns the status; 101 comes with the connection.
func (r *running) dial(t *testing.T, room, token string) (int, io.ReadWriteCloser) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.urls["editor"]+"/"+room, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}, "Authorization": {"Bearer " + token},
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	conn, ok := response.Body.(io.ReadWriteCloser)
	if !ok {
		_ = response.Body.Close()
	}
	return response.StatusCode, conn
}

// closeCode reads frames until the one that closes.
func closeCode(t *testing.T, from io.Reader) int {
	t.Helper()
	r := bufio.NewReader(from)
	for {
		var head [2]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			t.Fatalf("the connection ended without a close frame: %v", err)
		}
		if head[1] > 125 {
			t.Fatalf("a frame of %d bytes", head[1])
		}
		payload := make([]byte, head[1])
		if _, err := io.ReadFull(r, payload); err != nil {
			t.Fatal(err)
		}
		if head[0] == 0x88 {
			return int(binary.BigEndian.Uint16(payload))
		}
	}
}

// operate calls RoomsService with JSON, as curl does.
func (r *running) operate(t *testing.T, method, body string) string {
	t.Helper()
	response, err := http.Post(r.urls["rpc"]+"/fjord.rooms.v1.RoomsService/"+method, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %s %v", method, body, response.Status, text, err)
	}
	return string(text)
}

// A revocation closes the sockets that are open within a second, and holds across a
// restart.
func TestRevocationOutlivesARestart(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(revokeSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	r := start(t, nil, anywhere(data, "--auth", "jwt:"+secret)...)
	token, other := signed(t, "t1"), signed(t, "t2")
	status, conn := r.dial(t, "doc", token)
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("HTTP %d", status)
	}
	defer conn.Close()
	// A step 1, masked with zeroes.
	if _, err := conn.Write([]byte{0x82, 0x84, 0, 0, 0, 0, 0, 0, 1, 0}); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 2)); err != nil { // it has joined: the answer's head
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	// What is written makes a room: its echo says that it is stored.
	letter := []byte{0, 2, 11, 1, 1, 7, 0, 4, 1, 1, 't', 1, 'a', 0}
	if _, err := conn.Write(append([]byte{0x82, 0x80 | 14, 0, 0, 0, 0}, letter...)); err != nil {
		t.Fatal(err)
	}
	echo := make([]byte, 7+16) // our step 1 comes before it
	if _, err := io.ReadFull(conn, echo[:6]); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, echo[:16]); err != nil {
		t.Fatal(err)
	}
	if string(echo[2:16]) != string(letter) {
		t.Fatalf("% x, want the update", echo[:16])
	}
	revoked := time.Now()
	r.operate(t, "Revoke", `{"tokenId": "t1", "note": "left the team"}`)
	if code := closeCode(t, conn); code != 4401 {
		t.Errorf("closed with %d, want 4401", code)
	}
	took := time.Since(revoked)
	t.Logf("closed %s after Revoke was called", took)
	if took > patience {
		t.Errorf("closed after %s, want a second or so", took)
	}
	refused := func(what string) {
		t.Helper()
		if status, _ := r.dial(t, "doc", token); status != http.StatusUnauthorized {
			t.Errorf("%s: HTTP %d, want 401", what, status)
		}
		if status, conn := r.dial(t, "doc", other); status != http.StatusSwitchingProtocols {
			t.Errorf("%s, with another token: HTTP %d, want 101", what, status)
		} else {
			_ = conn.Close()
		}
		for room, want := range map[string]int{"doc": http.StatusSwitchingProtocols, "never": http.StatusForbidden} {
			status, conn := r.dial(t, room, signedFor(t, "t3", "r"))
			if status != want {
				t.Errorf("%s, a reader of %s: HTTP %d, want %d", what, room, status, want)
			}
			if conn != nil {
				_ = conn.Close()
			}
		}
	}
	refused("afterwards")
	if err := r.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = r.cmd.Wait()
	r = start(t, nil, anywhere(data, "--auth", "jwt:"+secret)...)
	r.becomesReady(t)
	refused("after kill -9")
	if list := r.operate(t, "ListRevocations", `{}`); !strings.Contains(list, "left the team") {
		t.Errorf("%s", list)
	}
	if answer := r.operate(t, "Restore", `{"tokenId": "t1"}`); !strings.Contains(answer, "true") {
		t.Errorf("%s", answer)
	}
	deadline, status := time.Now().Add(patience), 0
	for status != http.StatusSwitchingProtocols {
		if status, conn = r.dial(t, "doc", token); conn != nil {
			_ = conn.Close()
		}
		if time.Now().After(deadline) {
			t.Fatalf("restored: HTTP %d, want 101", status)
		}
	}
}
