package content

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"sort"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// Vector is a state vector: the clock after the last unit of each client.
type Vector = yjs.Vector

// Range is Len clocks from Clock on.
type Range = yjs.Range

// Snapshot is a moment in the life of a document: what there was, and what of it
// was deleted. It says nothing about the content, which must still be there when
// the document is read as it was: see ReadAt.
//
//	snapshot = deletes vector
//	deletes  = varUint(clients) clients × ( varUint(client) varUint(n) n × ( varUint(clock) varUint(length) ) )
//	vector   = varUint(clients) clients × ( varUint(client) varUint(clock) )
type Snapshot struct {
	Vector  Vector
	Deletes yjs.IDSet
}

// Snapshot returns the present moment. Its deletes are all that Yjs derives too:
// overwritten values of keys and what is in deleted types.
func (v *View) Snapshot() Snapshot {
	s := Snapshot{Vector{}, yjs.IDSet{}}
	for c := range v.clients {
		a := &v.clients[c]
		if a.end == 0 {
			continue
		}
		s.Vector[a.id] = uint64(a.end)
		var ranges []Range
		v.eachOf(a, func(n *node) {
			if n.deleted() {
				ranges = appendRange(ranges, n)
			}
		})
		if ranges != nil {
			s.Deletes[a.id] = ranges
		}
	}
	return s
}

// appendRange appends the clocks of a node, which come after all others.
func appendRange(ranges []Range, n *node) []Range {
	if last := len(ranges) - 1; last >= 0 && ranges[last].Clock+ranges[last].Len == uint64(n.clock) {
		ranges[last].Len += uint64(n.length)
		return ranges
	}
	return append(ranges, Range{Clock: uint64(n.clock), Len: uint64(n.length)})
}

// eachOf calls f for all nodes of a client in the order of their clocks.
func (v *View) eachOf(a *author, f func(n *node)) {
	each := func(i int32) {
		for ok := true; ok; i, ok = v.cuts[i] {
			f(&v.nodes[i])
		}
	}
	for i := a.lo; i < a.hi; i++ {
		each(i)
	}
	for _, i := range a.more {
		each(i)
	}
}

// Equal reports whether two snapshots are the same moment.
func (s Snapshot) Equal(other Snapshot) bool {
	return bytes.Equal(s.Append(nil), other.Append(nil))
}

// Contains reports whether the document had all that an update brings at the moment
// of the snapshot. The error is yjs.ErrMalformed or yjs.ErrLimit.
func (s Snapshot) Contains(update []byte) (bool, error) {
	inserts, deletes, err := yjs.IDsOfUpdate(update)
	if err != nil {
		return false, err
	}
	for client, ranges := range inserts {
		if last := ranges[len(ranges)-1]; last.Clock+last.Len > s.Vector[client] {
			return false, nil
		}
	}
	for client, ranges := range deletes {
		for _, r := range ranges {
			if !covers(s.Deletes[client], r) {
				return false, nil
			}
		}
	}
	return true, nil
}

// covers reports whether ascending ranges have all clocks of another one.
func covers(ranges []Range, r Range) bool {
	i := sort.Search(len(ranges), func(i int) bool { return ranges[i].Clock+ranges[i].Len > r.Clock })
	for ; r.Len > 0 && i < len(ranges) && ranges[i].Clock <= r.Clock; i++ {
		n := min(r.Len, ranges[i].Clock+ranges[i].Len-r.Clock)
		r.Clock, r.Len = r.Clock+n, r.Len-n
	}
	return r.Len == 0
}

// Append appends the snapshot as Yjs' encodeSnapshot writes it.
func (s Snapshot) Append(dst []byte) []byte {
	dst = lib0.AppendVarUint(dst, uint64(len(s.Deletes)))
	for _, client := range descending(s.Deletes) {
		dst = lib0.AppendVarUint(dst, client)
		dst = lib0.AppendVarUint(dst, uint64(len(s.Deletes[client])))
		for _, r := range s.Deletes[client] {
			dst = lib0.AppendVarUint(dst, r.Clock)
			dst = lib0.AppendVarUint(dst, r.Len)
		}
	}
	return s.Vector.Append(dst)
}

func descending[T any](m map[uint64]T) []uint64 {
	return slices.SortedFunc(maps.Keys(m), func(x, y uint64) int { return cmp.Compare(y, x) })
}

// ParseSnapshot reads a snapshot to its last byte. The error is yjs.ErrMalformed.
func ParseSnapshot(src []byte) (s Snapshot, err error) {
	r := strict{src: src}
	s = Snapshot{Vector{}, yjs.IDSet{}}
	for clients := r.uvarint(); clients > 0 && r.err == nil; clients-- {
		client := r.uvarint()
		for n := r.uvarint(); n > 0 && r.err == nil; n-- {
			s.add(&r, client, Range{Clock: r.uvarint(), Len: r.uvarint()})
		}
	}
	for clients := r.uvarint(); clients > 0 && r.err == nil; clients-- {
		client, clock := r.uvarint(), r.uvarint()
		if _, twice := s.Vector[client]; twice || clock > yjs.MaxClock {
			r.failf("clock %d of client %d", clock, client)
		}
		s.Vector[client] = clock
	}
	if r.err == nil && len(r.src) > 0 {
		r.failf("bytes after the end")
	}
	if r.err != nil {
		return Snapshot{}, r.err
	}
	return s, nil
}

// add adds a range that was read.
func (s *Snapshot) add(r *strict, client uint64, d Range) {
	ranges := s.Deletes[client]
	after := uint64(0)
	if n := len(ranges); n > 0 {
		after = ranges[n-1].Clock + ranges[n-1].Len
	}
	// Both are below 2^53, so that their sum doesn't wrap around.
	if d.Len == 0 || d.Clock < after || d.Clock+d.Len > yjs.MaxClock {
		r.failf("deleted clocks %d, %d of them, after %d", d.Clock, d.Len, after)
		return
	}
	s.Deletes[client] = append(ranges, d)
}

// strict reads bytes that may be anything.
type strict struct {
	src []byte
	err error
}

func (r *strict) failf(format string, args ...any) {
	if r.err == nil {
		r.err = malformed(format, args...)
	}
	r.src = nil
}

func (r *strict) uvarint() uint64 {
	n, rest, err := lib0.VarUint(r.src)
	if err != nil {
		r.failf("%v", err)
		return 0
	}
	r.src = rest
	return n
}

// ReadAt is Read for a document as it was: what the snapshot's vector has, without
// what its deletes say, as Yjs' createDocFromSnapshot makes it. Content that was
// dropped since, as documents do that collect garbage, can't come back. The errors are
// those of Read.
func ReadAt(update []byte, s Snapshot) (*View, error) {
	if err := yjs.ValidateUpdate(update); err != nil {
		return nil, err
	}
	return build(update, &s, defaultCrowd)
}
