// Package store says what keeps the rooms' bytes, whatever keeps them.
//
// A room is a log of records and, once its owner has compacted it, a snapshot
// that stands for the log's beginning. One head entry per room says where both
// are, and whose turn it is to write:
//
//	      Base                       Last
//	       │                          │
//	░░░░░░░█ 41 │ 42 │ 43 │ 44 │ … │ 57        records, seq without holes
//	snapshot or deletion                       head{epoch, last, base, …}
//
// Every change of a room compares its head and moves it in the same step that
// writes the bytes. That is the fence: a unique (room, seq) would be none, since
// a compaction frees the places that a late owner is about to write to.
//
// [Head] holds the rules (pure, no I/O), [Store] is the contract, and the
// packages memory and badger are its bodies. What every body must do is a test
// suite: internal/contract/storage.
package store

import (
	"context"
	"io"
)

// Seq is a record's position in its room's log: 1, 2, 3, … without holes, never
// used twice, not even after the room was deleted.
type Seq uint64

// Epoch says whose turn it is to write a room. The first Claim hands out 1.
type Epoch uint64

// Item asks for one record to be stored at (Epoch, Seq) of Room.
type Item struct {
	Room  string
	Epoch Epoch
	Seq   Seq
	// Data is read until the call returns, and after it when the call's context
	// has ended: it must not be changed then.
	Data []byte
}

// Result is what became of one Item. Err is nil when the record is on disk; else
// it is an [Error], and Head says where the room stands as far as it is known.
type Result struct {
	Head Head
	Err  error
}

// Record is one stored batch of bytes.
type Record struct {
	Seq  Seq
	Data []byte
}

// Snapshot names a snapshot that replaces all records up to Seq; Size is its
// length in bytes.
type Snapshot struct {
	Room  string
	Epoch Epoch
	Seq   Seq
	Size  uint64
}

// Rebuilt names a snapshot of Size bytes that replaces all of a damaged room, which
// had the head Seen when the snapshot was made.
type Rebuilt struct {
	Room string
	Seen Head
	Size uint64
}

// Sink takes what Load reads: the head once, then the snapshot's bytes in order,
// then the records above it in seq order. Slices are valid during the call only.
// An error from a method ends the Load and is returned by it.
type Sink interface {
	Head(Head) error
	SnapshotChunk([]byte) error
	Record(Record) error
}

// Info is one room of a listing. A Head with epoch 0 means that the room's head
// entry is damaged: Load says more.
type Info struct {
	Room string
	Head Head
}

// Page asks List for rooms whose name begins with Prefix and comes after After
// in byte order, at most Limit (≥ 1) of them.
type Page struct {
	Prefix string
	After  string
	Limit  int
}

// Holding is a room that its caller believes to own.
type Holding struct {
	Room  string
	Epoch Epoch
}

// Store keeps rooms. All methods may be called from any goroutine at once.
//
// A nil error means that the change is in a synced transaction on disk. An error
// of kind [Unknown] means that it may or may not be: trying the same again finds
// out. All other kinds mean that nothing was changed.
type Store interface {
	Rooms
	Repairs
	Condition
	// Close waits for the calls under way and ends the store.
	Close() error
}

// Rooms is what owners of rooms do with a [Store], and operators with whole ones.
type Rooms interface {
	// Claim raises the room's epoch and returns its head after that.
	Claim(ctx context.Context, room string) (Head, error)
	// Append stores one record for each item, at most one for a room. It returns
	// one result for each, in the items' order; each stands alone.
	Append(ctx context.Context, items []Item) []Result
	// Load reads the room as it is at one moment. A nonzero epoch must be the
	// room's own. An error of kind [Corrupt] may come after parts of the room
	// went to the sink: none of them may be used then.
	Load(ctx context.Context, room string, epoch Epoch, to Sink) error
	// PutSnapshot reads exactly s.Size bytes from body and replaces the room's
	// records up to s.Seq by them, atomically. It returns how many those were.
	PutSnapshot(ctx context.Context, s Snapshot, body io.Reader) (trimmed uint64, err error)
	// Delete empties the room and leaves a tombstone that still fences. Epoch 0
	// deletes whoever owns the room.
	Delete(ctx context.Context, room string, epoch Epoch) (existed bool, err error)
	// Check returns for each holding why its owner must let go of it, nil if it
	// need not.
	Check(ctx context.Context, holdings []Holding) []error
	// List returns rooms that hold something, in the byte order of their names,
	// and whether more follow.
	List(ctx context.Context, page Page) (rooms []Info, more bool, err error)
}

// Repairs is what operators do with damaged rooms.
type Repairs interface {
	// Salvage is Load for a room whose bytes are damaged: what is whole goes to
	// the sink, the rest is left out. The head is zero if it can't be read.
	Salvage(ctx context.Context, room string, to Sink) error
	// Scrap is Delete for a room whose bytes are damaged, whoever owns it. seen is
	// the head with which the damage was seen, zero if it couldn't be read: a room
	// that has moved since is an error of kind [Conflict].
	Scrap(ctx context.Context, room string, seen Head) error
	// Rebuild replaces all that a damaged room holds by one snapshot, atomically,
	// whoever owns it, and fences them. It returns the snapshot's seq. r.Seen is what
	// seen is for Scrap.
	Rebuild(ctx context.Context, r Rebuilt, body io.Reader) (Seq, error)
}

// Condition is how a [Store] itself is.
type Condition interface {
	// Space says why no record can be taken in now, an [Error] of kind [NoSpace];
	// nil if one can.
	Space() error
	// Err says why the store cannot go on, nil while it can.
	Err() error
	// Failed is closed when Err has something to say; nil if that never happens.
	Failed() <-chan struct{}
}
