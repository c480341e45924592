package auth

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// htpasswd is a file of `user:bcrypt hash` lines, as `htpasswd -B` writes it. It
// is read again when it changes.
type htpasswd struct {
	path string
	log  *slog.Logger

	mu sync.Mutex // guards following
	// looked is when the file was last looked at, and seen what it was then.
	looked time.Time
	seen   fileState
	users  map[string][]byte
	// decoy is compared for users that aren't there: it costs as much as the
	// costliest that is, so that who guesses names learns nothing from the time.
	decoy []byte
	why   string // what was told last of why the file can't be read
}

type fileState struct {
	modified time.Time
	size     int64
}

// How the file is looked at: at most every lookEvery, and not if it is larger
// than maxHtpasswd bytes.
const (
	lookEvery   = time.Second
	maxHtpasswd = 4 << 20
	// maxCost takes about 5 s of a core for one comparison.
	maxCost = 16
)

// openHtpasswd reads the file for the first time.
func openHtpasswd(path string, log *slog.Logger) (*htpasswd, error) {
	h := &htpasswd{path: path, log: log}
	return h, h.reload()
}

// hash returns a user's hash, or the decoy if there is no such user.
func (h *htpasswd) hash(user string) (hash []byte, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.looked) >= lookEvery {
		h.looked = time.Now()
		h.tellLocked(h.reloadLocked())
	}
	if hash, known = h.users[user]; !known {
		hash = h.decoy
	}
	return hash, known
}

// tellLocked tells why the file, once changed, can't be read, once for each reason
// in a row, and when it can be again. The users that were there before hold until
// then. The caller holds mu.
func (h *htpasswd) tellLocked(err error) {
	why := ""
	if err != nil {
		why = err.Error()
	}
	switch {
	case why == h.why:
		return
	case err == nil:
		h.log.Info("the htpasswd file can be read again", "users", len(h.users))
	default:
		h.log.Error("the htpasswd file can't be read again; the last good users stay", "error", err)
	}
	h.why = why
}

func (h *htpasswd) reload() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.looked = time.Now()
	return h.reloadLocked()
}

func (h *htpasswd) reloadLocked() error {
	info, err := os.Stat(h.path)
	if err != nil {
		return fmt.Errorf("htpasswd file: %w", err)
	}
	now := fileState{info.ModTime(), info.Size()}
	if now == h.seen {
		return nil
	}
	if info.Size() > maxHtpasswd {
		return fmt.Errorf("htpasswd file %s: %d bytes; want at most %d", h.path, info.Size(), maxHtpasswd)
	}
	data, err := os.ReadFile(h.path)
	if err != nil {
		return fmt.Errorf("htpasswd file: %w", err)
	}
	users, err := parseHtpasswd(data)
	if err != nil {
		return fmt.Errorf("htpasswd file %s: %w", h.path, err)
	}
	h.seen, h.users, h.decoy = now, users, decoy(users)
	return nil
}

// decoy returns what looks like a hash, of the highest cost of all.
func decoy(users map[string][]byte) []byte {
	highest := bcrypt.MinCost
	for _, hash := range users {
		if cost, err := bcrypt.Cost(hash); err == nil {
			highest = max(highest, cost)
		}
	}
	// Version, cost, 22 characters of salt, 31 of nothing's hash.
	return fmt.Appendf(nil, "$2a$%02d$%s", highest, strings.Repeat(".", 22+31))
}

var (
	errNoHash    = errors.New("want user:hash")
	errNotBcrypt = errors.New("the hash isn't bcrypt; make it with `htpasswd -B`")
	errCost      = fmt.Errorf("the hash is too costly; want a cost of at most %d", maxCost)
	errTwice     = errors.New("the user is there twice")
	errNoUsers   = errors.New("it names nobody; want lines of user:hash, made with `htpasswd -B`")
)

// parseHtpasswd reads all lines or none: a file that is half understood would
// lock people out in silence. Its errors hold numbers of lines, and no hash.
func parseHtpasswd(data []byte) (map[string][]byte, error) {
	users := make(map[string][]byte)
	number := 0
	for line := range bytes.Lines(data) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		user, hash, found := bytes.Cut(line, []byte(":"))
		cost, err := bcrypt.Cost(hash)
		switch {
		case !found || len(user) == 0:
			return nil, fmt.Errorf("line %d: %w", number, errNoHash)
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", number, errNotBcrypt)
		case cost > maxCost:
			return nil, fmt.Errorf("line %d: %w", number, errCost)
		case users[string(user)] != nil:
			return nil, fmt.Errorf("line %d: %w", number, errTwice)
		}
		users[string(user)] = bytes.Clone(hash)
	}
	if len(users) == 0 {
		return nil, errNoUsers
	}
	return users, nil
}
