package protocol

import (
	"fmt"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// permissionDenied is the only auth payload that there is.
const permissionDenied = 0

// AppendPermissionDenied appends the auth payload that refuses a client, for a reason
// in UTF-8. Clients of y-websocket only print it, and connect again: who means it
// closes the connection with a code from 4400 to 4499.
func AppendPermissionDenied(dst []byte, reason string) []byte {
	return lib0.AppendVarString(append(dst, permissionDenied), reason)
}

// ReadPermissionDenied consumes an auth payload from the beginning of src. The reason
// is UTF-8 and aliases src. An unknown type is an error: its length cannot be known.
func ReadPermissionDenied(src []byte) (reason, rest []byte, err error) {
	n, rest, err := lib0.VarUint(src)
	if err != nil {
		return nil, nil, fmt.Errorf("auth: %w", err)
	}
	if n != permissionDenied {
		return nil, nil, fmt.Errorf("auth: unknown type %d: want 0 (permission denied)", n)
	}
	if reason, rest, err = lib0.VarString(rest); err != nil {
		return nil, nil, fmt.Errorf("auth: reason: %w", err)
	}
	return reason, rest, nil
}
