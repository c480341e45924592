package serve_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/internal/serve"
)

const (
	secretA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	secretB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func peers(t *testing.T, c serve.PeersConfig) *serve.Peers {
	t.Helper()
	p, err := serve.OpenPeers(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// listening serves a handler that says hello to peers on TCP.
func listening(t *testing.T, p *serve.Peers) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, "hello over ", r.Proto) })
	serve.MountHealthAndReflection(mux, nil)
	server := serve.NewServer(p.Guard(mux), quiet)
	server.Serve(p.Listener(l))
	t.Cleanup(func() { _ = server.Shutdown(t.Context()) })
	return p.Scheme() + "://" + l.Addr().String()
}

func call(t *testing.T, client *http.Client, url string, header http.Header) (int, string, error) {
	t.Helper()
	defer client.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func TestPeersKnowTheSecret(t *testing.T) {
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "secret"), secretA+"\n\n"+secretB+"\n")
	url := listening(t, peers(t, serve.PeersConfig{Secret: file}))
	stranger := serve.NewClient(nil)
	for name, test := range map[string]struct {
		client *http.Client
		path   string
		say    string
		status int
	}{
		"nothing":      {stranger, "/", "", 401},
		"a wrong one":  {stranger, "/", "Bearer " + secretA + "x", 401},
		"a part":       {stranger, "/", "Bearer " + secretA[1:], 401},
		"an empty one": {stranger, "/", "Bearer ", 401},
		"two at once":  {stranger, "/", "Bearer " + secretA + "\n" + secretB, 0},
		"no scheme":    {stranger, "/", secretA, 401},
		"the first":    {stranger, "/", "Bearer " + secretA, 200},
		"the second":   {stranger, "/", "Bearer " + secretB, 200},
		"a peer":       {peers(t, serve.PeersConfig{Secret: file}).Client(nil), "/", "", 200},
		"a peer whose file has one": {
			peers(t, serve.PeersConfig{Secret: write(t, filepath.Join(dir, "b"), secretB)}).Client(nil), "/", "", 200,
		},
		// Probes know no secret; nothing else comes in by their way.
		"a probe":             {stranger, "/grpc.health.v1.Health/Check", "", 200},
		"a probe's neighbour": {stranger, "/grpc.health.v1.HealthX/Check", "", 401},
		"around a probe":      {stranger, "/grpc.health.v1.Health/../x", "", 401},
		"reflection":          {stranger, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "", 401},
	} {
		header := http.Header{}
		if test.say != "" {
			header.Set("Authorization", test.say)
		}
		status, body, _ := call(t, test.client, url+test.path, header)
		if status != test.status && !(test.status == 401 && status == 307) {
			t.Errorf("%s: %d %s, want %d", name, status, body, test.status)
		}
		if strings.Contains(body, "hello") && test.status != 200 {
			t.Errorf("%s: came through", name)
		}
		if status == 401 && !strings.Contains(body, "rpc-secret") {
			t.Errorf("%s: %q doesn't say what to do", name, body)
		}
	}
}

// A gRPC client hears the refusal in its own words.
func TestRefusalIsGRPCs(t *testing.T) {
	url := listening(t, peers(t, serve.PeersConfig{Secret: write(t, filepath.Join(t.TempDir(), "s"), secretA)}))
	client := serve.NewClient(nil)
	defer client.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodPost, url+"/a.Service/Call", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/grpc+proto")
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	status := response.Header.Get("Grpc-Status") + response.Trailer.Get("Grpc-Status")
	if response.StatusCode != http.StatusOK || status != "16" {
		t.Errorf("%s, grpc-status %q; want 200 and 16", response.Status, status)
	}
}

// A secret is replaced while everything runs: both are accepted for a while.
func TestSecretsAreReadAgain(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "s"), secretA)
	var log strings.Builder
	server := peers(t, serve.PeersConfig{Secret: file, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	url := listening(t, server)
	b := http.Header{"Authorization": {"Bearer " + secretB}}
	for _, step := range []struct {
		content string
		status  int
	}{
		{secretA, 401}, {secretA + "\n" + secretB, 200}, {"short", 200}, {"", 200}, {secretB, 200}, {secretA, 401},
	} {
		write(t, file, step.content)
		for range 3 {
			server.Look()
		}
		if status, _, err := call(t, serve.NewClient(nil), url, b); status != step.status {
			t.Errorf("%q: %d, %v; want %d", step.content, status, err, step.status)
		}
	}
	// Once for each reason, and once when it is well again.
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "the old ones hold") || !strings.Contains(lines[1], "holds no secret") ||
		!strings.Contains(lines[2], "INFO") || strings.Contains(log.String(), secretA) {
		t.Error(log.String())
	}
}

func TestMakeSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s")
	if err := serve.MakeSecret(file); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(file)
	if err != nil || len(first) != 65 {
		t.Errorf("%q, %v; want 32 bytes in hex", first, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := serve.MakeSecret(file); err != nil {
		t.Error(err)
	}
	if again, _ := os.ReadFile(file); string(again) != string(first) {
		t.Error("a secret that was there was replaced")
	}
	peers(t, serve.PeersConfig{Secret: file})
}

func TestPeersThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t, dir, "ca")
	cert, key := ca.issue(t, dir, "a", "127.0.0.1")
	for want, c := range map[string]serve.PeersConfig{
		"shorter than 32":                          {Secret: write(t, filepath.Join(dir, "1"), "short")},
		"holds no secret":                          {Secret: write(t, filepath.Join(dir, "2"), "\n \n")},
		"no such file":                             {Secret: filepath.Join(dir, "none")},
		"want all three or none":                   {Certificate: cert, Key: key},
		"--peer-cert ":                             {Certificate: cert, Key: key, CA: key},
		"private key does not match public key":    {Certificate: cert, Key: ca.key, CA: ca.cert},
		"failed to find any PEM data in key input": {Certificate: cert, Key: write(t, filepath.Join(dir, "3"), "x"), CA: ca.cert},
	} {
		if _, err := serve.OpenPeers(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := peers(t, serve.PeersConfig{Certificate: cert, Key: key, CA: ca.cert}).CheckURL("rooms-url", "http://rooms:7070"); err == nil {
		t.Error("certificates and clear text go together")
	}
}

// authority makes certificates.
type authority struct {
	cert, key string // files
	parsed    *x509.Certificate
	private   *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, dir, name string) *authority {
	t.Helper()
	a := &authority{cert: filepath.Join(dir, name+".pem"), key: filepath.Join(dir, name+".key")}
	a.parsed, a.private = a.make(t, a.cert, a.key, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

// issue writes a certificate for a host and its key.
func (a *authority) issue(t *testing.T, dir, name, host string) (cert, key string) {
	t.Helper()
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	a.make(t, cert, key, template)
	return cert, key
}

var serial int64

func (a *authority) make(t *testing.T, cert, key string, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial++
	template.SerialNumber = big.NewInt(serial)
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.parsed, a.private
	if parent == nil {
		parent, signer = template, private
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, private.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed, private
}

func TestPeersKnowCertificates(t *testing.T) {
	dir := t.TempDir()
	ours, theirs := newAuthority(t, dir, "ours"), newAuthority(t, dir, "theirs")
	with := func(ca *authority, cert, key string) *serve.Peers {
		return peers(t, serve.PeersConfig{Certificate: cert, Key: key, CA: ca.cert})
	}
	cert, key := ours.issue(t, dir, "rooms", "127.0.0.1")
	url := listening(t, with(ours, cert, key))

	edgeCert, edgeKey := ours.issue(t, dir, "edge", "edge.internal")
	status, body, err := call(t, with(ours, edgeCert, edgeKey).Client(nil), url, nil)
	if status != 200 || body != "hello over HTTP/2.0" {
		t.Errorf("a peer: %d %s, %v; want hello over HTTP/2.0", status, body, err)
	}
	strangerCert, strangerKey := theirs.issue(t, dir, "stranger", "127.0.0.1")
	for name, client := range map[string]*http.Client{
		"with another authority's certificate": with(ours, strangerCert, strangerKey).Client(nil),
		"that believes another authority":      with(theirs, edgeCert, edgeKey).Client(nil),
		"without a certificate": {Transport: &http.Transport{TLSClientConfig: &tls.Config{
			InsecureSkipVerify: true,
		}}},
	} {
		if status, body, err := call(t, client, url, nil); err == nil {
			t.Errorf("a stranger %s: %d %s, want no answer", name, status, body)
		}
	}
	if status, body, err := call(t, serve.NewClient(nil), "http"+strings.TrimPrefix(url, "https"), nil); err == nil && status == 200 {
		t.Errorf("in clear text: %d %s", status, body)
	}
	// A certificate is for its host alone.
	wrongCert, wrongKey := ours.issue(t, dir, "wrong", "elsewhere.internal")
	if _, body, err := call(t, with(ours, edgeCert, edgeKey).Client(nil), listening(t, with(ours, wrongCert, wrongKey)), nil); err == nil {
		t.Errorf("at a wrong host: %s, want no answer", body)
	}
}

// serialOf connects and returns the number of the certificate that is shown.
func serialOf(t *testing.T, address string, most uint16) (int64, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, MaxVersion: most})
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
}

// A port's certificate is replaced while it serves; a pair that doesn't fit isn't
// taken over.
func TestCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t, dir, "ca")
	cert, key := ca.issue(t, dir, "web", "127.0.0.1")
	var log strings.Builder
	c, err := serve.OpenCertificate(cert, key, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := serve.NewServer(http.NotFoundHandler(), quiet)
	server.Serve(c.Listener(l))
	defer server.Shutdown(t.Context())
	address := l.Addr().String()

	old, err := serialOf(t, address, 0)
	if err != nil {
		t.Fatal(err)
	}
	otherCert, otherKey := ca.issue(t, dir, "other", "127.0.0.1")
	copyFile(t, otherCert, cert) // its key is still the old one's
	c.Look()
	if got, err := serialOf(t, address, 0); got != old {
		t.Errorf("certificate %d, %v; want the old one, %d", got, err, old)
	}
	if !strings.Contains(log.String(), "the old one holds") {
		t.Errorf("the log doesn't tell: %s", log.String())
	}
	copyFile(t, otherKey, key)
	deadline := time.Now().Add(time.Minute)
	for { // by itself
		got, err := serialOf(t, address, 0)
		if err == nil && got != old {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("certificate %d, %v; want the new one", got, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if _, err := serialOf(t, address, tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	if _, err := serialOf(t, address, tls.VersionTLS12); err != nil {
		t.Error(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(content))
}
