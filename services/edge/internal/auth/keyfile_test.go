package auth_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fjord-sync/fjord/services/edge/internal/auth"
)

// What can't be meant is refused at the start, and above all nothing that looks
// like a public key is taken for a secret.
func TestKeyFilesThatCannotWork(t *testing.T) {
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(ecKey()))})
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	for name, test := range map[string]struct{ content, want string }{
		"empty":               {"", "at least 32"},
		"short secret":        {"hunter2", "at least 32"},
		"secret of newlines":  {strings.Repeat("\n", 100), "at least 32"},
		"private key":         {string(private), "private key"},
		"public and private":  {public(ecKey().Public()) + string(private), "private key"},
		"broken PEM":          {strings.Replace(public(ecKey().Public()), "M", "!", 5), "PEM"},
		"half a PEM":          {public(ecKey().Public())[:80], "PEM"},
		"half a second PEM":   {public(ecKey().Public()) + public(ecKey().Public())[:80], "PEM"},
		"another kind of PEM": {"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "PEM"},
		"SSH":                 {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJbZ0000000000000000000000000000 a@b", "SSH"},
		"short RSA":           {public(must(rsa.GenerateKey(rand.Reader, 1024)).Public()), "2048"},
		"unknown curve":       {public(p224.Public()), "curve"},
		"JSON":                {`{"secret":"0123456789abcdef0123456789abcdef"}`, "no key"},
		"broken JSON":         {`{"keys":`, "JWK Set"},
		"empty set":           {`{"keys":[]}`, "no key"},
		"short secret in set": {`{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}`, "at least 32"},
		"wrong alg in set":    {`{"keys":[{"kty":"oct","alg":"RS256","k":"` + base64.RawURLEncoding.EncodeToString([]byte(secret)) + `"}]}`, "alg"},
		"too large":           {strings.Repeat("x", 300<<10), "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := auth.New(auth.Config{Method: "jwt:" + file(t, test.content)})
			if err == nil {
				a.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want an error with %q", err, test.want)
			}
			if err != nil && len(test.content) > 6 && strings.Contains(err.Error(), test.content[:7]) && test.content[0] != '{' {
				t.Errorf("%q quotes the file", err)
			}
		})
	}
	if _, err := auth.New(auth.Config{Method: "jwt:/nowhere/at/all"}); err == nil {
		t.Error("a file that isn't there is taken")
	}
}

// A key in DER is a key: whoever has it, which is everybody, signs nothing.
func TestDERIsNoSecret(t *testing.T) {
	der := must(x509.MarshalPKIXPublicKey(rsaKey().Public()))
	a := open(t, auth.Config{Method: "jwt:" + file(t, string(der))})
	if got := ask(t, a, with(sign(jwt.SigningMethodHS256, der, valid(nil), nil))); got != "unauthenticated" {
		t.Errorf("signed with the public key's bytes: %s", got)
	}
	if got := ask(t, a, with(sign(jwt.SigningMethodRS256, rsaKey(), valid(nil), nil))); got != "ok" {
		t.Errorf("signed with the private key: %s", got)
	}
}

func TestKeyFileOfAJWKSet(t *testing.T) {
	set := `{"keys":[
		{"kty":"oct","kid":"old","k":"` + base64.RawURLEncoding.EncodeToString([]byte(secret)) + `"},
		{"kty":"oct","kid":"new","alg":"HS512","k":"` + base64.RawURLEncoding.EncodeToString([]byte(secret+"2")) + `"}
	]}`
	a := open(t, auth.Config{Method: "jwt:" + file(t, set)})
	for _, test := range []struct {
		method jwt.SigningMethod
		key    string
		kid    any
		want   string
	}{
		{jwt.SigningMethodHS256, secret, "old", "ok"},
		{jwt.SigningMethodHS512, secret + "2", "new", "ok"},
		{jwt.SigningMethodHS256, secret + "2", "new", "unauthenticated"}, // not its alg
		{jwt.SigningMethodHS256, secret, "new", "unauthenticated"},
		{jwt.SigningMethodHS512, secret + "2", "old", "unauthenticated"},
		{jwt.SigningMethodHS256, secret, "other", "unauthenticated"},
		{jwt.SigningMethodHS512, secret + "2", "", "ok"}, // any key may have signed it
	} {
		token := sign(test.method, []byte(test.key), valid(nil), map[string]any{"kid": test.kid})
		if got := ask(t, a, with(token)); got != test.want {
			t.Errorf("%s of kid %v: %s, want %s", test.method.Alg(), test.kid, got, test.want)
		}
	}
}

func TestSecretThatEverybodyCanReadIsWarnedOf(t *testing.T) {
	for mode, want := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true} {
		path := file(t, secret)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		open(t, auth.Config{Method: "jwt:" + path, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if got := strings.Contains(log.String(), "chmod"); got != want || strings.Contains(log.String(), secret) {
			t.Errorf("mode %o: %s", mode, log.String())
		}
	}
}

func TestMethods(t *testing.T) {
	path := file(t, secret)
	for method, want := range map[string]string{
		"": "", "open": "", "jwt:" + path: "",
		"open:": "want open", ":": "want open", "open:x": "want open", "opne": "want open", "basic": "want open", "basic:": "want open", "jwt:": "want open",
		"webhook:": "want open", "webhook:host/path": "https://", "webhook:ftp://h": "https://", "jwt:https://": "https://",
		"JWT:" + path: "want open",
	} {
		a, err := auth.New(auth.Config{Method: method})
		if err == nil {
			a.Close()
		}
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want an error with %q", method, err, want)
		}
	}
	if _, err := auth.New(auth.Config{Method: "open", Audiences: []string{"x"}}); err == nil {
		t.Error("an audience without tokens is taken")
	}
}

func TestOpen(t *testing.T) {
	a := open(t, auth.Config{})
	for _, token := range []string{"", "anything"} {
		_, access, err := auth.Admit(context.Background(), a, with(token))
		if err != nil || access.ReadOnly() || !access.Presence {
			t.Errorf("%+v, %v; want to write", access, err)
		}
	}
}
