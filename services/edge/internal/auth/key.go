package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// key is one key that tokens may be signed with. Its methods are bound to its
// type here, and a token only chooses among them: that the text of a public RSA
// key be taken for an HMAC secret (HS/RS confusion) isn't possible.
type key struct {
	// id is the kid, "" if the key has none and fits any.
	id string
	// methods are the values of alg that the key takes.
	methods []string
	// material is *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey or a
	// secret's []byte.
	material any
}

// allMethods are those that any key can have. "none" isn't one.
var allMethods = []string{
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
	"ES256", "ES384", "ES512", "EdDSA",
}

// The sizes of keys. A shorter secret can be guessed from one token; longer RSA
// keys only serve to make us slow.
const (
	minSecret = 32 // bytes
	minRSA    = 2048
	maxRSA    = 8192
)

var (
	errSecretShort = fmt.Errorf("the secret is too short; want at least %d random bytes", minSecret)
	errRSASize     = fmt.Errorf("the RSA key has the wrong size; want %d to %d bits", minRSA, maxRSA)
	errRSAExponent = errors.New("the RSA key's exponent is not odd and above 1")
	errCurve       = errors.New("unknown curve; want P-256, P-384, P-521 or Ed25519")
	errKeyType     = errors.New("it is no public key; want RSA, ECDSA or Ed25519")
	errMethod      = errors.New("the key's alg doesn't fit its type")
)

// newKey binds material to the methods of its type. alg, if it isn't empty,
// leaves only that one.
func newKey(material any, id, alg string) (key, error) {
	methods, err := methodsOf(material)
	if err != nil {
		return key{}, err
	}
	if alg != "" {
		if !slices.Contains(methods, alg) {
			return key{}, errMethod
		}
		methods = []string{alg}
	}
	return key{id: id, methods: methods, material: material}, nil
}

func methodsOf(material any) ([]string, error) {
	switch k := material.(type) {
	case []byte:
		if len(k) < minSecret {
			return nil, errSecretShort
		}
		return []string{"HS256", "HS384", "HS512"}, nil
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSA || bits > maxRSA {
			return nil, errRSASize
		}
		if k.E < 3 || k.E%2 == 0 {
			return nil, errRSAExponent
		}
		return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, nil
	case *ecdsa.PublicKey:
		// ECDH fails for a point that isn't on its curve.
		if _, err := k.ECDH(); err != nil {
			return nil, errCurve
		}
		switch k.Curve {
		case elliptic.P256():
			return []string{"ES256"}, nil
		case elliptic.P384():
			return []string{"ES384"}, nil
		case elliptic.P521():
			return []string{"ES512"}, nil
		}
		return nil, errCurve
	case ed25519.PublicKey:
		return []string{"EdDSA"}, nil
	default:
		return nil, errKeyType
	}
}

// fits reports whether a token with this alg and kid ("" for none) may be signed
// with the key.
func (k key) fits(alg, kid string) bool {
	return (kid == "" || k.id == "" || k.id == kid) && slices.Contains(k.methods, alg)
}

// choose returns the keys that fit, as golang-jwt wants them.
func choose(keys []key, alg, kid string) jwt.VerificationKeySet {
	var set jwt.VerificationKeySet
	for _, k := range keys {
		if k.fits(alg, kid) {
			set.Keys = append(set.Keys, k.material)
		}
	}
	return set
}

// fromJWK returns what a key of a JWK Set is good for. Secrets are taken only
// where secrets says so: a set that anybody can fetch holds none.
func fromJWK(jwk jwkset.JWK, secrets bool) (key, error) {
	m := jwk.Marshal()
	if m.USE != "" && m.USE != jwkset.UseSig {
		return key{}, errUse
	}
	material := jwk.Key()
	if _, secret := material.([]byte); secret && !secrets {
		return key{}, errSharedSecret
	}
	return newKey(publicPart(material), m.KID, m.ALG.String())
}

var (
	errUse          = errors.New("the key isn't for signatures")
	errSharedSecret = errors.New("a secret that anybody can fetch is none")
)

// publicPart returns the public key of a private one: a set should hold none,
// but what it holds must not be kept.
func publicPart(material any) any {
	switch k := material.(type) {
	case *rsa.PrivateKey:
		return &k.PublicKey
	case *ecdsa.PrivateKey:
		return &k.PublicKey
	case ed25519.PrivateKey:
		public, _ := k.Public().(ed25519.PublicKey)
		return public
	default:
		return material
	}
}
