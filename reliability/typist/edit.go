package typist

import (
	"fmt"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// The text that typists write to, as in conformance/js.
const textName = "text"

// What an item's first byte says, as Yjs writes it.
const (
	contentString = 0x04
	hasOrigin     = 0x80
)

// Insert is the update by which a client appends text (one byte a letter)
// at clock, behind what it wrote before.
func Insert(client, clock uint64, text string) []byte {
	u := lib0.AppendVarUint(nil, 1) // clients
	u = lib0.AppendVarUint(u, 1)    // structs
	u = lib0.AppendVarUint(u, client)
	u = lib0.AppendVarUint(u, clock)
	if clock == 0 {
		u = append(u, contentString, 1)
		u = lib0.AppendVarString(u, textName)
	} else {
		u = append(u, contentString|hasOrigin)
		u = lib0.AppendVarUint(u, client)
		u = lib0.AppendVarUint(u, clock-1)
	}
	u = lib0.AppendVarString(u, text)
	return lib0.AppendVarUint(u, 0) // deletes
}

// deleteUpdate is the update by which a client deletes what it wrote at clock.
func deleteUpdate(client, clock, length uint64) []byte {
	u := lib0.AppendVarUint(nil, 0) // structs of nobody
	u = lib0.AppendVarUint(u, 1)    // deletes of one client
	u = lib0.AppendVarUint(u, client)
	u = lib0.AppendVarUint(u, 1)
	u = lib0.AppendVarUint(u, clock)
	return lib0.AppendVarUint(u, length)
}

// Marker is the text of a client's n-th insert: the same bytes nowhere else.
func Marker(client uint64, n int) string { return fmt.Sprintf("<%08x%06d>", client, n) }

// MarkerSize is a marker's length.
const MarkerSize = 16
