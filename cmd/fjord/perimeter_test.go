package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
)

// everyMethod lists the paths of all RPC methods.
func everyMethod() []string {
	var paths []string
	for _, file := range []protoreflect.FileDescriptor{
		roomsv1.File_fjord_rooms_v1_link_proto, roomsv1.File_fjord_rooms_v1_documents_proto,
		roomsv1.File_fjord_rooms_v1_rooms_proto, storagev1.File_fjord_storage_v1_storage_proto,
	} {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				paths = append(paths, fmt.Sprintf("/%s/%s", service.FullName(), service.Methods().Get(j).Name()))
			}
		}
	}
	return append(paths, "/grpc.health.v1.Health/Check", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/metrics", "/readyz")
}

func status(t *testing.T, method, url, secret string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

// What is for services and operators isn't to be had at the websocket port.
func TestWebsocketPortServesNothingElse(t *testing.T) {
	r := start(t, nil, anywhere(t.TempDir())...)
	for _, path := range everyMethod() {
		if code, body := status(t, http.MethodPost, r.urls["editor"]+path, ""); code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d %.80s, want 405", path, code, body)
		}
		if _, body := status(t, http.MethodGet, r.urls["editor"]+path, ""); strings.Contains(body, "{") && !strings.Contains(body, "<html") {
			t.Errorf("GET %s: %.80s", path, body)
		}
	}
}

// Beyond this machine, only who says the secret reaches anything but health.
func TestOthersMustSayTheSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if out, err := program(t.Context(), "make-secret", file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.TrimSpace(string(content))
	r := start(t, nil, anywhere(t.TempDir(), "--rpc", "0.0.0.0:0", "--ops", "0.0.0.0:0", "--rpc-secret", file)...)
	list := "/fjord.storage.v1.StorageService/List"
	for _, test := range []struct {
		method, port, path, secret string
		status                     int
	}{
		{"POST", "rpc", list, "", 401},
		{"POST", "rpc", list, secret + "x", 401},
		{"POST", "rpc", list, secret, 200},
		{"POST", "rpc", "/grpc.health.v1.Health/Check", "", 200},
		{"GET", "ops", "/metrics", "", 401},
		{"GET", "ops", "/metrics", secret, 200},
		{"GET", "ops", "/healthz", "", 200},
	} {
		if code, body := status(t, test.method, r.urls[test.port]+test.path, test.secret); code != test.status {
			t.Errorf("%s %s with %q: %d %.80s, want %d", test.port, test.path, test.secret, code, body, test.status)
		}
	}
	for _, path := range everyMethod() {
		if strings.HasPrefix(path, "/fjord") {
			if code, body := status(t, "POST", r.urls["rpc"]+path, ""); code != 401 && code != 415 {
				t.Errorf("%s: %d %.80s, want 401", path, code, body)
			}
		}
	}
	// Without a secret, metrics are for this machine.
	open := start(t, nil, anywhere(t.TempDir(), "--ops", "0.0.0.0:0")...)
	if code, body := status(t, "GET", open.urls["ops"]+"/metrics", ""); code != 403 || !strings.Contains(body, "--rpc-secret") {
		t.Errorf("metrics without a secret: %d %s, want 403 and what to do", code, body)
	}
}

// As it is started by default, fjord trusts its own machine, but not a web page
// whose name was made to mean this machine.
func TestForeignNamesMeanNobodyHere(t *testing.T) {
	r := start(t, nil, anywhere(t.TempDir())...)
	ask := http.Header{"Content-Type": {"application/json"}}
	upgrade := http.Header{
		"Origin": {"http://evil.test:1234"}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
	}
	for _, test := range []struct {
		method, url string
		header      http.Header
		here        int // to who says 127.0.0.1
	}{
		{"GET", r.urls["editor"], ask, 200},
		{"POST", r.urls["editor"] + "/doc/new", ask, 200},
		{"GET", r.urls["editor"] + "/doc", upgrade, 403}, // for its origin
		{"POST", r.urls["rpc"] + "/fjord.storage.v1.StorageService/List", ask, 200},
		{"POST", r.urls["rpc"] + "/fjord.rooms.v1.RoomsService/ListRooms", ask, 200},
		{"GET", r.urls["ops"] + "/metrics", ask, 200},
	} {
		for host, want := range map[string]int{"": test.here, "evil.test:1234": 403} {
			request, err := http.NewRequest(test.method, test.url, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			request.Header = test.header
			request.Host = host
			response, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if response.StatusCode != want || (host != "" && !strings.Contains(string(body), "localhost")) {
				t.Errorf("%s %s as %q: %d %.80s, want %d", test.method, test.url, host, response.StatusCode, body, want)
			}
		}
	}
}

// certificate writes one for this machine.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// The websocket port ends TLS itself, and a SIGHUP ends nothing.
func TestWebsocketOverTLS(t *testing.T) {
	cert, key := certificate(t)
	r := start(t, nil, anywhere(t.TempDir(), "--tls-cert", cert, "--tls-key", key)...)
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	address, ok := strings.CutPrefix(r.urls["websocket"], "wss://")
	if !ok {
		t.Fatalf("%s, want a wss URL", r.urls["websocket"])
	}
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("%q, want http/1.1: no websocket comes over h2 here", got)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, "GET /doc HTTP/1.1\r\nHost: "+address+"\r\nOrigin: https://"+address+
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v; want an upgrade", response, err)
	}
	// Step 1 of an empty state vector is answered by step 2 and step 1.
	_, _ = conn.Write([]byte{0x82, 0x84, 0, 0, 0, 0, 0, 0, 1, 0})
	answer := make([]byte, 7)
	if _, err := io.ReadFull(reader, answer); err != nil || string(answer) != "\x82\x05\x00\x01\x02\x00\x00" {
		t.Errorf("% x, %v; want step 2", answer, err)
	}
}
