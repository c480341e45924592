package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fjord-sync/fjord/services/edge/internal/auth"
)

func TestJWTMethods(t *testing.T) {
	p384, p521 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)), must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	for _, test := range []struct {
		method jwt.SigningMethod
		key    any
		file   string
	}{
		{jwt.SigningMethodHS256, []byte(secret), secret + "\n"},
		{jwt.SigningMethodHS384, []byte(secret), secret},
		{jwt.SigningMethodHS512, []byte(secret), secret + "\r\n"},
		{jwt.SigningMethodRS256, rsaKey(), public(rsaKey().Public())},
		{jwt.SigningMethodRS512, rsaKey(), public(rsaKey().Public())},
		{jwt.SigningMethodPS256, rsaKey(), public(rsaKey().Public())},
		{jwt.SigningMethodES256, ecKey(), public(ecKey().Public())},
		{jwt.SigningMethodES384, p384, public(p384.Public())},
		{jwt.SigningMethodES512, p521, public(p521.Public())},
		{jwt.SigningMethodEdDSA, edKey(), public(edKey().Public())},
		{jwt.SigningMethodEdDSA, edKey(), public(rsaKey().Public(), ecKey().Public(), edKey().Public())},
	} {
		t.Run(test.method.Alg(), func(t *testing.T) {
			a := open(t, auth.Config{Method: "jwt:" + file(t, test.file)})
			exp := time.Now().Add(time.Hour).Truncate(time.Second)
			claims, err := a.Authenticate(context.Background(), with(sign(test.method, test.key, valid(jwt.MapClaims{"exp": exp.Unix()}), nil)))
			if err != nil {
				t.Fatal(err)
			}
			want := auth.Claims{
				Subject: "ann", TokenID: "7", Display: map[string]string{"name": "Ann"}, Expires: exp.Add(30 * time.Second),
				Grants: []auth.Grant{{Room: "doc", Level: auth.Write, Presence: true, Create: true}},
			}
			if !reflect.DeepEqual(claims, want) {
				t.Errorf("%+v, want %+v", claims, want)
			}
		})
	}
}

// raw makes a token of any header and claims, signed with HS256.
func raw(header, claims string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	return text + "." + base64.RawURLEncoding.EncodeToString(must(jwt.SigningMethodHS256.Sign(text, []byte(secret))))
}

func spell(claims jwt.MapClaims) string { return string(must(json.Marshal(claims))) }

// sign2 signs a whole token, as a nested JWT would be (RFC 7519, appendix A.2).
func sign2(token string) string { return raw(`{"alg":"HS256","cty":"JWT"}`, `"`+token+`"`) }

const hs256 = `{"alg":"HS256","typ":"JWT"}`

