package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"runtime"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/crypto/bcrypt"
)

// Basic takes users and passwords of an htpasswd file; who has one may write
// everywhere. A dialect's auth message may carry them too, as base64 of
// user:password.
//
// A bcrypt comparison takes about 70 ms of a core on purpose. So that neither a
// guesser nor everybody coming back after a restart takes all cores, only half
// of them compare at a time, and what was right is remembered as a keyed hash.
type Basic struct {
	file *htpasswd
	// turns bounds the comparisons at a time.
	turns chan struct{}
	// key and right remember what was right, by proof.
	key   [32]byte
	right *lru.Cache[[sha256.Size]byte, struct{}]
}

const (
	// maxBasic bounds user:password in bytes, maxPassword what bcrypt looks at:
	// it would ignore what is behind.
	maxBasic    = 1024
	maxPassword = 72
	// maxRemembered is the number of users whose password isn't compared anew.
	maxRemembered = 10_000
)

// NewBasic reads the htpasswd file at path.
func NewBasic(path string, log *slog.Logger) (*Basic, error) {
	file, err := openHtpasswd(path, log)
	if err != nil {
		return nil, err
	}
	right, err := lru.New[[sha256.Size]byte, struct{}](maxRemembered)
	if err != nil {
		return nil, err
	}
	b := &Basic{file: file, turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), right: right}
	_, _ = rand.Read(b.key[:]) // it never fails
	return b, nil
}

var errPassword = fmt.Errorf("%w: want the name and password of a user", ErrUnauthenticated)

// Authenticate compares the password. All refusals are the same.
func (b *Basic) Authenticate(ctx context.Context, r Request) (Claims, error) {
	user, password, ok := readBasic(r)
	if !ok {
		return Claims{}, errPassword
	}
	hash, known := b.file.hash(user)
	right, err := b.compare(ctx, user, password, hash)
	if err != nil {
		return Claims{}, err
	}
	if !right || !known {
		return Claims{}, errPassword
	}
	return Claims{Subject: user, Grants: []Grant{Everywhere(Write)}}, nil
}

// compare reports whether the password is hash's. It waits for its turn.
func (b *Basic) compare(ctx context.Context, user, password string, hash []byte) (bool, error) {
	proof := b.proof(user, password, hash)
	if b.right.Contains(proof) {
		return true, nil
	}
	select {
	case b.turns <- struct{}{}:
	case <-ctx.Done():
		return false, fmt.Errorf("%w: too many passwords to compare", ErrUnavailable)
	}
	defer func() { <-b.turns }()
	if bcrypt.CompareHashAndPassword(hash, []byte(password)) != nil {
		return false, nil
	}
	b.right.Add(proof, struct{}{})
	return true, nil
}

// proof names a user, a password and the hash that it fits, so that it is worth
// nothing once the file has another hash. The key makes it worthless outside.
func (b *Basic) proof(user, password string, hash []byte) (proof [sha256.Size]byte) {
	mac := hmac.New(sha256.New, b.key[:])
	for _, part := range [][]byte{[]byte(user), []byte(password), hash} {
		sum := sha256.Sum256(part)
		mac.Write(sum[:])
	}
	mac.Sum(proof[:0])
	return proof
}

// readBasic returns user and password from Authorization: Basic, or from a token
// of the same form.
func readBasic(r Request) (user, password string, ok bool) {
	if r.Source == FromHeader && !r.Basic {
		return "", "", false
	}
	token := r.Token.Reveal()
	if token == "" || len(token) > base64.StdEncoding.EncodedLen(maxBasic) {
		return "", "", false
	}
	decoded, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return "", "", false
	}
	user, password, ok = strings.Cut(string(decoded), ":")
	return user, password, ok && user != "" && len(password) <= maxPassword
}

// Challenge asks for a password. Browsers show their own dialog for pages only,
// not for websockets.
func (b *Basic) Challenge() string { return `Basic realm="fjord", charset="UTF-8"` }

// Close does nothing.
func (b *Basic) Close() {}
