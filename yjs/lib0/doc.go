// Package lib0 reads and writes the byte encodings of the npm package lib0, on
// which Yjs and all its protocols are built.
//
// Writers append to a slice and return it; readers consume from the beginning
// of a slice and return what follows, as encoding/binary does. What a reader
// returns aliases its input, but for the values of Any. No reader allocates from a
// length that the input claims.
//
//	varUint    7 bits a byte, lowest first, top bit = another byte follows:
//	           300 = 1 0101100 | 0 0000010
//	varInt     the same, but the first byte has a sign (0x40) and 6 bits
//	varBytes   varUint(length) bytes
//	varString  varBytes holding UTF-8
//	any        a tag byte and a value: 127 undefined, 126 null, 125 varInt,
//	           124 and 123 floats, 122 BigInt (big-endian), 121 and 120 booleans,
//	           119 varString, 118 object: varUint n, n × (varString any),
//	           117 array: varUint n, n × any, 116 varBytes
//
// Who knows the npm package finds its functions under these names:
//
//	writeVarUint, readVarUint                AppendVarUint, VarUint
//	writeVarInt, readVarInt                  AppendVarInt, VarInt
//	writeVarString, readVarString            AppendVarString, VarString
//	writeVarUint8Array, readVarUint8Array    AppendVarBytes, VarBytes
//	writeAny, readAny                        AppendAny, Any, SkipAny
//	writeFloat32, writeFloat64               AppendFloat32, Float32, AppendFloat64 …
//	writeBigInt64                            AppendBigInt64, BigInt64
//	writeUint8, writeUint8Array              append
//	writeUint16, writeUint32                 binary.LittleEndian of encoding/binary
//
// The run-length coders (RleDecoder, UintOptRleDecoder, IntDiffOptRleDecoder,
// StringDecoder …) aren't here: what Yjs writes with them is updates of version 2, and
// those are read whole, by package yjs. Nor are strings that end with a zero byte,
// which Yjs doesn't use.
//
// That the bytes are those of the npm package is what internal/difftest compares.
//
// Source: https://github.com/dmonad/lib0, encoding.js and decoding.js.
package lib0
