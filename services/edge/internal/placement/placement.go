// Package placement says which rooms process holds a room.
//
// It is rendezvous hashing: each (room, process) pair has a score, and the
// highest wins. Every edge with the same list gives the same answer without
// asking anybody, and a process that joins or leaves moves only the rooms that
// it gains or gives up. An edge with an outdated list is merely wrong for a
// while: the epoch that storage hands out keeps documents safe, not this.
package placement

import "github.com/cespare/xxhash/v2"

// Ring places rooms on a fixed list of processes.
type Ring struct {
	seeds []uint64 // one per process, from its name
}

// New returns a Ring over names, one per rooms process. Their order doesn't
// matter to which name a room falls to.
func New(names []string) *Ring {
	r := &Ring{seeds: make([]uint64, len(names))}
	for i, n := range names {
		r.seeds[i] = xxhash.Sum64String(n)
	}
	return r
}

// Place returns the index of the process that holds room: always the same for
// the same names. The list must not be empty.
func (r *Ring) Place(room string) int {
	key := xxhash.Sum64String(room)
	best, bestScore := 0, uint64(0)
	for i, seed := range r.seeds {
		// Equal scores fall to the greater seed, which no order of the list
		// can change.
		score := mix(key ^ seed)
		if i == 0 || score > bestScore || (score == bestScore && seed > r.seeds[best]) {
			best, bestScore = i, score
		}
	}
	return best
}

// mix is the finalizer of MurmurHash3: it spreads each input bit over all
// output bits, without which key^seed would rank rooms alike everywhere.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return h
}
