// Package auth decides who may come, and what they may do in which room.
//
//		upgrade ─ NewRequest ─► Request ─ hooks ─► Authenticator ─► Claims ─ For(room) ─► Access
//		                                               │
//		a dialect's auth message ─ InBand ─────────────┘
//
//	  - A Request is what is known of somebody who wants to come in: facts, and a
//	    Token that prints as nothing.
//	  - A Hook looks at a Request and refuses it or not, before anything else does.
//	  - An Authenticator turns a Request into Claims: Open, Basic (htpasswd), JWT
//	    (static keys or a JWKS URL), Webhook.
//	  - Claims say who it is, until when that holds, and by Grants what they may do.
//	  - Access is what the grants come to in one room.
//
// Goroutines: a JWKS URL has one, started by New and awaited by Close. The rest
// works in its callers'.
//
// JWT: https://www.rfc-editor.org/rfc/rfc7519 and the advice of
// https://www.rfc-editor.org/rfc/rfc8725; JWKS:
// https://www.rfc-editor.org/rfc/rfc7517; Basic:
// https://www.rfc-editor.org/rfc/rfc7617.
package auth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The kinds of an Authenticator's errors: every error wraps exactly one. Their
// texts are shown to clients and logged; none holds any part of a token.
var (
	// ErrUnauthenticated: there is no token, or none that is worth anything.
	// HTTP 401, close 4401.
	ErrUnauthenticated = errors.New("not authenticated")
	// ErrForbidden: it is known who it is, and they may not. HTTP 403, close
	// 4403. A room that isn't there and one that nobody lets them into are
	// refused alike.
	ErrForbidden = errors.New("no access")
	// ErrUnavailable: it can't be known now; come back. HTTP 503, close 1013.
	ErrUnavailable = errors.New("authentication is unavailable, come back")
)

// Authenticator tells who makes a request. Its methods may be called from many
// goroutines.
type Authenticator interface {
	// Authenticate returns the claims of whoever makes the request, or an error
	// of one of the three kinds. It looks at the room only if its answer
	// depends on it: the caller still asks Claims.For.
	Authenticate(ctx context.Context, r Request) (Claims, error)
	// Challenge is the value of WWW-Authenticate that goes with 401, "" for
	// none.
	Challenge() string
	// Close ends what New started. Nothing may be authenticated afterwards.
	Close()
}

// timeout is what finding out who somebody is may take, all waiting included.
const timeout = 5 * time.Second

// Admit is the whole way: who makes the request, and what they may do in its
// room. Without access the error is ErrForbidden with one and the same text,
// whether there is such a room or not.
func Admit(ctx context.Context, a Authenticator, r Request) (Claims, Access, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	claims, err := a.Authenticate(ctx, r)
	if err != nil {
		return Claims{}, Access{}, err
	}
	if claims.expired(time.Now()) {
		return Claims{}, Access{}, errExpired
	}
	access, ok := claims.For(r.Room)
	if !ok {
		return Claims{}, Access{}, ErrNoAccess
	}
	return claims, access, nil
}

// ErrNoAccess is the ErrForbidden of all whom nothing lets into a room, and of those
// who may not make it when it isn't there.
var ErrNoAccess = fmt.Errorf("%w to this room", ErrForbidden)
