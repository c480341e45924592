package auth_test

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fjord-sync/fjord/services/edge/internal/auth"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// The issuer's keys as a set spells them.
func rsaJWK(kid string) string {
	return fmt.Sprintf(`{"kty":"RSA","use":"sig","kid":%q,"n":%q,"e":%q}`, kid, b64(rsaKey().N.Bytes()), b64(big.NewInt(int64(rsaKey().E)).Bytes()))
}

func ecJWK(kid string) string {
	point := must(ecKey().PublicKey.ECDH()).Bytes()
	return fmt.Sprintf(`{"kty":"EC","crv":"P-256","alg":"ES256","kid":%q,"x":%q,"y":%q}`, kid, b64(point[1:33]), b64(point[33:]))
}

func set(keys ...string) http.HandlerFunc { return says(200, `{"keys":[`+strings.Join(keys, ",")+`]}`) }

// The issuer's tokens.
func byRSA(kid any) auth.Request {
	return with(sign(jwt.SigningMethodRS256, rsaKey(), valid(jwt.MapClaims{"exp": time.Now().Add(100 * time.Hour).Unix()}), kidOf(kid)))
}

func byEC(kid any) auth.Request {
	return with(sign(jwt.SigningMethodES256, ecKey(), valid(jwt.MapClaims{"exp": time.Now().Add(100 * time.Hour).Unix()}), kidOf(kid)))
}

func kidOf(kid any) map[string]any {
	if kid == nil {
		return nil
	}
	return map[string]any{"kid": kid}
}

// issued starts an issuer and an Authenticator that knows its URL.
func issued(t *testing.T, answer http.HandlerFunc) (*service, auth.Authenticator, *logged) {
	t.Helper()
	rsaKey() // outside of what is timed
	s, log := newService(t, answer), &logged{}
	a := open(t, auth.Config{Method: "jwt:https://issuer.test/jwks", HTTPClient: s.client, Logger: slog.New(slog.NewTextHandler(log, nil))})
	return s, a, log
}

func want(t *testing.T, what string, a auth.Authenticator, r auth.Request, kind string) {
	t.Helper()
	if got := ask(t, a, r); got != kind {
		t.Errorf("%s: %s, want %s", what, got, kind)
	}
}

func TestJWKSRotation(t *testing.T) {
	rsaKey()
	synctest.Test(t, func(t *testing.T) {
		issuer, a, _ := issued(t, set(rsaJWK("1")))
		want(t, "the first key", a, byRSA("1"), "ok")
		want(t, "no kid", a, byRSA(nil), "ok")
		time.Sleep(time.Minute)
		issuer.now(set(rsaJWK("1"), ecJWK("2")))
		want(t, "a new key, at once", a, byEC("2"), "ok")
		want(t, "the old one beside it", a, byRSA("1"), "ok")
		if n := issuer.times(); n != 2 {
			t.Errorf("fetched %d times, want 2", n)
		}
		issuer.now(set(ecJWK("2")))
		want(t, "taken back, but not heard of", a, byRSA("1"), "ok")
		time.Sleep(11 * time.Minute)
		want(t, "taken back", a, byRSA("1"), "unauthenticated")
		want(t, "the one that stays", a, byEC("2"), "ok")
	})
}

func TestJWKSOutage(t *testing.T) {
	rsaKey()
	for name, broken := range map[string]http.HandlerFunc{
		"status":    says(503, `{"keys":[]}`),
		"not JSON":  says(200, `<html>`),
		"no keys":   says(200, `{"keys":[]}`),
		"no set":    says(200, `{}`),
		"useless":   says(200, `{"keys":[{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"},{"kty":"PQC"}]}`),
		"too large": says(200, `{"keys":[`+rsaJWK("1")+`],"x":"`+strings.Repeat("x", 300<<10)+`"}`),
		"hangs":     hangs,
		"downgrades": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://issuer.test/jwks", http.StatusFound)
		},
		"loops": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://issuer.test/jwks", http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				issuer, a, log := issued(t, set(rsaJWK("1")))
				want(t, "before", a, byRSA("1"), "ok")
				issuer.now(broken)
				time.Sleep(time.Hour)
				synctest.Wait()
				want(t, "the last good key", a, byRSA("1"), "ok")
				want(t, "a key that can't be learnt", a, byEC("2"), "unavailable")
				if n := strings.Count(log.String(), "can't be fetched"); n != 1 {
					t.Errorf("said %d times that it's down, want once:\n%s", n, log.String())
				}
				issuer.now(set(ecJWK("2")))
				time.Sleep(20 * time.Second)
				want(t, "afterwards", a, byEC("2"), "ok")
				want(t, "what was taken back meanwhile", a, byRSA("1"), "unauthenticated")
			})
		})
	}
}