// The attacks of RFC 8725, section 2, and others, on an edge that knows an RSA,
// an ECDSA and an Ed25519 key, or a secret.
func TestJWTAttacks(t *testing.T) {
	pem := public(rsaKey().Public())
	keys := open(t, auth.Config{Method: "jwt:" + file(t, public(rsaKey().Public(), ecKey().Public(), edKey().Public()))})
	shared := open(t, auth.Config{Method: "jwt:" + file(t, secret)})
	good := sign(jwt.SigningMethodHS256, []byte(secret), valid(nil), nil)
	parts := strings.Split(good, ".")
	other := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	unsigned := strings.TrimSuffix(sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, valid(nil), nil), ".")
	for _, test := range []struct {
		name  string
		a     auth.Authenticator
		token string
		want  string // in the error
	}{
		{"nothing", shared, "", "want a token"},
		{"alg none", shared, unsigned + ".", "signature"},
		{"alg none, against public keys", keys, unsigned + ".", "signature"},
		{"alg nOnE", shared, raw(`{"alg":"nOnE"}`, spell(valid(nil))), "malformed"},
		{"alg none with a signature", shared, unsigned + "." + parts[2], "signature"},
		{"no alg", shared, raw(`{"typ":"JWT"}`, spell(valid(nil))), "malformed"},
		{"alg is a number", shared, raw(`{"alg":256}`, spell(valid(nil))), "malformed"},
		{"two algs", shared, raw(`{"alg":"none","alg":"HS256"}`, spell(valid(nil))), "malformed"},
		{"no signature", shared, parts[0] + "." + parts[1] + ".", "signature"},
		{"signature stripped", shared, parts[0] + "." + parts[1], "malformed"},
		{"four parts", shared, good + ".x", "malformed"},
		{"half a signature", shared, good[:len(good)-23], "signature"},
		{"padding", shared, good + "=", "malformed"},
		{"another secret", shared, sign(jwt.SigningMethodHS256, []byte(secret+"x"), valid(nil), nil), "signature"},
		{"another secret, that of nobody", shared, sign(jwt.SigningMethodHS256, []byte{}, valid(nil), nil), "signature"},
		{"HS/RS confusion: PEM as secret", keys, sign(jwt.SigningMethodHS256, []byte(pem), valid(nil), nil), "no key fits"},
		{"HS/RS confusion: trimmed", keys, sign(jwt.SigningMethodHS512, []byte(strings.TrimSpace(pem)), valid(nil), nil), "no key fits"},
		{"HS/EdDSA confusion: raw key as secret", keys, sign(jwt.SigningMethodHS256, []byte(edKey().Public().(ed25519.PublicKey)), valid(nil), nil), "no key fits"},
		{"RS against a secret", shared, sign(jwt.SigningMethodRS256, rsaKey(), valid(nil), nil), "no key fits"},
		{"another key of the same type", keys, sign(jwt.SigningMethodES256, other, valid(nil), nil), "signature"},
		{"ES256 of zeroes", keys, strings.Join(strings.Split(sign(jwt.SigningMethodES256, other, valid(nil), nil), ".")[:2], ".") + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64)), "signature"},
		{"a curve that no key has", keys, sign(jwt.SigningMethodES384, must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)), valid(nil), nil), "no key fits"},
		{"its own key in the header", keys, sign(jwt.SigningMethodES256, other, valid(nil), map[string]any{"jwk": map[string]any{"kty": "EC", "crv": "P-256"}}), "signature"},
		{"its own key at a URL", keys, sign(jwt.SigningMethodES256, other, valid(nil), map[string]any{"jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/"}), "signature"},
		{"kid is a path", keys, sign(jwt.SigningMethodES256, other, valid(nil), map[string]any{"kid": "../../../../dev/null"}), "signature"},
		{"kid is SQL", keys, sign(jwt.SigningMethodES256, other, valid(nil), map[string]any{"kid": "x' UNION SELECT 'key"}), "signature"},
		{"kid is no string", shared, sign(jwt.SigningMethodHS256, []byte(secret), valid(nil), map[string]any{"kid": []string{"a"}}), "malformed"},
		{"two kids", shared, raw(`{"alg":"HS256","kid":"a","kid":"b"}`, spell(valid(nil))), "malformed"},
		{"crit", shared, sign(jwt.SigningMethodHS256, []byte(secret), valid(nil), map[string]any{"crit": []string{"b64"}, "b64": false}), "crit"},
		{"crit of nothing", shared, sign(jwt.SigningMethodHS256, []byte(secret), valid(nil), map[string]any{"crit": nil}), "crit"},
		{"b64 that isn't critical", shared, raw(`{"alg":"HS256","b64":false}`, spell(valid(nil))), "crit"},
		{"a token in a token", shared, sign2(good), "malformed"},
		{"encrypted (five parts)", shared, good + ".x.y", "malformed"},
		{"issued tomorrow", shared, sign(jwt.SigningMethodHS256, []byte(secret), valid(jwt.MapClaims{"iat": time.Now().Add(24 * time.Hour).Unix()}), nil), "yet"},
		{"iat is text", shared, raw(hs256, `{"exp":9999999999,"iat":"now"}`), "claims"},
		{"claims in claims", shared, raw(hs256, `{"claims":{"exp":9999999999}}`), "no exp"},
		{"header is a list", shared, raw(`["HS256"]`, spell(valid(nil))), "malformed"},
		{"two headers", shared, raw(hs256+hs256, spell(valid(nil))), "malformed"},
		{"huge", shared, sign(jwt.SigningMethodHS256, []byte(secret), valid(jwt.MapClaims{"x": strings.Repeat("x", 8<<10)}), nil), "larger"},
		{"huge and no token", shared, strings.Repeat("a.", 1<<20), "larger"},
		{"deep", shared, raw(hs256, `{"exp":9999999999,"x":`+strings.Repeat("[", 3000)+strings.Repeat("]", 3000)+`}`), "malformed"},
		{"expired", shared, sign(jwt.SigningMethodHS256, []byte(secret), valid(jwt.MapClaims{"exp": time.Now().Add(-31 * time.Second).Unix()}), nil), "has expired"},
		{"expired, and forged", shared, sign(jwt.SigningMethodHS256, []byte(secret+"x"), valid(jwt.MapClaims{"exp": 1}), nil), "signature"},
		{"no exp", shared, sign(jwt.SigningMethodHS256, []byte(secret), valid(jwt.MapClaims{"exp": nil}), nil), "no exp"},
		{"exp in other letters", shared, sign(jwt.SigningMethodHS256, []byte(secret), valid(jwt.MapClaims{"exp": nil, "Exp": 9999999999}), nil), "no exp"},
		{"exp is text", shared, sign(jwt.SigningMethodHS256, []byte(secret), valid(jwt.MapClaims{"exp": "9999999999"}), nil), "claims"},
		{"exp is null", shared, raw(hs256, `{"exp":null}`), "claims"},
		{"exp is 0", shared, raw(hs256, `{"exp":0}`), "claims"},
		{"exp overflows", shared, raw(hs256, `{"exp":1e300}`), "claims"},
		{"exp just overflows", shared, raw(hs256, `{"exp":9223372036854775807}`), "claims"},
		{"two exps", shared, raw(hs256, `{"exp":9999999999,"exp":9999999999}`), "claims"},
		{"two exps, one escaped", shared, raw(hs256, `{"exp":9999999999,"\u0065xp":9999999999}`), "claims"},
		{"two members in a grant", shared, raw(hs256, `{"exp":9999999999,"rooms":[{"id":"a","perm":"r","perm":"rw"}]}`), "claims"},
		{"claims and more", shared, raw(hs256, `{"exp":9999999999}{}`), "malformed"},
		{"claims are no object", shared, raw(hs256, `"exp"`), "malformed"},
		{"claims are null", shared, raw(hs256, `null`), "no exp"},
		{"not yet", shared, sign(jwt.SigningMethodHS256, []byte(secret), valid(jwt.MapClaims{"nbf": time.Now().Add(time.Minute).Unix()}), nil), "yet"},
		{"for somebody, and nobody says that it's us", shared, sign(jwt.SigningMethodHS256, []byte(secret), valid(jwt.MapClaims{"aud": "bank"}), nil), "audience"},
		{"sub is no string", shared, sign(jwt.SigningMethodHS256, []byte(secret), valid(jwt.MapClaims{"sub": 1}), nil), "claims"},
		{"rooms is no list", shared, raw(hs256, `{"exp":9999999999,"rooms":{"id":"a","perm":"r"}}`), "claims"},
		{"a grant of nothing", shared, raw(hs256, `{"exp":9999999999,"rooms":[{"perm":"r"}]}`), "claims"},
		{"a grant of the empty room", shared, raw(hs256, `{"exp":9999999999,"rooms":[{"id":"","perm":"r"}]}`), "claims"},
		{"a grant of two things", shared, raw(hs256, `{"exp":9999999999,"rooms":[{"id":"a","prefix":"b","perm":"r"}]}`), "claims"},
		{"an unknown level", shared, raw(hs256, `{"exp":9999999999,"rooms":[{"id":"a","perm":"root"}]}`), "claims"},
		{"no level", shared, raw(hs256, `{"exp":9999999999,"rooms":[{"id":"a"}]}`), "claims"},
		{"a level in other letters", shared, raw(hs256, `{"exp":9999999999,"rooms":[{"id":"a","perm":"r","PERM":"rw"}]}`), "claims"},
		{"an unknown condition", shared, raw(hs256, `{"exp":9999999999,"rooms":[{"id":"a","perm":"r","until":"noon"}]}`), "claims"},
		{"a null flag", shared, raw(hs256, `{"exp":9999999999,"rooms":[{"id":"a","perm":"r","awareness":null}]}`), "claims"},
		{"a flag that is none", shared, raw(hs256, `{"exp":9999999999,"rooms":[{"id":"a","perm":"r","create":"yes"}]}`), "claims"},
		{"a null prefix", shared, raw(hs256, `{"exp":9999999999,"rooms":[{"prefix":null,"perm":"r"}]}`), "claims"},
	} {
		t.Run(test.name, func(t *testing.T) {
			claims, err := test.a.Authenticate(context.Background(), with(test.token))
			if kindOf(err) != "unauthenticated" || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("%+v, %v; want a refusal with %q", claims, err, test.want)
			}
			for part := range strings.SplitSeq(test.token, ".") {
				if len(part) > 8 && strings.Contains(err.Error(), part[:8]) {
					t.Errorf("%q quotes the token", err)
				}
			}
		})
	}
	// What all of them but one thing are.
	for name, token := range map[string]string{
		"as it should be":      good,
		"with a kid":           sign(jwt.SigningMethodHS256, []byte(secret), valid(nil), map[string]any{"kid": "any"}),
		"within the leeway":    sign(jwt.SigningMethodHS256, []byte(secret), valid(jwt.MapClaims{"exp": time.Now().Add(-20 * time.Second).Unix()}), nil),
		"issued just now":      sign(jwt.SigningMethodHS256, []byte(secret), valid(jwt.MapClaims{"iat": time.Now().Add(20 * time.Second).Unix()}), nil),
		"almost valid":         sign(jwt.SigningMethodHS256, []byte(secret), valid(jwt.MapClaims{"nbf": time.Now().Add(20 * time.Second).Unix()}), nil),
		"no rooms":             raw(hs256, `{"exp":9999999999}`),
		"what nobody asked":    raw(hs256, `{"exp":9999999999.5,"x":{"y":[1,null,{}]},"email":"a@b"}`),
		"without awareness":    raw(hs256, `{"exp":9999999999,"rooms":[{"prefix":"","perm":"admin","awareness":false}]}`),
		"written over lines":   raw("{\n \"alg\" : \"HS256\"\n}", "{\n\"exp\" : 9999999999 }\n"),
		"just not large":       raw(hs256, `{"exp":9999999999,"x":"`+strings.Repeat("x", 6000)+`"}`),
		"audience of nobody":   raw(hs256, `{"exp":9999999999,"aud":[]}`),
		"audience not from us": raw(hs256, `{"exp":9999999999,"iss":"anybody"}`),
	} {
		if _, err := shared.Authenticate(context.Background(), with(token)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAudienceAndIssuer(t *testing.T) {
	a := open(t, auth.Config{Method: "jwt:" + file(t, secret), Audiences: []string{"fjord", "fjord-2"}, Issuer: "https://id.test"})
	for _, test := range []struct {
		aud, iss any
		want     string
	}{
		{"fjord", "https://id.test", ""},
		{[]string{"bank", "fjord-2"}, "https://id.test", ""},
		{"bank", "https://id.test", "audience"},
		{[]string{}, "https://id.test", "audience"},
		{nil, "https://id.test", "audience"},
		{"Fjord", "https://id.test", "audience"},
		{"fjord", "https://id.test/", "issuer"},
		{"fjord", "https://evil.test", "issuer"},
		{"fjord", nil, "issuer"},
	} {
		token := sign(jwt.SigningMethodHS256, []byte(secret), valid(jwt.MapClaims{"aud": test.aud, "iss": test.iss}), nil)
		_, err := a.Authenticate(context.Background(), with(token))
		if (err == nil) != (test.want == "") || (err != nil && (kindOf(err) != "unauthenticated" || !strings.Contains(err.Error(), test.want))) {
			t.Errorf("aud %v, iss %v: %v, want an error with %q", test.aud, test.iss, err, test.want)
		}
	}
}

// A password is no token, wherever it comes from.
func TestJWTTakesNoPassword(t *testing.T) {
	a := open(t, auth.Config{Method: "jwt:" + file(t, secret)})
	r := with(sign(jwt.SigningMethodHS256, []byte(secret), valid(nil), nil))
	r.Basic = true
	if got := ask(t, a, r); got != "unauthenticated" {
		t.Errorf("%s, want unauthenticated", got)
	}
}

func BenchmarkJWT(b *testing.B) {
	a := open(b, auth.Config{Method: "jwt:" + file(b, public(ecKey().Public()))})
	r := with(sign(jwt.SigningMethodES256, ecKey(), valid(nil), nil))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Authenticate(context.Background(), r); err != nil {
			b.Fatal(err)
		}
	}
}

// No token but those that we sign is taken, whatever is done to them.
func FuzzJWT(f *testing.F) {
	a := open(f, auth.Config{Method: "jwt:" + file(f, secret)})
	good := sign(jwt.SigningMethodHS256, []byte(secret), valid(nil), nil)
	f.Add(good)
	f.Add(raw(hs256, `{"exp":9999999999}`) + "A")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		_, err := a.Authenticate(context.Background(), with(token))
		if err == nil && token != good {
			parts := strings.Split(token, ".")
			mac := must(jwt.SigningMethodHS256.Sign(parts[0]+"."+parts[1], []byte(secret)))
			if base64.RawURLEncoding.EncodeToString(mac) != parts[2] {
				t.Errorf("%q is taken", token)
			}
		}
		if err != nil && kindOf(err) != "unauthenticated" {
			t.Errorf("%v", err)
		}
	})
}
