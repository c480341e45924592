// Package storage is what every store of rooms must do, as a test suite: any
// implementation of fjord.storage.v1, on whatever engine, behind the network or
// in the same process. The words and rules are in
// proto/fjord/storage/v1/storage.proto; the tests follow its order.
//
//	func TestContract(t *testing.T) {
//		contract.Run(t, contract.Subject{Open: openForTest})
//	}
//
// [FromClient] makes a [Store] of a Connect client. The suite starts goroutines
// in some tests and waits for them; it owns nothing else.
package storage

import (
	"context"
	"fmt"
	"testing"
)

// Store is a store as the suite sees it. All its methods may be called at once.
// Errors other than *[Error] fail the test that they occur in.
type Store interface {
	Claim(ctx context.Context, room string) (Position, error)
	// Append returns one result for each item.
	Append(ctx context.Context, items ...Item) ([]Result, error)
	// Load returns the whole room, or an error if any part of it had one.
	Load(ctx context.Context, room string, epoch uint64) (Room, error)
	PutSnapshot(ctx context.Context, s Snapshot) (trimmed uint64, err error)
	Delete(ctx context.Context, room string, epoch uint64) (existed bool, err error)
	List(ctx context.Context, prefix, after string, limit int) (Listing, error)
}

// Reopener is a Store that keeps its rooms when it is closed.
type Reopener interface {
	// Reopen closes the store and opens it again, in place.
	Reopen(t *testing.T)
}

// Position is where a room's log stands after a Claim.
type Position struct{ Epoch, Last, SnapshotSeq uint64 }

// Item is one record to store.
type Item struct {
	Room       string
	Epoch, Seq uint64
	Data       []byte
}

// Result is what became of an Item.
type Result struct {
	Outcome             Outcome
	HeadEpoch, HeadLast uint64
	Message             string
}

// Room is what Load returns. Records are in the order in which they came.
type Room struct {
	Position
	Snapshot []byte // nil without one
	Records  []Record
}

// Record is one stored record.
type Record struct {
	Seq  uint64
	Data []byte
}

// Snapshot is a snapshot to store. Size is what its header claims, 0 for the
// length of Data.
type Snapshot struct {
	Room       string
	Epoch, Seq uint64
	Data       []byte
	Size       uint64
}

// Listing is a page of List.
type Listing struct {
	Rooms []Info
	More  bool
}

// Info is one room of a Listing.
type Info struct {
	Room string
	Position
	SnapshotSize uint64
}

// Outcome is what became of an item or a call.
type Outcome string

// The outcomes, as storage.proto defines them.
const (
	Stored   Outcome = "stored"
	Fenced   Outcome = "fenced"
	Conflict Outcome = "conflict"
	Deleted  Outcome = "deleted"
	Invalid  Outcome = "invalid"
	Unknown  Outcome = "unknown"
	NoSpace  Outcome = "no space"
	Corrupt  Outcome = "corrupt"
)

// Error is a call's outcome when it isn't success.
type Error struct {
	Outcome             Outcome
	HeadEpoch, HeadLast uint64
	Text                string
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Outcome, e.Text) }

// Subject is an implementation that is to keep the contract.
type Subject struct {
	// Open returns a new, empty store, which ends with the test (t.Cleanup).
	Open func(t *testing.T) Store
	// LargeRecord and LargeSnapshot are sizes in bytes that it must take in; 0
	// means 20 MB each.
	LargeRecord, LargeSnapshot int
	// TooLargeRecord is a size in bytes that it must refuse; 0 leaves that out.
	TooLargeRecord int
}

// Run runs the suite.
func Run(t *testing.T, subject Subject) {
	if subject.LargeRecord == 0 {
		subject.LargeRecord = 20_000_000
	}
	if subject.LargeSnapshot == 0 {
		subject.LargeSnapshot = 20_000_000
	}
	run := func(name string, test func(*try)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time of a store on disk is waiting for it
			test(&try{T: t, Store: subject.Open(t), subject: subject})
		})
	}
	testClaim(run)
	testLoad(run)
	testAppend(run)
	testFence(run)
	testSnapshot(run)
	testDelete(run)
	testList(run)
	testNames(run)
	testLarge(run)
	testTogether(run)
	testModel(run)
	testOwners(run)
}

// runner runs one test of the suite on an empty store.
type runner func(name string, test func(*try))
