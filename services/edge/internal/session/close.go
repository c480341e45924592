package session

import roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"

// The close codes of the edge. y-websocket from 3.1 takes 4400 to 4499 as
// permanent and comes back after any other.
const (
	// CloseLeaving ends a socket because this process goes: come back.
	CloseLeaving = 1012
	// CloseUnsupported ends a socket that sent text.
	CloseUnsupported = 1003
	// CloseInternal ends a socket because we are wrong: come back.
	CloseInternal = 1011
	// CloseLater ends a socket because something is too slow or not there:
	// come back.
	CloseLater = 1013
	// CloseMalformed ends a socket whose bytes are not what they claim to be.
	CloseMalformed = 4400
	// CloseUnauthenticated ends a socket of whom nobody knows any more who it is:
	// the token has expired, or was revoked.
	CloseUnauthenticated = 4401
	// CloseForbidden ends a socket that did what it may not.
	CloseForbidden = 4403
	// CloseDeleted ends a socket whose document was deleted.
	CloseDeleted = 4404
	// CloseTooLarge ends a socket that sent too much at once.
	CloseTooLarge = 4413
)

// Close ends a session and, where its dialect has no milder way, its socket.
type Close struct {
	Code int
	// Reason is for people.
	Reason string
}

// Final reports whether coming back would be in vain.
func (c *Close) Final() bool { return c.Code >= 4400 && c.Code < 4500 }

// refused returns the Close that tells a refusal.
func refused(r roomsv1.Refusal, message string) *Close {
	switch r {
	case roomsv1.Refusal_REFUSAL_MALFORMED:
		return &Close{CloseMalformed, reason("malformed", message)}
	case roomsv1.Refusal_REFUSAL_TOO_LARGE:
		return &Close{CloseTooLarge, reason("too large", message)}
	case roomsv1.Refusal_REFUSAL_READ_ONLY:
		return &Close{CloseForbidden, reason("read-only", message)}
	case roomsv1.Refusal_REFUSAL_REVOKED:
		return &Close{CloseUnauthenticated, reason("access was revoked", message)}
	case roomsv1.Refusal_REFUSAL_NO_ACCESS:
		return &Close{CloseForbidden, reason("no access to this room", message)}
	case roomsv1.Refusal_REFUSAL_NOT_ALLOWED:
		return &Close{CloseMalformed, reason("not allowed here", message)}
	default:
		return &Close{CloseLater, reason("ended by the room", message)}
	}
}

// Detached returns the Close that tells why an attachment ended, nil if the
// edge should attach again and keep its sessions.
func Detached(d *roomsv1.Detached) *Close {
	switch d.GetReason() {
	case roomsv1.DetachReason_DETACH_REASON_FENCED,
		roomsv1.DetachReason_DETACH_REASON_OVERLOADED,
		roomsv1.DetachReason_DETACH_REASON_BROKEN,
		roomsv1.DetachReason_DETACH_REASON_DRAINING:
		return nil
	case roomsv1.DetachReason_DETACH_REASON_DELETED:
		return &Close{CloseDeleted, reason("deleted", d.GetMessage())}
	case roomsv1.DetachReason_DETACH_REASON_INVALID:
		return &Close{CloseMalformed, reason("room not allowed", d.GetMessage())}
	default:
		return &Close{CloseLater, reason("room could not be loaded", d.GetMessage())}
	}
}

// reason prefers what the room says over our own words.
func reason(ours, theirs string) string {
	if theirs == "" {
		return ours
	}
	return theirs
}
