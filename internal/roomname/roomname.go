// Package roomname says which names a room may have. Edge and rooms ask the same
// question here: a name that the one lets in, the other must take.
package roomname

import (
	"errors"
	"fmt"
	"regexp"
	"unicode"
	"unicode/utf8"
)

// MaxLen is the longest name in bytes.
const MaxLen = 255

// Revocations is the name under which rooms keeps in storage what was revoked. It
// is no room's: no rule takes it.
const Revocations = "\x01revocations"

// Internal reports whether a name of storage's is that of something else than a
// document.
func Internal(name string) bool { return name == Revocations }

var (
	// ErrInvalid is what every refusal wraps; its text says the rule.
	ErrInvalid = errors.New("invalid room name")
	// ErrNotELVA is what a refusal by the ELVA rule wraps, beside ErrInvalid.
	ErrNotELVA = fmt.Errorf("%w: want 10 to 250 letters, digits, hyphens or underscores", ErrInvalid)
)

// Rule decides about a name: nil, or an error that wraps ErrInvalid and says
// what was wrong and what would be right.
type Rule func(name string) error

// Default takes 1 to 255 bytes of UTF-8 without control characters (C0, DEL and
// C1). Slashes and everything else are part of the name.
func Default(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: it is empty; want 1 to %d bytes", ErrInvalid, MaxLen)
	case len(name) > MaxLen:
		return fmt.Errorf("%w: %d bytes; want 1 to %d", ErrInvalid, len(name), MaxLen)
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: not UTF-8", ErrInvalid)
	}
	for i, r := range name {
		if unicode.IsControl(r) {
			return fmt.Errorf("%w: control character %U at byte %d; want none", ErrInvalid, r, i)
		}
	}
	return nil
}

var elva = regexp.MustCompile(`^[A-Za-z0-9_-]{10,250}$`)

// ELVA takes what the ELVA server takes as an identifier: 10 to 250 letters,
// digits, hyphens and underscores.
func ELVA(name string) error {
	if !elva.MatchString(name) {
		return ErrNotELVA
	}
	return nil
}
