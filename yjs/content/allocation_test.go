package content_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// A view has much to note for each struct, and more for each client, and both may be
// a few bytes of an update. So a view of what nobody would write takes up to this
// many bytes for each of its update; that of people's texts takes less than one.
const mostPerByte = 140

// repeated is an update with n structs of client 1.
func repeated(n int, appendStruct func(dst []byte, i int) []byte) []byte {
	dst := append(lib0.AppendVarUint([]byte{1}, uint64(n)), 1, 0)
	for i := range n {
		dst = appendStruct(dst, i)
	}
	return append(dst, 0)
}

// dense are updates that say much in few bytes.
func dense(n int) map[string][]byte {
	clients := lib0.AppendVarUint(nil, uint64(n))
	for i := n; i > 0; i-- {
		clients = append(lib0.AppendVarUint(append(clients, 1), uint64(i)), 0, 0, 1)
	}
	idle, deleted := lib0.AppendVarUint(nil, uint64(n)), lib0.AppendVarUint([]byte{0}, uint64(n))
	for i := n; i > 0; i-- {
		idle = append(lib0.AppendVarUint(append(idle, 0), uint64(i)), 0)
		deleted = append(lib0.AppendVarUint(deleted, uint64(i)), 1, 0, 1)
	}
	deletes := lib0.AppendVarString([]byte{1, 1, 1, 0, 4, 1, 1, 't'}, string(bytes.Repeat([]byte{'a'}, 2*n)))
	deletes = lib0.AppendVarUint(append(deletes, 1, 1), uint64(n))
	for i := range n {
		deletes = append(lib0.AppendVarUint(deletes, uint64(2*i)), 1)
	}
	named := func(dst []byte, i int) []byte { return lib0.AppendVarString(dst, fmt.Sprint(i)) }
	return map[string][]byte{
		"clients":   append(clients, 0),
		"idle":      append(idle, 0),
		"deleted":   deleted,
		"deletes":   deletes,
		"collected": repeated(n, func(dst []byte, _ int) []byte { return append(dst, 0, 1) }),
		"types":     repeated(n, func(dst []byte, _ int) []byte { return append(dst, 7, 1, 0, 0) }),
		"roots":     repeated(n, func(dst []byte, i int) []byte { return append(named(append(dst, 4, 1), i), 1, 'a') }),
		"keys":      repeated(n, func(dst []byte, i int) []byte { return append(named(append(dst, 0x28, 1, 1, 'm'), i), 1, 126) }),
		"strangers": repeated(n, func(dst []byte, i int) []byte {
			return append(lib0.AppendVarUint(append(dst, 0x84), uint64(i+5)), 0, 1, 'a')
		}),
		"pairs of strangers": repeated(n/2, func(dst []byte, i int) []byte {
			dst = append(lib0.AppendVarUint(append(dst, 0xc4), uint64(2*i+5)), 0)
			return append(lib0.AppendVarUint(dst, uint64(2*i+6)), 0, 1, 'a')
		}),
		"letters": repeated(n, func(dst []byte, i int) []byte {
			if i == 0 {
				return append(dst, 4, 1, 1, 't', 1, 'a')
			}
			return append(lib0.AppendVarUint(append(dst, 0x44, 1), uint64(i-1)), 1, 'a')
		}),
		"claimed structs": append(lib0.AppendVarUint([]byte{1}, 1<<31), 1, 0, 4, 1, 1, 't', 1, 'a', 0),
		"claimed clients": append(lib0.AppendVarUint(nil, 1<<31), 1, 1, 0, 4, 1, 1, 't', 1, 'a', 0),
	}
}

// TestAllocation bounds what reading an update allocates, by how long it is.
func TestAllocation(t *testing.T) {
	// IDs of 16 000 clients take two bytes.
	for name, update := range dense(16_000) {
		wantAllocated(t, name, update, func() { _, _ = content.Read(update) })
		wantAllocated(t, name+", in the past", update, func() {
			_, _ = content.ReadAt(update, content.Snapshot{Vector: content.Vector{1: 12_000}, Deletes: yjs.IDSet{}})
		})
	}
}

// TestAllocationOfSmall is the same for what clients and servers keep beside it.
func TestAllocationOfSmall(t *testing.T) {
	snapshot := lib0.AppendVarUint([]byte{0}, 50_000)
	for i := uint64(50_000); i > 0; i-- {
		snapshot = append(lib0.AppendVarUint(snapshot, i), 1)
	}
	for _, src := range [][]byte{snapshot, snapshot[:len(snapshot)-1], {0xff, 0xff, 0xff, 0xff, 0x0f}, {1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1}} {
		wantAllocated(t, "snapshot", src, func() { _, _ = content.ParseSnapshot(src) })
	}
	for _, src := range [][]byte{{1, 0xff, 0xff, 0xff, 0xff, 0x0f, 't'}, append(lib0.AppendVarUint([]byte{1}, 100_000), bytes.Repeat([]byte{'t'}, 100_000)...)} {
		wantAllocated(t, "position", src, func() { _, _ = content.ParsePosition(src) })
	}
}

func wantAllocated(t *testing.T, name string, src []byte, f func()) {
	t.Helper()
	least := cost.Least(f)
	if least > uint64(mostPerByte*len(src)+16<<10) {
		t.Errorf("%s: %d bytes allocated for %d, %.1f each", name, least, len(src), float64(least)/float64(len(src)))
	}
}
