package yjs

import (
	"cmp"
	"maps"
	"slices"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// A state vector says up to which clock, without gaps, a peer has each client:
//
//	vector = varUint(n) n × ( varUint(client) varUint(clock) )

// StateVector returns the document's encoded state vector. What waits behind a
// gap isn't in it; what waits for a struct of another client is, which is safe,
// because that struct isn't, and so a peer sends it.
func (d *Document) StateVector() []byte {
	clients, size := uint64(0), 0
	for i := range d.clients {
		if c := &d.clients[i]; c.main.end > 0 {
			clients++
			size += lib0.VarUintLen(c.id) + lib0.VarUintLen(uint64(c.main.end))
		}
	}
	dst := make([]byte, 0, size+lib0.VarUintLen(clients))
	dst = lib0.AppendVarUint(dst, clients)
	for _, each := range d.sorted() {
		if c := &d.clients[each]; c.main.end > 0 {
			dst = lib0.AppendVarUint(dst, c.id)
			dst = lib0.AppendVarUint(dst, uint64(c.main.end))
		}
	}
	return dst
}

// Vector is a state vector that one can look into: the clock after the last unit of
// each client. Everything else here takes and returns it as bytes.
type Vector map[uint64]uint64

// ParseVector reads an encoded state vector to its last byte; no bytes at all are the
// empty one. Of a client that stands there twice the last clock counts, as in Yjs. The
// error is ErrMalformed.
func ParseVector(src []byte) (Vector, error) {
	entries, err := readVector(src)
	if err != nil {
		return nil, err
	}
	v := make(Vector, len(entries.entries))
	for _, id := range entries.entries {
		v[id.Client] = id.Clock
	}
	return v, nil
}

// Append appends the vector as bytes, clients in descending order, as Yjs does.
// Clients and clocks must be at most 2^53-1.
func (v Vector) Append(dst []byte) []byte {
	dst = lib0.AppendVarUint(dst, uint64(len(v)))
	for _, client := range slices.SortedFunc(maps.Keys(v), func(x, y uint64) int { return cmp.Compare(y, x) }) {
		dst = lib0.AppendVarUint(dst, client)
		dst = lib0.AppendVarUint(dst, v[client])
	}
	return dst
}

// vector is a decoded state vector, asked for clients in descending order.
type vector struct {
	entries []ID // descending by client, each once
	at      int
}

// readVector decodes a state vector; no bytes at all are the empty one. Of a
// client that stands there twice the last clock counts, as in Yjs.
func readVector(src []byte) (vector, error) {
	if len(src) == 0 {
		return vector{}, nil
	}
	r := reader{src: src}
	n := r.count()
	if n > r.left()/2 {
		r.fail(faultTruncated)
		n = 0
	}
	v := vector{entries: make([]ID, 0, n)}
	sorted := true
	for range n {
		id := r.id()
		if k := len(v.entries); k > 0 && v.entries[k-1].Client <= id.Client {
			sorted = false
		}
		v.entries = append(v.entries, id)
	}
	if r.fault == noFault && r.left() > 0 {
		r.fail(faultVector)
	}
	if r.fault != noFault {
		return vector{}, r.err()
	}
	if !sorted {
		v.sort()
	}
	return v, nil
}

func (v *vector) sort() {
	slices.Reverse(v.entries) // so that of equal clients the last comes first
	slices.SortStableFunc(v.entries, func(a, b ID) int { return cmp.Compare(b.Client, a.Client) })
	v.entries = slices.CompactFunc(v.entries, func(a, b ID) bool { return a.Client == b.Client })
}

// clock returns the clock of a client. The clients of successive calls must
// descend; rewind begins anew.
func (v *vector) clock(client uint64) uint64 {
	for v.at < len(v.entries) && v.entries[v.at].Client > client {
		v.at++
	}
	if v.at < len(v.entries) && v.entries[v.at].Client == client {
		return v.entries[v.at].Clock
	}
	return 0
}

func (v *vector) rewind() { v.at = 0 }
