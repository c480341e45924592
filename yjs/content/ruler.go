package content

import (
	"math"
	"math/bits"
	"slices"
)

// ruler is the clocks of a client with marks on it: where its nodes begin. It tells
// which node holds a clock.
//
//	clock   0       64      128     192
//	bits    1..1..1.|.......|1..1....|      a bit a clock
//	before  17      20      20              nodes before these 64, of all clients
//
// That takes 16 bytes for 64 clocks, and a look into one cache line, where a binary
// search takes many. Where clients have deleted very much and dropped it, marks may
// be too rare for that. Then they are kept as what they are.
type ruler struct {
	words  []word
	sparse []uint32 // ascending once they are numbered; words is nil
	first  int32    // the client's first node
}

type word struct {
	bits   uint64
	before int32
}

// clocksPerStruct is how many clocks a struct may have on average for bits.
const clocksPerStruct = 256

// newRuler returns a ruler without marks for the clocks below end of a client that
// has so many structs.
func newRuler(end uint32, structs int) ruler {
	if int(end/clocksPerStruct) >= structs {
		return ruler{sparse: make([]uint32, 0, structs)}
	}
	return ruler{words: make([]word, end/64+1)}
}

// mark has a node begin at a clock.
func (r *ruler) mark(clock uint32) {
	if r.words == nil {
		r.sparse = append(r.sparse, clock)
		return
	}
	r.words[clock/64].bits |= 1 << (clock % 64)
}

// number gives the nodes their numbers, from first on. It returns the one after them.
func (r *ruler) number(first int32) int32 {
	r.first = first
	if r.words == nil {
		slices.Sort(r.sparse)
		r.sparse = slices.Compact(r.sparse)
		return first + int32(len(r.sparse))
	}
	for i := range r.words {
		r.words[i].before = first
		first += int32(bits.OnesCount64(r.words[i].bits))
	}
	return first
}

// holder returns the node that holds a clock.
func (r *ruler) holder(clock uint32) int32 {
	if r.words == nil {
		at, ok := slices.BinarySearch(r.sparse, clock)
		if !ok {
			at--
		}
		return r.first + int32(at)
	}
	w := &r.words[clock/64]
	upTo := uint64(2)<<(clock%64) - 1
	return w.before + int32(bits.OnesCount64(w.bits&upTo)) - 1
}

// after returns the first mark after a clock that has one, or the highest number.
func (r *ruler) after(clock uint32) uint32 {
	if r.words == nil {
		if next := int(r.holder(clock)-r.first) + 1; next < len(r.sparse) {
			return r.sparse[next]
		}
		return math.MaxUint32
	}
	at := int(clock / 64)
	upTo := uint64(2)<<(clock%64) - 1
	rest := r.words[at].bits &^ upTo
	for rest == 0 {
		if at++; at == len(r.words) {
			return math.MaxUint32
		}
		rest = r.words[at].bits
	}
	return uint32(at*64 + bits.TrailingZeros64(rest))
}
