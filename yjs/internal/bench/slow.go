package main

import "github.com/fjord-sync/fjord/yjs/lib0"

// pair is two clients that each typed n times at the beginning of a text while they
// were apart, in the order in which that is slow: the higher client's come when all
// of the other's are there. Each has about 60 KiB with n = 8 000.
func pair(n int) []byte {
	return append(appendHigher([]byte{2}, n), appendLower(nil, n)...)
}

// appendHigher appends client 9 000, whose first struct waits for all of 8 000.
func appendHigher(dst []byte, n int) []byte {
	dst = lib0.AppendVarUint(dst, uint64(n+1))
	dst = lib0.AppendVarUint(dst, 9_000)
	dst = append(dst, 0, 0x84)
	dst = lib0.AppendVarUint(dst, 8_000)
	dst = lib0.AppendVarUint(dst, uint64(n-1))
	dst = append(dst, 1, 'y', 4, 1, 1, 't', 1, 'x')
	return appendBefore(dst, 9_000, 1, n)
}

func appendLower(dst []byte, n int) []byte {
	dst = lib0.AppendVarUint(dst, uint64(n))
	dst = lib0.AppendVarUint(dst, 8_000)
	dst = append(dst, 0, 4, 1, 1, 't', 1, 'x')
	return append(appendBefore(dst, 8_000, 0, n), 0)
}

// appendBefore appends letters of a client, each before the one before it.
func appendBefore(dst []byte, client uint64, first, n int) []byte {
	for i := range n - 1 {
		dst = append(dst, 0x44)
		dst = lib0.AppendVarUint(dst, client)
		dst = lib0.AppendVarUint(dst, uint64(first+i))
		dst = append(dst, 1, 'x')
	}
	return dst
}
