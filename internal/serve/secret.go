package serve

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
)

// minSecret is what 16 random bytes take in hex.
const minSecret = 32

// secrets are what a file holds: those that are accepted, and the first one,
// which is said. Several allow to change them without a moment in which two
// processes don't understand each other.
type secrets struct {
	said     string
	accepted [][sha256.Size]byte
}

var (
	errNoSecret    = errors.New("holds no secret; want one a line, made with `fjord make-secret FILE`")
	errShortSecret = fmt.Errorf("a secret is shorter than %d characters; make one with `fjord make-secret FILE`", minSecret)
)

func parseSecrets(contents [][]byte) (s secrets, err error) {
	for line := range bytes.Lines(contents[0]) {
		secret := string(bytes.TrimSpace(line))
		switch {
		case secret == "":
			continue
		case len(secret) < minSecret:
			return s, errShortSecret
		case s.said == "":
			s.said = secret
		}
		s.accepted = append(s.accepted, sha256.Sum256([]byte(secret)))
	}
	if s.said == "" {
		return s, errNoSecret
	}
	return s, nil
}

// accepts reports whether a request says one of the secrets. How long it takes
// says nothing about them.
func (s secrets) accepts(r *http.Request) bool {
	said, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	sum, right := sha256.Sum256([]byte(said)), 0
	for _, accepted := range s.accepted {
		right |= subtle.ConstantTimeCompare(sum[:], accepted[:])
	}
	return ok && right == 1
}

// openSecrets reads a file of secrets.
func openSecrets(path string, log *slog.Logger) (*files[secrets], error) {
	f := &files[secrets]{paths: []string{path}, parse: parseSecrets, told: func(err error) {
		if err == nil {
			log.Info("the secrets can be read again", "file", path)
			return
		}
		log.Error("the secrets can't be read again; the old ones hold", "error", err)
	}}
	if err := f.open(); err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		log.Warn("others on this machine may read the secret; chmod 600 is better", "file", path, "mode", info.Mode().Perm().String())
	}
	return f, nil
}

// MakeSecret writes a new secret to a file for its owner's eyes, unless the file
// is there already.
func MakeSecret(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	random := make([]byte, minSecret)
	_, _ = rand.Read(random) // it never fails
	_, err = file.WriteString(hex.EncodeToString(random) + "\n")
	return errors.Join(err, file.Sync(), file.Close())
}

var errUnauthenticated = connect.NewError(connect.CodeUnauthenticated,
	errors.New("want the header `Authorization: Bearer SECRET`, with a secret of --rpc-secret"))

// guard lets requests through that say a secret, and those that ask for health:
// orchestrators' probes know no secrets.
func guard(f *files[secrets], next http.Handler) http.Handler {
	refuse := refusing(http.StatusUnauthorized, errUnauthenticated)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/"+grpchealth.HealthV1ServiceName+"/") || f.get().accepts(r) {
			next.ServeHTTP(w, r)
			return
		}
		refuse.ServeHTTP(w, r)
	})
}

// refusing answers every request with err: callers of RPCs in their protocol,
// others in plain text with the status.
func refusing(status int, err *connect.Error) http.Handler {
	errorWriter := connect.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if errorWriter.IsSupported(r) {
			_ = errorWriter.Write(w, r, err)
			return
		}
		http.Error(w, err.Message(), status)
	})
}

// sayer says the secret with each request.
type sayer struct {
	next    http.RoundTripper
	secrets *files[secrets]
}

// RoundTrip adds the secret to a copy of the request.
func (s sayer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+s.secrets.get().said)
	return s.next.RoundTrip(r)
}

// CloseIdleConnections is found by http.Client.
func (s sayer) CloseIdleConnections() {
	if c, ok := s.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
