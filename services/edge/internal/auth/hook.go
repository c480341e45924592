package auth

import (
	"errors"
	"net/http"
)

// Hook looks at a request before it is authenticated, and refuses it or returns
// nil. It may be called from many goroutines, and holds up its own request only.
type Hook func(r Request) *Refusal

// Refusal answers a request instead of the upgrade.
type Refusal struct {
	// Status is the HTTP status, 400 to 599.
	Status int
	// Text is the answer's body, for people.
	Text string
	// Header is added to the answer's; it may be nil.
	Header http.Header
}

// Ask asks the hooks in their order. The first refusal wins; the hooks behind it
// aren't asked.
func Ask(hooks []Hook, r Request) *Refusal {
	for _, hook := range hooks {
		if refusal := hook(r); refusal != nil {
			return refusal
		}
	}
	return nil
}

// retryAfter is what somebody is told who must come back, in seconds.
const retryAfter = "2"

// Refuse returns the answer to an Authenticator's error before the upgrade.
func Refuse(a Authenticator, err error) *Refusal {
	refusal := &Refusal{Status: http.StatusServiceUnavailable, Text: err.Error(), Header: http.Header{}}
	switch {
	case errors.Is(err, ErrUnauthenticated):
		refusal.Status = http.StatusUnauthorized
		if challenge := a.Challenge(); challenge != "" {
			refusal.Header.Set("WWW-Authenticate", challenge)
		}
	case errors.Is(err, ErrForbidden):
		refusal.Status = http.StatusForbidden
	default:
		refusal.Header.Set("Retry-After", retryAfter)
	}
	return refusal
}
