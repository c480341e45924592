package protocol

import (
	"fmt"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// SyncType tells the three sync payloads apart.
type SyncType uint64

// The sync payloads of y-protocols.
const (
	SyncStep1  SyncType = 0
	SyncStep2  SyncType = 1
	SyncUpdate SyncType = 2
)

// String returns the name that y-protocols gives the type.
func (t SyncType) String() string {
	switch t {
	case SyncStep1:
		return "step 1"
	case SyncStep2:
		return "step 2"
	case SyncUpdate:
		return "update"
	default:
		return fmt.Sprintf("sync type %d", uint64(t))
	}
}

// AppendSync appends a sync payload: see SyncType for what its body is. No body of
// yjs is empty: an empty state vector is one byte, 0, an empty update two.
func AppendSync(dst []byte, t SyncType, body []byte) []byte {
	dst = lib0.AppendVarUint(dst, uint64(t))
	return lib0.AppendVarBytes(dst, body)
}

// ReadSync consumes a sync payload from the beginning of src and returns what follows
// it. body aliases src. The error is one of lib0's if src ends early; an unknown type
// is an error, too, because its body's length cannot be known.
func ReadSync(src []byte) (t SyncType, body, rest []byte, err error) {
	n, rest, err := lib0.VarUint(src)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("sync type: %w", err)
	}
	t = SyncType(n)
	if t > SyncUpdate {
		return 0, nil, nil, fmt.Errorf("unknown %s: want 0 (step 1), 1 (step 2) or 2 (update)", t)
	}
	body, rest, err = lib0.VarBytes(rest)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("%s body: %w", t, err)
	}
	return t, body, rest, nil
}
