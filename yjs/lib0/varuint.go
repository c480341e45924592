package lib0

import (
	"errors"
	"math/bits"
)

// MaxSafeInteger is the largest number that a varUint may hold: 2^53-1, the
// largest that JavaScript counts exactly. A larger one would be rounded by a
// JavaScript peer and kept by us, and one identity would become two.
const MaxSafeInteger = 1<<53 - 1

// maxVarUintLen is the number of bytes of MaxSafeInteger in base 128.
const maxVarUintLen = 8

var (
	// ErrTruncated means that the input ended before the value did.
	ErrTruncated = errors.New("lib0: input ends inside a value")
	// ErrTooLarge means a number above MaxSafeInteger, or one spelled in more
	// than eight bytes.
	ErrTooLarge = errors.New("lib0: number above 2^53-1")
)

// AppendVarUint appends n as a varUint: seven bits a byte, the lowest first, the
// top bit set on all bytes but the last. n must be at most MaxSafeInteger.
func AppendVarUint(dst []byte, n uint64) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

// VarUintLen returns the number of bytes that AppendVarUint appends for n.
func VarUintLen(n uint64) int {
	return (bits.Len64(n|1) + 6) / 7
}

// VarUint consumes a varUint from the beginning of src and returns it with what
// follows. A spelling longer than necessary (81 00 for 1) is accepted, as lib0
// does, up to eight bytes.
func VarUint(src []byte) (n uint64, rest []byte, err error) {
	if len(src) > 0 && src[0] < 0x80 {
		return uint64(src[0]), src[1:], nil
	}
	for i, b := range src {
		if i == maxVarUintLen {
			return 0, nil, ErrTooLarge
		}
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if n > MaxSafeInteger {
				return 0, nil, ErrTooLarge
			}
			return n, src[i+1:], nil
		}
	}
	if len(src) >= maxVarUintLen {
		return 0, nil, ErrTooLarge
	}
	return 0, nil, ErrTruncated
}
