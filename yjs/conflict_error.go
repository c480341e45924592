package yjs

import (
	"crypto/sha256"
	"fmt"
)

// ConflictError says where an update contradicts what a document holds: two authors
// have used one client id, or one has gone back to an old copy and typed on. It is
// an ErrConflict in the sense of errors.Is. The hashes tell the two apart in logs
// of several replicas, without the content.
type ConflictError struct {
	ID     ID     // the first unit that both have
	Length uint64 // how many units both have from there on, in one struct each
	// Held and Got are the SHA-256 of those units as a version 1 struct of their own,
	// from its info byte to its end: as the document has them, and as they came.
	Held, Got [sha256.Size]byte

	held, got byte // kinds
}

// Error names the client, the clocks, the kinds of content and the hashes.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("yjs: %v: client %d, clock %d: held %s %x, got %s %x",
		ErrConflict, e.ID.Client, e.ID.Clock, kindName[e.held], e.Held[:8], kindName[e.got], e.Got[:8])
}

// Unwrap makes it an ErrConflict.
func (e *ConflictError) Unwrap() error { return ErrConflict }

// conflict returns the error for the units that a held struct and another one
// disagree about.
func (k *comparer) conflict(src []byte, b *block, from, to uint64) error {
	held, got := k.held, *b
	return &ConflictError{
		ID: ID{k.client, from}, Length: to - from,
		Held: sha256.Sum256(appendBlock(nil, k.client, k.buf, &held, from, to)),
		Got:  sha256.Sum256(appendBlock(nil, k.client, src, &got, from, to)),
		held: held.kind(), got: got.kind(),
	}
}
