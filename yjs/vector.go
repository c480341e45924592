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
	r, n := vectorOf(src)
	v := make(Vector, n)
	for range n {
		id := r.id()
		v[id.Client] = id.Clock
	}
	if err := r.end(faultVector); err != nil {
		return nil, err
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
	entries []ID // descending by client, each once; clocks up to MaxClock
	at      int
}

// vectorOf begins to read a state vector, and returns how many entries follow.
func vectorOf(src []byte) (r reader, n uint64) {
	r.src = src
	if len(src) == 0 {
		return r, 0 // the empty one
	}
	if n = r.count(); n > r.left()/2 {
		r.fail(faultTruncated)
		return r, 0
	}
	return r, n
}

// end returns what is wrong, if only that bytes are left.
func (r *reader) end(trailing fault) error {
	if r.fault == noFault && r.left() > 0 {
		r.fail(trailing)
	}
	return r.err()
}

// readVector decodes a state vector; no bytes at all are the empty one. Of a
// client that stands there twice the last clock counts, as in Yjs.
func readVector(src []byte) (vector, error) {
	r, n := vectorOf(src)
	v := vector{entries: make([]ID, 0, n)}
	sorted := true
	for range n {
		id := r.id()
		if k := len(v.entries); k > 0 && v.entries[k-1].Client <= id.Client {
			sorted = false
		}
		v.entries = append(v.entries, ID{id.Client, min(id.Clock, MaxClock)})
	}
	if err := r.end(faultVector); err != nil {
		return vector{}, err
	}
	if !sorted {
		v.sort()
	}
	return v, nil
}

// sort puts the entries in order, the last of a client's first, and forgets the others.
// Nobody writes a vector that needs it, so it mustn't be slow: a list is parted in place
// by one byte of the clients after the other, which takes linear time whatever they are.
func (v *vector) sort() {
	for i := range v.entries {
		v.entries[i].Clock |= uint64(i) << 32 // where it stood
	}
	descend(v.entries, 48) // clients are below 2^53
	v.entries = slices.CompactFunc(v.entries, func(a, b ID) bool { return a.Client == b.Client })
	for i := range v.entries {
		v.entries[i].Clock &= 1<<32 - 1
	}
}

// descend puts entries in order of which the clients are the same above shift+8 bits. It
// calls itself for a byte less: seven deep.
func descend(list []ID, shift int) {
	const few = 24 // are sorted at once
	switch {
	case len(list) <= few:
		for i := 1; i < len(list); i++ {
			for j := i; j > 0 && follows(list[j-1], list[j]); j-- {
				list[j-1], list[j] = list[j], list[j-1]
			}
		}
		return
	case shift < 0: // one client
		for i := range list {
			if follows(list[0], list[i]) {
				list[0], list[i] = list[i], list[0]
			}
		}
		return
	}
	var next, ends [256]int // of the entries with a byte: where one is to go, and up to where
	for i := range list {
		ends[byte(list[i].Client>>shift)]++
	}
	at := 0
	for b := 255; b >= 0; b-- {
		next[b] = at
		at += ends[b]
		ends[b] = at
	}
	for b := 255; b >= 0; b-- {
		begin := next[b]
		for i := begin; i < ends[b]; {
			to := &next[byte(list[i].Client>>shift)]
			if *to == i {
				i++
			} else {
				list[i], list[*to] = list[*to], list[i]
			}
			*to++
		}
	}
	at = 0
	for b := 255; b >= 0; b-- {
		if at < ends[b] {
			descend(list[at:ends[b]], shift-8)
			at = ends[b]
		}
	}
}

// follows reports whether x belongs behind y.
func follows(x, y ID) bool {
	return x.Client < y.Client || x.Client == y.Client && x.Clock < y.Clock
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
