package auth

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Pass is what a token that we sign lets its bearer do in one room.
type Pass struct {
	Subject  string
	Room     string
	ReadOnly bool
	Holds    time.Duration
}

var (
	// ErrNoKey means that tokens can be checked here, and not signed.
	ErrNoKey = errors.New("this server can't sign tokens: it can with --auth jwt:FILE and a secret; else let your application sign them")
	// ErrReadOnly means that everybody may write: nobody is asked for a token.
	ErrReadOnly  = errors.New("with --auth open everybody may write: a token for reading only needs --auth jwt")
	errNotAdmin  = fmt.Errorf("%w: to sign tokens for a room needs admin in it", ErrForbidden)
	errNoSubject = errors.New("the name is longer than a token may be")
)

// maxSubject is how long a token's subject may be, in bytes.
const maxSubject = 255

// Sign returns a token for somebody else, "" if nobody needs one. Who asks for it
// must be an administrator of the room, and can give away no more than it has:
// neither longer, nor presence or the making of the room if it may not itself.
func Sign(a Authenticator, by Claims, p Pass) (string, error) {
	if _, open := a.(Open); open {
		if p.ReadOnly {
			return "", ErrReadOnly
		}
		return "", nil
	}
	j, ok := a.(*JWT)
	if !ok {
		return "", ErrNoKey
	}
	method, secret, kid := j.secret()
	if method == nil {
		return "", ErrNoKey
	}
	access, ok := by.For(p.Room)
	if !ok || access.Level < Admin {
		return "", errNotAdmin
	}
	if len(p.Subject) > maxSubject {
		return "", errNoSubject
	}
	token := jwt.NewWithClaims(method, j.claimsOf(by, access, p, time.Now()))
	if kid != "" {
		token.Header["kid"] = kid
	}
	return token.SignedString(secret)
}

// secret returns what the JWT's own tokens are signed with, a nil method if it
// has only public keys.
func (j *JWT) secret() (method jwt.SigningMethod, secret []byte, kid string) {
	keys, static := j.keys.(staticKeys)
	if !static {
		return nil, nil, ""
	}
	for _, k := range keys {
		if secret, ok := k.material.([]byte); ok {
			return jwt.GetSigningMethod(k.methods[0]), secret, k.id
		}
	}
	return nil, nil, ""
}

// claimsOf spells a claimSet that this JWT takes.
func (j *JWT) claimsOf(by Claims, access Access, p Pass, now time.Time) jwt.MapClaims {
	perm := "rw"
	if p.ReadOnly {
		perm = "r"
	}
	until := now.Add(p.Holds)
	if own := by.Expires.Add(-leeway); own.Before(until) {
		until = own // every JWT expires
	}
	claims := jwt.MapClaims{
		"exp": until.Unix(),
		"jti": rand.Text(),
		"rooms": []map[string]any{{
			"id": p.Room, "perm": perm, "awareness": access.Presence, "create": access.Create && !p.ReadOnly,
		}},
	}
	if p.Subject != "" {
		claims["sub"] = p.Subject
	}
	if len(j.audiences) > 0 {
		claims["aud"] = j.audiences[0]
	}
	if j.issuer != "" {
		claims["iss"] = j.issuer
	}
	return claims
}
