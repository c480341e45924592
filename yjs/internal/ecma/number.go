package ecma

import (
	"math"
	"strconv"
)

// maxSafe is Number.MAX_SAFE_INTEGER: up to there JavaScript counts exactly.
const maxSafe = 1<<53 - 1

// Number returns a Go value as a JavaScript number. is tells whether it is a number
// at all, and exact whether float64 holds it: whole numbers beyond 2^53-1
// are refused, also those that would fit by chance.
func Number(value any) (f float64, is, exact bool) {
	switch n := value.(type) {
	case float64:
		return n, true, true
	case float32:
		return float64(n), true, true
	case int:
		return whole(int64(n))
	case int8:
		return whole(int64(n))
	case int16:
		return whole(int64(n))
	case int32:
		return whole(int64(n))
	case int64:
		return whole(n)
	case uint:
		return whole(int64(min(uint64(n), math.MaxInt64))) // 32 bits wide on some machines
	case uint8:
		return whole(int64(n))
	case uint16:
		return whole(int64(n))
	case uint32:
		return whole(int64(n))
	case uint64:
		return whole(int64(min(n, math.MaxInt64)))
	default:
		return 0, false, false
	}
}

func whole(n int64) (f float64, is, exact bool) {
	return float64(n), true, n <= maxSafe && n >= -maxSafe
}

// AppendNumber appends a number as Number.prototype.toString writes it (6.1.6.1.20):
// shortest, without an exponent from 1e-6 up to 1e21; NaN and Infinity by name.
func AppendNumber(dst []byte, f float64) []byte {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0:
		return append(dst, '0') // -0, too
	case abs < 1e-6 || abs >= 1e21:
		dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
		// Go writes at least two digits of an exponent.
		if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
			dst[n-2] = dst[n-1]
			dst = dst[:n-1]
		}
		return dst
	default:
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
}

// AppendJSONNumber is AppendNumber as JSON.stringify has it: null for what isn't
// finite.
func AppendJSONNumber(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	return AppendNumber(dst, f)
}
