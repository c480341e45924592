package tap

import (
	"time"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
)

// Kind is what an [Op] did.
type Kind string

// The calls that are recorded.
const (
	Claim  Kind = "claim"
	Append Kind = "append"
	Load   Kind = "load"
)

// Op is one call about one room, as its caller saw it. Fields that a Kind doesn't
// have are zero.
type Op struct {
	Port string // who called
	Kind Kind
	Room string
	// Call and Return are times on one monotonic clock. An unknown outcome has no
	// Return.
	Call, Return time.Duration
	Unknown      bool

	// Asked.
	Owner string // claim
	Epoch uint64 // append, load
	Seq   uint64 // append
	Data  uint64 // append: a hash of the bytes

	// Answered.
	Status    storagev1.AppendStatus // append
	HeadEpoch uint64                 // claim: the new epoch; append, load: the head's
	HeadSeq   uint64                 // the room's last seq
	Base      uint64                 // load: the seq that Records follow
	Records   []Entry                // load
	Refused   bool                   // claim, load: answered with an error
}

// Entry is one record in the answer to a load.
type Entry struct {
	Seq, Data uint64
}