// An issuer that is down doesn't keep an edge from starting, nor lets it let
// anybody in.
func TestJWKSDownAtStart(t *testing.T) {
	rsaKey()
	synctest.Test(t, func(t *testing.T) {
		issuer, a, _ := issued(t, says(500, ""))
		want(t, "down", a, byRSA("1"), "unavailable")
		issuer.now(set(rsaJWK("1")))
		time.Sleep(16 * time.Second)
		want(t, "up", a, byRSA("1"), "ok")
	})
}

// Anybody can invent a kid: that doesn't make us ask the issuer more than once
// in ten seconds, nor makes others wait.
func TestInventedKids(t *testing.T) {
	rsaKey()
	synctest.Test(t, func(t *testing.T) {
		issuer, a, _ := issued(t, set(rsaJWK("1")))
		synctest.Wait()
		time.Sleep(time.Minute)
		start := time.Now()
		for range 100 {
			var all sync.WaitGroup
			for i := range 10 {
				all.Go(func() { want(t, "invented", a, byRSA(fmt.Sprint("x", i)), "unauthenticated") })
			}
			all.Wait()
			want(t, "honest", a, byRSA("1"), "ok")
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(start); took > 11*time.Second {
			t.Errorf("it took %s", took)
		}
		if n := issuer.times(); n > 3 {
			t.Errorf("fetched %d times in 10 s, want 3 at most, the first included", n)
		}
	})
}

// A set that anybody can fetch can't make a secret of what it says, nor a
// private key needed, nor a key good for what it isn't.
func TestJWKSKeysThatAreNone(t *testing.T) {
	rsaKey()
	synctest.Test(t, func(t *testing.T) {
		_, a, _ := issued(t, set(
			`{"kty":"oct","kid":"s","k":"`+b64([]byte(secret))+`"}`,
			strings.Replace(rsaJWK("enc"), `"use":"sig"`, `"use":"enc"`, 1),
			strings.Replace(ecJWK("alg"), `"ES256"`, `"ES512"`, 1),
			`{"kty":"EC","crv":"P-256","kid":"off","x":"AQ","y":"AQ"}`,
			`{"kty":"RSA","kid":"weak","n":"`+b64(rsaKey().N.Bytes()[:64])+`","e":"AQAB"}`,
			`{"kty":"RSA","kid":"one","n":"`+b64(rsaKey().N.Bytes())+`","e":"AQ"}`,
			ecJWK("good"),
		))
		want(t, "a shared secret", a, with(sign(jwt.SigningMethodHS256, []byte(secret), valid(nil), kidOf("s"))), "unauthenticated")
		want(t, "a shared secret without kid", a, with(sign(jwt.SigningMethodHS256, []byte(secret), valid(nil), nil)), "unauthenticated")
		want(t, "a key for encryption", a, byRSA("enc"), "unauthenticated")
		want(t, "a key of another alg", a, byEC("alg"), "unauthenticated")
		want(t, "a point off the curve", a, byEC("off"), "unauthenticated")
		want(t, "a short key", a, byRSA("weak"), "unauthenticated")
		want(t, "an exponent of 1", a, byRSA("one"), "unauthenticated")
		want(t, "a good one", a, byEC("good"), "ok")
	})
}

// Closing ends a fetch that hangs.
func TestCloseWhileFetching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, hangs)
		a, err := auth.New(auth.Config{Method: "jwt:https://issuer.test/", HTTPClient: s.client})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		start := time.Now()
		a.Close()
		if took := time.Since(start); took != 0 {
			t.Errorf("Close took %s", took)
		}
	})
}
