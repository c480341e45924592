package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/sync/singleflight"
)

// How a JWK Set is fetched.
const (
	// fetchEvery is how long keys that an issuer took out may still be good.
	fetchEvery = 10 * time.Minute
	// retryFetch is how long after a failure it is tried again.
	retryFetch = 15 * time.Second
	// fetchGap is the time between two fetches that unknown keys ask for: anybody
	// can invent a kid.
	fetchGap     = 10 * time.Second
	fetchTimeout = 3 * time.Second
)

// remoteKeys are those of a JWK Set at a URL. An issuer that turns its keys over
// is followed: a token with a key that isn't known makes the set be fetched. One
// that can't be reached, or answers with nothing of use, changes nothing: the
// last good keys stay, for as long as it takes.
//
// keyfunc would fetch too, but its goroutine can't be awaited, whoever invents a
// kid makes the others wait, and it doesn't bound what it reads.
type remoteKeys struct {
	url    string
	client *http.Client
	log    *slog.Logger

	ctx     context.Context
	cancel  context.CancelFunc
	done    chan struct{} // closed when run has ended
	flights singleflight.Group

	mu sync.Mutex // guards following
	// keys are the last good ones; nil before the first.
	keys []key
	// fetched is when the last fetch ended, and failed how.
	fetched time.Time
	failed  bool
}

var errKeysAway = fmt.Errorf("%w: the issuer's keys can't be fetched", ErrUnavailable)

// newRemoteKeys starts to fetch, and doesn't wait for it: an issuer that is away
// must not keep an edge from starting.
func newRemoteKeys(address string, client *http.Client, log *slog.Logger) *remoteKeys {
	r := &remoteKeys{url: address, client: noDowngrade(client), log: log, done: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	go r.run()
	return r
}

// run fetches from time to time until close.
func (r *remoteKeys) run() {
	defer close(r.done)
	for {
		pause := fetchEvery
		if r.fetch(0) {
			pause = retryFetch
		}
		select {
		case <-time.After(pause):
		case <-r.ctx.Done():
			return
		}
	}
}

func (r *remoteKeys) close() {
	r.cancel()
	<-r.done
	r.client.CloseIdleConnections()
}

// find returns the keys that fit. If none does, the set may have changed.
func (r *remoteKeys) find(_ context.Context, alg, kid string) (jwt.VerificationKeySet, error) {
	if set := choose(r.known(), alg, kid); len(set.Keys) > 0 {
		return set, nil
	}
	failed := r.fetch(fetchGap)
	if set := choose(r.known(), alg, kid); len(set.Keys) > 0 {
		return set, nil
	}
	if failed {
		// The key may be one that we couldn't learn of.
		return jwt.VerificationKeySet{}, errKeysAway
	}
	return jwt.VerificationKeySet{}, errUnknownKey
}

func (r *remoteKeys) known() []key {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys
}

// fetch fetches unless that was done within gap, and reports whether the last
// fetch failed. Who comes while one is under way waits for it.
func (r *remoteKeys) fetch(gap time.Duration) (failed bool) {
	result, _, _ := r.flights.Do("", func() (any, error) {
		r.mu.Lock()
		recent, before := !r.fetched.IsZero() && time.Since(r.fetched) < gap, r.failed
		r.mu.Unlock()
		if recent {
			return before, nil
		}
		keys, err := r.get()
		r.settle(keys, err)
		return err != nil, nil
	})
	failed, _ = result.(bool)
	return failed
}

// settle takes what a fetch has brought.
func (r *remoteKeys) settle(keys []key, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fetched = time.Now()
	switch {
	case err == nil:
		if r.failed {
			r.log.Info("the JWK Set can be fetched again", "keys", len(keys))
		}
		r.keys = keys
	case !r.failed && r.ctx.Err() == nil:
		r.log.Error("the JWK Set can't be fetched; the last good keys stay", "keys", len(r.keys), "error", err)
	}
	r.failed = err != nil
}

// get fetches the set and returns the keys in it that can check signatures.
func (r *remoteKeys) get() ([]key, error) {
	ctx, cancel := context.WithTimeout(r.ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s; want 200", response.Status)
	}
	data, err := readAtMost(response.Body, maxKeyFile)
	if err != nil {
		return nil, err
	}
	return r.parse(data)
}

// parse leaves out keys that aren't understood, as RFC 7517 asks in section 5.
func (r *remoteKeys) parse(data []byte) ([]key, error) {
	var set jwkset.JWKSMarshal
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("it is no JWK Set: %w", err)
	}
	var keys []key
	for i, marshal := range set.Keys {
		jwk, err := jwkset.NewJWKFromMarshal(marshal, jwkset.JWKMarshalOptions{Private: true}, jwkset.JWKValidateOptions{})
		var k key
		if err == nil {
			k, err = fromJWK(jwk, false)
		}
		if err != nil {
			r.log.Debug("a key of the JWK Set is left out", "index", i, "error", err)
			continue
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errNoKeys
	}
	return keys, nil
}

var errTooLong = errors.New("the answer is too long")

// readAtMost reads to the end, and fails if that is further than limit bytes.
func readAtMost(from io.Reader, limit int) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, int64(limit)+1))
	if err == nil && len(data) > limit {
		err = errTooLong
	}
	return data, err
}

var errDowngrade = errors.New("it redirects from https to http")

// noDowngrade returns a client that follows no redirect from https to http.
func noDowngrade(client *http.Client) *http.Client {
	c := *client
	c.CheckRedirect = func(next *http.Request, before []*http.Request) error {
		if len(before) > 3 {
			return errors.New("it redirects more than 3 times")
		}
		if before[0].URL.Scheme == "https" && next.URL.Scheme != "https" {
			return errDowngrade
		}
		return nil
	}
	return &c
}
