package lib0

import (
	"errors"
	"unicode/utf8"
)

// ErrInvalidUTF8 means a string that isn't UTF-8. JavaScript's decoder throws on
// it, so a peer that stored it would be bricked.
var ErrInvalidUTF8 = errors.New("lib0: string is not UTF-8")

// AppendVarBytes appends b behind its length.
func AppendVarBytes(dst, b []byte) []byte {
	dst = AppendVarUint(dst, uint64(len(b)))
	return append(dst, b...)
}

// AppendVarString appends s behind its length in bytes. s must be UTF-8.
func AppendVarString(dst []byte, s string) []byte {
	dst = AppendVarUint(dst, uint64(len(s)))
	return append(dst, s...)
}

// VarBytes consumes a length and as many bytes from the beginning of src. The
// result aliases src; nothing is allocated, whatever the length claims.
func VarBytes(src []byte) (b, rest []byte, err error) {
	n, rest, err := VarUint(src)
	if err != nil {
		return nil, nil, err
	}
	if n > uint64(len(rest)) {
		return nil, nil, ErrTruncated
	}
	return rest[:n:n], rest[n:], nil
}

// VarString is VarBytes for a string: its bytes, checked to be UTF-8, alias src.
func VarString(src []byte) (s, rest []byte, err error) {
	s, rest, err = VarBytes(src)
	if err != nil {
		return nil, nil, err
	}
	if !utf8.Valid(s) {
		return nil, nil, ErrInvalidUTF8
	}
	return s, rest, nil
}
