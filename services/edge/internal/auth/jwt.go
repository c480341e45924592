package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// maxToken is the largest JWT that is looked at, in bytes.
	maxToken = 8 << 10
	// leeway is how far clocks may be apart.
	leeway = 30 * time.Second
)

// JWT takes signed tokens (JWS, compact form) whose claims are a claimSet. What
// a token says about its own keys (jku, jwk, x5u, x5c) is never looked at.
type JWT struct {
	keys      keySource
	parser    *jwt.Parser
	audiences []string
	issuer    string
}

// keySource finds the keys that a token may be signed with.
type keySource interface {
	// find returns at least one key, or an error of one of the package's kinds.
	find(ctx context.Context, alg, kid string) (jwt.VerificationKeySet, error)
	close()
}

// staticKeys never change.
type staticKeys []key

func (s staticKeys) find(_ context.Context, alg, kid string) (jwt.VerificationKeySet, error) {
	if set := choose(s, alg, kid); len(set.Keys) > 0 {
		return set, nil
	}
	return jwt.VerificationKeySet{}, errUnknownKey
}

func (s staticKeys) close() {}

// newJWT returns a JWT that asks keys. A token must be for one of audiences and
// from issuer, where they aren't empty.
func newJWT(keys keySource, audiences []string, issuer string) *JWT {
	options := []jwt.ParserOption{
		jwt.WithValidMethods(allMethods),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithStrictDecoding(),
	}
	if len(audiences) > 0 {
		options = append(options, jwt.WithAudience(audiences...))
	}
	if issuer != "" {
		options = append(options, jwt.WithIssuer(issuer))
	}
	return &JWT{keys: keys, parser: jwt.NewParser(options...), audiences: audiences, issuer: issuer}
}

// The texts of refused tokens. The library's own aren't shown: they quote what
// somebody sent.
var (
	errNoToken     = fmt.Errorf("%w: want a token", ErrUnauthenticated)
	errLargeToken  = fmt.Errorf("%w: the token is larger than %d bytes", ErrUnauthenticated, maxToken)
	errMalformed   = fmt.Errorf("%w: the token is malformed", ErrUnauthenticated)
	errCritical    = fmt.Errorf("%w: the token needs extensions (crit) that aren't known here", ErrUnauthenticated)
	errUnknownKey  = fmt.Errorf("%w: no key fits the token's alg and kid", ErrUnauthenticated)
	errSignature   = fmt.Errorf("%w: the token's signature is wrong", ErrUnauthenticated)
	errExpired     = fmt.Errorf("%w: the token has expired", ErrUnauthenticated)
	errNotYet      = fmt.Errorf("%w: the token isn't valid yet", ErrUnauthenticated)
	errNoExpiry    = fmt.Errorf("%w: the token has no exp", ErrUnauthenticated)
	errAudience    = fmt.Errorf("%w: the token is for another audience", ErrUnauthenticated)
	errAnyAudience = fmt.Errorf("%w: the token has an audience (aud), and none is expected here", ErrUnauthenticated)
	errIssuer      = fmt.Errorf("%w: the token is from another issuer", ErrUnauthenticated)
	errClaims      = fmt.Errorf("%w: the token's claims can't be understood", ErrUnauthenticated)
)

// Authenticate checks the token's signature, and then what it claims.
func (j *JWT) Authenticate(ctx context.Context, r Request) (Claims, error) {
	token := r.Token.Reveal()
	switch {
	case token == "" || r.Basic:
		return Claims{}, errNoToken
	case len(token) > maxToken:
		return Claims{}, errLargeToken
	}
	if err := checkHeader(token); err != nil {
		return Claims{}, err
	}
	var set claimSet
	_, err := j.parser.ParseWithClaims(token, &set, func(t *jwt.Token) (any, error) { return j.find(ctx, t) })
	if err != nil {
		return Claims{}, verdict(err)
	}
	if len(j.audiences) == 0 && len(set.aud) > 0 {
		// RFC 7519, section 4.1.3: it is for somebody, and nobody has said that
		// this is us.
		return Claims{}, errAnyAudience
	}
	return set.claims(), nil
}

// checkHeader refuses a header in which alg or kid could be read in two ways.
func checkHeader(token string) error {
	encoded, _, _ := strings.Cut(token, ".")
	header, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || checkObject(header) != nil {
		return errMalformed
	}
	return nil
}

// find is the jwt.Keyfunc. The library has read the header, and knows alg.
func (j *JWT) find(ctx context.Context, t *jwt.Token) (any, error) {
	// b64 is an extension (RFC 7797) that changes what is signed, and must be called
	// critical; some readers heed it though it isn't.
	for _, extension := range []string{"crit", "b64"} {
		if _, critical := t.Header[extension]; critical {
			return nil, errCritical
		}
	}
	kid := ""
	if value, given := t.Header["kid"]; given {
		var text bool
		if kid, text = value.(string); !text {
			return nil, errMalformed
		}
	}
	return j.keys.find(ctx, t.Method.Alg(), kid)
}

// verdicts translates the library's errors, the first that fits.
var verdicts = []struct{ from, to error }{
	{errUnknownKey, errUnknownKey},
	{errCritical, errCritical},
	{errKeysAway, errKeysAway},
	{jwt.ErrTokenSignatureInvalid, errSignature},
	{jwt.ErrTokenExpired, errExpired},
	{jwt.ErrTokenNotValidYet, errNotYet},
	{jwt.ErrTokenUsedBeforeIssued, errNotYet},
	{jwt.ErrTokenInvalidAudience, errAudience},
	{jwt.ErrTokenInvalidIssuer, errIssuer},
	{errDate, errClaims},
	{errText, errClaims},
	{errGrant, errClaims},
	{errTwoKeys, errClaims},
}

func verdict(err error) error {
	for _, v := range verdicts {
		if errors.Is(err, v.from) {
			return v.to
		}
	}
	if errors.Is(err, jwt.ErrTokenRequiredClaimMissing) {
		return missing(err)
	}
	return errMalformed
}

// missing tells which required claim is missing: the library has one error for
// all, and names the claim in its text.
func missing(err error) error {
	switch {
	case strings.Contains(err.Error(), "exp claim"):
		return errNoExpiry
	case strings.Contains(err.Error(), "aud claim"):
		return errAudience
	default:
		return errIssuer
	}
}

// Challenge asks for a token (RFC 6750).
func (j *JWT) Challenge() string { return `Bearer realm="fjord"` }

// Close stops fetching keys.
func (j *JWT) Close() { j.keys.close() }
