package auth

import (
	"context"
)

// InBand authenticates what a socket asks for after its upgrade, in the messages
// of its dialect. It may be used from many goroutines.
type InBand struct {
	authenticator Authenticator
	request       Request
}

// NewInBand returns the InBand of a socket that was upgraded by request, or that
// had no need to say who it is then.
func NewInBand(a Authenticator, request Request) *InBand { return &InBand{a, request} }

// Admit returns who sends token and what they may do in room. Without a token
// that of the upgrade counts, if there was one: some clients send "" in their
// message and the token in their URL.
func (i *InBand) Admit(ctx context.Context, room, token string) (Claims, Access, error) {
	r := i.request
	r.Room = room
	if token != "" {
		r.Token, r.Source, r.Basic = Secret(token), FromMessage, false
	}
	return Admit(ctx, i.authenticator, r)
}

// Authorize is Admit for who wants to know one thing only. The error's kind says
// how to refuse: see ErrUnauthenticated, ErrForbidden, ErrUnavailable.
func (i *InBand) Authorize(ctx context.Context, room, token string) (readOnly bool, err error) {
	_, access, err := i.Admit(ctx, room, token)
	if err != nil {
		return false, err
	}
	return access.ReadOnly(), nil
}
