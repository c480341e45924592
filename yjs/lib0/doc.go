// Package lib0 reads and writes the byte encodings of the npm package lib0, on
// which Yjs and all its protocols are built.
//
// Writers append to a slice and return it; readers consume from the beginning
// of a slice and return what follows, as encoding/binary does. What a reader
// returns aliases its input. No reader allocates from a length that the input
// claims.
//
//	varUint    7 bits a byte, lowest first, top bit = another byte follows
//	varBytes   varUint(length) bytes
//	varString  varBytes holding UTF-8
//
// Source: https://github.com/dmonad/lib0, encoding.js and decoding.js.
package lib0
