package yjstest

import (
	"math/rand/v2"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// Crowd returns the state of a root text "t" that clients have written together, so
// many structs each: all of them at once, a few letters between two of anybody's,
// and one letter in seven is deleted. No two structs can be joined. The same
// numbers give the same document; 100 clients with 11 000 structs make 28 MB.
func Crowd(clients, structs int) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	id := func(client int) uint64 { return 4_000_000_000 - uint64(client) }
	bodies, ends := make([][]byte, clients), make([]int, clients)
	for range structs {
		for c := range clients {
			body := bodies[c]
			d := rnd.IntN(clients)
			if ends[d] < 2 {
				body = append(body, infoString, 1, 1, 't')
			} else {
				at := rnd.IntN(ends[d] - 1)
				body = append(body, infoString|infoOrigin|infoRight)
				body = lib0.AppendVarUint(lib0.AppendVarUint(body, id(d)), uint64(at))
				body = lib0.AppendVarUint(lib0.AppendVarUint(body, id(d)), uint64(at+1))
			}
			n := 1 + rnd.IntN(13)
			bodies[c] = lib0.AppendVarString(body, "a few letters"[:n])
			ends[c] += n
		}
	}
	dst := lib0.AppendVarUint(nil, uint64(clients))
	for c := range clients {
		dst = lib0.AppendVarUint(dst, uint64(structs))
		dst = lib0.AppendVarUint(dst, id(c))
		dst = append(append(dst, 0), bodies[c]...)
	}
	dst = lib0.AppendVarUint(dst, uint64(clients))
	for c := range clients {
		dst = lib0.AppendVarUint(dst, id(c))
		dst = lib0.AppendVarUint(dst, uint64(structs))
		for i := range structs {
			dst = lib0.AppendVarUint(dst, uint64(7*i))
			dst = append(dst, 1)
		}
	}
	return dst
}
