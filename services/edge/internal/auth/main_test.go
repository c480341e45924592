package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"github.com/fjord-sync/fjord/services/edge/internal/auth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secret is one that is long enough.
const secret = "0123456789abcdef0123456789abcdef0123456789abcdef"

// The issuers' private keys, made once.
var (
	rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	ecKey  = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	edKey  = sync.OnceValue(func() ed25519.PrivateKey {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return must(k, err)
	})
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// public returns public keys in PEM.
func public(keys ...any) string {
	var text []byte
	for _, k := range keys {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(k))})...)
	}
	return string(text)
}

// file writes a file that only its owner may read.
func file(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// open makes an Authenticator that ends with the test.
func open(t testing.TB, c auth.Config) auth.Authenticator {
	t.Helper()
	a, err := auth.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// valid are the claims of somebody who may do something for an hour.
func valid(change jwt.MapClaims) jwt.MapClaims {
	claims := jwt.MapClaims{
		"sub": "ann", "name": "Ann", "jti": "7", "exp": time.Now().Add(time.Hour).Unix(),
		"rooms": []any{map[string]any{"id": "doc", "perm": "rw"}},
	}
	for name, value := range change {
		if value == nil {
			delete(claims, name)
			continue
		}
		claims[name] = value
	}
	return claims
}

// sign returns a token. header is added to its header.
func sign(method jwt.SigningMethod, key any, claims jwt.MapClaims, header map[string]any) string {
	token := jwt.NewWithClaims(method, claims)
	maps.Copy(token.Header, header)
	return must(token.SignedString(key))
}

// with is a request with a bearer token.
func with(token string) auth.Request {
	return auth.Request{Room: "doc", Token: auth.Secret(token), Source: auth.FromHeader}
}

// kindOf names the kind of an error.
func kindOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, auth.ErrUnauthenticated):
		return "unauthenticated"
	case errors.Is(err, auth.ErrForbidden):
		return "forbidden"
	case errors.Is(err, auth.ErrUnavailable):
		return "unavailable"
	default:
		return "none of the kinds: " + err.Error()
	}
}

// ask authenticates and returns the error's kind.
func ask(t testing.TB, a auth.Authenticator, r auth.Request) string {
	t.Helper()
	_, err := a.Authenticate(context.Background(), r)
	return kindOf(err)
}
