package yjs

import (
	"errors"
	"fmt"
	"math"
)

// The kinds of refusal. Every error of this package is one of them, in the
// sense of errors.Is; its text says what was wrong and where.
var (
	// ErrMalformed means bytes that aren't an update, or a state vector, or that
	// a Yjs client would throw on. Sending them again is of no use.
	ErrMalformed = errors.New("malformed")
	// ErrLimit means a well-formed update that asks for more than this package
	// lets one update, or one client, have. See the Max constants.
	ErrLimit = errors.New("over a limit")
	// ErrConflict means content that differs from what the document holds for
	// the same client and clock: two authors have used one client id. The error is
	// a *ConflictError. Values aren't compared, nor is what a small update covers far
	// beyond its size: there the first content stays.
	ErrConflict = errors.New("conflicting content")
)

// Limits on what is accepted. Legitimate documents stay far below them.
const (
	// MaxClock is one more than the highest clock that a client may reach.
	MaxClock = 1 << 31
	// MaxNewUnits is how many clock units one update may add. Thirteen bytes can
	// claim 2^40 of them and so swallow all that their client will ever write.
	MaxNewUnits = 50_000_000
	// MaxDepth is how deep arrays and objects may nest inside one value.
	MaxDepth = 100
	// MaxNesting is how deep shared types may nest in each other. Yjs overflows the
	// stack on much deeper ones: in Node 20 at some 1 250 for XML, 3 100 for maps.
	MaxNesting = 256
	// maxRunBytes keeps the offsets inside one client's bytes within 32 bits, and
	// within an int where those are shorter.
	maxRunBytes = min(math.MaxUint32, math.MaxInt)
)

// fault is why a reader stopped; the zero value is "it didn't". Faults are small
// numbers so that reading neither allocates nor carries interfaces around.
type fault uint8

const (
	noFault fault = iota
	faultTruncated
	faultNumber
	faultUTF8
	faultJSON
	faultAny
	faultKind
	faultFlags
	faultParent
	faultType
	faultOptions
	faultSelf
	faultEmpty
	faultTrailing
	faultFeature
	faultNoJSON
	faultVector
	faultPrototype
	faultKeyed
	faultClock
	faultUnits
	faultDepth
	faultBytes
	faultGrowth
)

var faultText = [...]string{
	noFault:        "no fault",
	faultTruncated: "input ends inside a value",
	faultNumber:    "number above 2^53-1",
	faultUTF8:      "string is not UTF-8",
	faultJSON:      "string is not JSON",
	faultAny:       "unknown kind of value: want a tag from 116 to 127",
	faultKind:      "unknown kind of struct: want 0 to 10",
	faultFlags:     "flags on a GC or Skip struct",
	faultParent:    "parent is neither a name (1) nor an id (0)",
	faultType:      "unknown shared type: want 0 to 6",
	faultOptions:   "options of a subdocument are not an object",
	faultSelf:      "struct refers to its own client at or after itself",
	faultEmpty:     "struct or delete of no length",
	faultTrailing:  "bytes after the end",
	faultFeature:   "version 2 update with features that aren't known",
	faultNoJSON:    "value of an embed or a format that JSON can't say",
	faultVector:    "state vector ends early or goes on",
	faultPrototype: "bytes under the key __proto__",
	faultKeyed:     "value of a key with several units, not all of them deleted",
	faultClock:     "clock of a client above 2^31",
	faultUnits:     "one update adds more than 50 000 000 units",
	faultDepth:     "value nested deeper than 100",
	faultBytes:     "more than 4 GiB of one client",
	faultGrowth:    "version 2 update is too much larger in version 1",
}

// err turns a fault at a byte of the input into an error.
func (f fault) err(at int) error {
	kind := ErrMalformed
	if f >= faultClock {
		kind = ErrLimit
	}
	return fmt.Errorf("yjs: %w: %s (byte %d)", kind, faultText[f], at)
}
