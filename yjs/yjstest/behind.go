package yjstest

import "github.com/fjord-sync/fjord/yjs/lib0"

// Behind returns the state vector of a peer that lacks the last clocks of each
// client, given that of one that has them.
func Behind(vector []byte, clocks uint64) ([]byte, error) {
	n, rest, err := lib0.VarUint(vector)
	if err != nil {
		return nil, err
	}
	dst := lib0.AppendVarUint(nil, n)
	for range n {
		var id [2]uint64
		for i := range id {
			if id[i], rest, err = lib0.VarUint(rest); err != nil {
				return nil, err
			}
		}
		dst = lib0.AppendVarUint(dst, id[0])
		dst = lib0.AppendVarUint(dst, id[1]-min(clocks, id[1]))
	}
	return dst, nil
}
