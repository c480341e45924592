// Package revocation says whom it is taken back from what they were granted. Edge
// and rooms ask the same question here: the one turns away whom the other would put
// out.
package revocation

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxField is the longest subject, room or token ID of a Key, in bytes.
const MaxField = 512

// What is taken back; a higher one includes the lower.
type What uint8

// What can be taken back.
const (
	// Nothing is.
	Nothing What = iota
	// Write leaves a reader.
	Write
	// Access leaves nobody.
	Access
)

// Key says whom a revocation is about: whoever fits all of its fields that aren't
// empty. At least one isn't.
type Key struct{ Subject, Room, TokenID string }

// Why a Key isn't one.
var (
	errNobody = errors.New("it is about nobody; want a subject, a room or a token ID")
	errText   = errors.New("want UTF-8 without NUL")
)

// Check returns what is wrong with the key, nil if nothing is.
func (k Key) Check() error {
	if k == (Key{}) {
		return errNobody
	}
	for _, field := range []struct{ name, value string }{{"subject", k.Subject}, {"room", k.Room}, {"token ID", k.TokenID}} {
		switch {
		case len(field.value) > MaxField:
			return fmt.Errorf("%s: %d bytes; want at most %d", field.name, len(field.value), MaxField)
		case !utf8.ValidString(field.value) || strings.ContainsRune(field.value, 0):
			return fmt.Errorf("%s: %w", field.name, errText)
		}
	}
	return nil
}

// entry is what is revoked, until when. The zero time is for ever.
type entry struct {
	what  What
	until time.Time
}

// Set is a set of revocations. Its zero value is empty. Find may be called from many
// goroutines at a time, the others by one that is alone.
type Set struct{ entries map[Key]entry }

// Put adds a revocation that ends by itself at until, unless that is zero. It
// replaces that of the same key.
func (s *Set) Put(k Key, what What, until time.Time) {
	if s.entries == nil {
		s.entries = make(map[Key]entry)
	}
	s.entries[k] = entry{what, until}
}

// Remove takes one back.
func (s *Set) Remove(k Key) { delete(s.entries, k) }

// Len returns the number of revocations, those that have ended included.
func (s *Set) Len() int { return len(s.entries) }

// Find returns the most that is taken back now from whoever is called subject, in
// room, by a token of this ID. Empty means that nobody knows.
func (s *Set) Find(subject, room, tokenID string, now time.Time) What {
	if len(s.entries) == 0 {
		return Nothing
	}
	most := Nothing
	// Each key that could be about them: one lookup each, however many there are.
	for _, k := range [...]Key{
		{Subject: subject},
		{Room: room},
		{TokenID: tokenID},
		{Subject: subject, Room: room},
		{Room: room, TokenID: tokenID},
		{Subject: subject, TokenID: tokenID},
		{Subject: subject, Room: room, TokenID: tokenID},
	} {
		if e, ok := s.entries[k]; ok && (e.until.IsZero() || now.Before(e.until)) {
			most = max(most, e.what)
		}
	}
	return most
}
