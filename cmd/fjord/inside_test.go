package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/internal/roomname"
)

// post sends a body, with a token if there is one, and returns the status.
func (r *running) post(t *testing.T, url, token, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// masked returns a client's frame, masked with zeroes.
func masked(payload string) []byte {
	head := []byte{0x82, 0x80 | 126, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(head[2:], uint16(len(payload)))
	return append(head, payload...)
}

// What is revoked is kept in a log beside the rooms. It is no room: it isn't listed
// among them, and who may do everything in every room can't open, read or write it,
// by whatever way, nor can what is called over RPC.
func TestWhatIsRevokedIsNoRoom(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(revokeSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, nil, anywhere(t.TempDir(), "--auth", "jwt:"+secret)...)
	admin := signedFor(t, "boss", "admin")
	r.operate(t, "Revoke", `{"tokenId": "t1"}`)
	list := r.urls["rpc"] + "/fjord.storage.v1.StorageService/List"
	if status, text := r.post(t, list, "", `{}`); status != http.StatusOK || text != `{}` {
		t.Errorf("list: HTTP %d %s, want no room", status, text)
	}
	_, before := r.post(t, list, "", `{"prefix":"\u0001"}`)
	if !strings.Contains(before, `"lastSeq":"1"`) {
		t.Fatalf("list with a prefix: %s, want the log with its one record", before)
	}

	for _, path := range []string{"%01revocations", "-/ywebsocket/%01revocations", "-/elva/%01revocations", "d/%01revocations/ws/%01revocations"} {
		if status, _ := r.dial(t, path, admin); status != http.StatusBadRequest {
			t.Errorf("websocket to %s: HTTP %d, want 400", path, status)
		}
	}
	web := r.urls["editor"]
	for path, body := range map[string]string{
		"/doc/new":                   `{"docId":"\u0001revocations"}`,
		"/doc/%01revocations/auth":   `{}`,
		"/d/%01revocations/update":   "\x00\x00",
		"/doc/%01revocations/update": "\x00\x00",
	} {
		if status, text := r.post(t, web+path, admin, body); status != http.StatusBadRequest {
			t.Errorf("POST %s: HTTP %d %s, want 400", path, status, text)
		}
	}
	if status, text := r.get(t, web+"/d/%01revocations/as-update"); status != http.StatusBadRequest {
		t.Errorf("GET: HTTP %d %s, want 400", status, text)
	}
	for method, body := range map[string]string{
		"DocumentsService/GetDocument": `{"room":"\u0001revocations"}`,
		"DocumentsService/ApplyUpdate": `{"room":"\u0001revocations","update":"AAA="}`,
		"LinkService/Exists":           `{"room":"\u0001revocations"}`,
		"RoomsService/Release":         `{"room":"\u0001revocations","id":"x","action":"RELEASE_ACTION_RESTORE"}`,
	} {
		status, text := r.post(t, r.urls["rpc"]+"/fjord.rooms.v1."+method, "", body)
		if status != http.StatusBadRequest || !strings.Contains(text, "control character") {
			t.Errorf("%s: HTTP %d %s, want invalid_argument", method, status, text)
		}
	}
	r.addressed(t, admin)

	if _, after := r.post(t, list, "", `{"prefix":"\u0001"}`); after != before {
		t.Errorf("the log is %s, want %s", after, before)
	}
	if status, _ := r.dial(t, "doc", signed(t, "t1")); status != http.StatusUnauthorized {
		t.Errorf("who was revoked: HTTP %d, want 401", status)
	}
}

// addressed asks for the log as a document by name, on a socket that carries many.
func (r *running) addressed(t *testing.T, token string) {
	t.Helper()
	status, conn := r.dial(t, "", token)
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("HTTP %d", status)
	}
	defer conn.Close()
	name := fmt.Sprintf("%c%s", len(roomname.Revocations), roomname.Revocations)
	// A token, and an update on its heels.
	for _, say := range []string{"\x02\x00" + string(binary.AppendUvarint(nil, uint64(len(token)))) + token, "\x00\x02\x02\x00\x00"} {
		if _, err := conn.Write(masked(name + say)); err != nil {
			t.Fatal(err)
		}
	}
	want := name + "\x02\x01\x11permission-denied"
	answer := make([]byte, 2+len(want))
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer[2:]) != want {
		t.Errorf("answered %q, %v; want %q", answer, err, want)
	}
}
