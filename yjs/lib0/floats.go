package lib0

import (
	"encoding/binary"
	"math"
)

// AppendFloat32 appends f in four bytes, the highest first.
func AppendFloat32(dst []byte, f float32) []byte {
	return binary.BigEndian.AppendUint32(dst, math.Float32bits(f))
}

// AppendFloat64 appends f in eight bytes, the highest first.
func AppendFloat64(dst []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(f))
}

// AppendBigInt64 appends n in eight bytes, the highest first.
func AppendBigInt64(dst []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(n))
}

// Float32 consumes what AppendFloat32 appends from the beginning of src.
func Float32(src []byte) (f float32, rest []byte, err error) {
	if len(src) < 4 {
		return 0, nil, ErrTruncated
	}
	return math.Float32frombits(binary.BigEndian.Uint32(src)), src[4:], nil
}

// Float64 consumes what AppendFloat64 appends from the beginning of src.
func Float64(src []byte) (f float64, rest []byte, err error) {
	if len(src) < 8 {
		return 0, nil, ErrTruncated
	}
	return math.Float64frombits(binary.BigEndian.Uint64(src)), src[8:], nil
}

// BigInt64 consumes what AppendBigInt64 appends from the beginning of src.
func BigInt64(src []byte) (n int64, rest []byte, err error) {
	if len(src) < 8 {
		return 0, nil, ErrTruncated
	}
	return int64(binary.BigEndian.Uint64(src)), src[8:], nil
}
