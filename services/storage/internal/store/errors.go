package store

import (
	"errors"
	"fmt"
)

// Kind says what a caller has to do about an [Error]. The set is closed.
type Kind uint8

const (
	// Fenced: the room has been claimed with a higher epoch. Let go of it.
	Fenced Kind = iota + 1
	// Deleted: the room was deleted since it was claimed. Claim it again.
	Deleted
	// Conflict: the epoch is right but the seq is not the next one, or it holds
	// other bytes: the caller has lost count. Load again.
	Conflict
	// Invalid: it can never be stored as it is: a name or size over a limit.
	Invalid
	// Corrupt: the room's bytes on disk are damaged. Use nothing of them.
	Corrupt
	// NoSpace: the disk is nearly full; nothing was written. Try again later.
	NoSpace
	// Unknown: it may have been stored or not. Try the very same again.
	Unknown
	// Closed: the store is closing and did nothing. Try again later.
	Closed
)

var kindNames = [...]string{
	Fenced: "fenced", Deleted: "deleted", Conflict: "conflict", Invalid: "invalid",
	Corrupt: "corrupt", NoSpace: "no_space", Unknown: "unknown", Closed: "closed",
}

// String returns the kind's name in metrics and logs.
func (k Kind) String() string {
	if k == 0 || int(k) >= len(kindNames) {
		return "other"
	}
	return kindNames[k]
}

// Error is every error that a [Store] answers with, except those of the caller's
// own sink and body, and the end of its context, which are only wrapped.
type Error struct {
	Kind Kind
	// Head is where the room stands; the zero Head when that isn't known.
	Head Head
	text string
	err  error
}

// Errorf makes an [Error]; a %w in the format is unwrapped by errors.Is.
func Errorf(kind Kind, head Head, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Head: head, text: err.Error(), err: errors.Unwrap(err)}
}

// Error says what was wrong and what would be right.
func (e *Error) Error() string { return e.text }

// Unwrap returns the cause, nil if there is none below.
func (e *Error) Unwrap() error { return e.err }

// KindOf returns the kind of the first [Error] in err's chain, 0 without one.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return 0
}

// HeadOf returns the head that the first [Error] in err's chain carries.
func HeadOf(err error) Head {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Head
	}
	return Head{}
}
