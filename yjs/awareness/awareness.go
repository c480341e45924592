// Package awareness reads and writes y-protocols awareness updates: who is in a
// room, and the small JSON state (cursor, name, colour) that each shows.
//
//	update = varUint(n) n × entry
//	entry  = varUint(client) varUint(clock) varString(JSON state)
//
// A state of `null` means that the client is gone.
//
//	Decode ─entries─► States.Apply(…, now)     ─news─► Append, for the others
//	                  States.Remove(now, …)    ─gone─►   a connection has ended
//	                  States.Expire(now)       ─gone─►   nothing was heard
//	                  States.Set(me, …, now)   ─mine─►   a client's own state
//	                  States.Entries()         ─all──► Append, for a newcomer
//
// In memory a client is its clock, its state's bytes and when it was heard of: some 100
// bytes and the state. The package starts no goroutine and looks at no clock.
//
// Source: https://github.com/yjs/y-protocols, awareness.js.
package awareness

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// ErrTrailingBytes means that an update goes on after its last entry.
var ErrTrailingBytes = errors.New("awareness: bytes after the last entry")

// Null is the state of a client that is gone. It mustn't be changed.
var Null = []byte("null")

// Entry is what an update says about one client.
type Entry struct {
	// Client is the ID that the client has in the document, too: at most 2^53-1.
	Client uint64
	// Clock orders the states of one client; a higher one is newer.
	Clock uint64
	// State is JSON text, an object usually; nil is null. It isn't parsed here: a peer's
	// JSON is its own affair.
	State []byte
}

// Gone reports whether the entry says that its client has left: whether its state is
// the JSON text null, white space around it allowed, or nil.
func (e Entry) Gone() bool {
	return e.State == nil || bytes.Equal(bytes.Trim(e.State, " \t\r\n"), Null)
}

// Append appends an update of the given entries. None at all is a valid update
// that changes nothing. States must be UTF-8, clients and clocks at most 2^53-1.
func Append(dst []byte, entries ...Entry) []byte {
	dst = lib0.AppendVarUint(dst, uint64(len(entries)))
	for _, e := range entries {
		dst = lib0.AppendVarUint(dst, e.Client)
		dst = lib0.AppendVarUint(dst, e.Clock)
		if e.State == nil {
			e.State = Null // peers in JavaScript throw on no text at all
		}
		dst = lib0.AppendVarBytes(dst, e.State)
	}
	return dst
}

// minEntry is the size of the smallest entry: client, clock and an empty state.
const minEntry = 3

// Decode reads an update to its last byte. The states alias src; the entries take 40
// bytes each, so at most 14 times as much as src. The errors are those of lib0 for what
// can't be read, and ErrTrailingBytes. One client may come more than once.
func Decode(src []byte) ([]Entry, error) {
	n, rest, err := lib0.VarUint(src)
	if err != nil {
		return nil, fmt.Errorf("awareness: number of entries: %w", err)
	}
	if n > uint64(len(rest))/minEntry {
		return nil, fmt.Errorf("awareness: %d entries claimed: %w", n, lib0.ErrTruncated)
	}
	entries := make([]Entry, 0, n)
	for range n {
		var e Entry
		if e.Client, rest, err = lib0.VarUint(rest); err != nil {
			return nil, fmt.Errorf("awareness: client: %w", err)
		}
		if e.Clock, rest, err = lib0.VarUint(rest); err != nil {
			return nil, fmt.Errorf("awareness: clock of client %d: %w", e.Client, err)
		}
		if e.State, rest, err = lib0.VarString(rest); err != nil {
			return nil, fmt.Errorf("awareness: state of client %d: %w", e.Client, err)
		}
		entries = append(entries, e)
	}
	if len(rest) > 0 {
		return nil, ErrTrailingBytes
	}
	return entries, nil
}
