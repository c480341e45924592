package dialect

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Door is what an edge lets a dialect's clients do over plain HTTP. A dialect
// whose clients ask so has
//
//	Routes(mux *http.ServeMux, door Door)
//
// which mounts its requests; others never see them. Whoever sends one is asked
// what sockets are asked: limits, origin, room name, hooks, who it is.
type Door interface {
	// Enter lets the sender of r into room. If it may not, it has been answered,
	// and ok is false. The guest must leave.
	Enter(w http.ResponseWriter, r *http.Request, room string) (guest Guest, ok bool)
	// HTTPS reports whether the sender surely speaks TLS.
	HTTPS(r *http.Request) bool
}

// Guest is somebody in one room for one request. Its errors are *GuestError.
type Guest interface {
	Leave()
	// Read returns the document as a v1 update.
	Read(ctx context.Context) ([]byte, error)
	// Write adds the v1 update that r holds, and returns when it is stored. It holds
	// no more of it in memory than frames may take, see --max-frame and --max-inbound.
	Write(ctx context.Context, r io.Reader) error
	// Invite returns a token that lets its bearer into the room, empty if nobody
	// needs one. Who invites must be an administrator of the room.
	Invite(i Invitation) (token string, err error)
}

// Invitation says for whom a token is, and for what.
type Invitation struct {
	// Subject names them for machines; it may be empty.
	Subject  string
	ReadOnly bool
	// Holds is for how long, and no longer than the inviter's own token.
	Holds time.Duration
}

// GuestError says why a guest's wish isn't granted.
type GuestError struct {
	// Status is an HTTP status, 400 to 599.
	Status int
	// Text is for people.
	Text string
}

// Error returns the text.
func (r *GuestError) Error() string { return r.Text }
