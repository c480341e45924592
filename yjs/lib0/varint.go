package lib0

// AppendVarInt appends a signed number as sign and magnitude: the first byte
// holds six bits and, in 0x40, the sign; the others seven bits each. JavaScript
// tells -0 from 0, and column encodings use that, so the sign is given apart.
// magnitude must be at most MaxSafeInteger.
func AppendVarInt(dst []byte, magnitude uint64, negative bool) []byte {
	b := byte(magnitude & 0x3f)
	if negative {
		b |= 0x40
	}
	magnitude >>= 6
	if magnitude == 0 {
		return append(dst, b)
	}
	dst = append(dst, b|0x80)
	return AppendVarUint(dst, magnitude)
}

// VarInt consumes a signed number from the beginning of src. Negative zero is
// (0, true).
func VarInt(src []byte) (magnitude uint64, negative bool, rest []byte, err error) {
	if len(src) == 0 {
		return 0, false, nil, ErrTruncated
	}
	b := src[0]
	magnitude, negative = uint64(b&0x3f), b&0x40 != 0
	if b < 0x80 {
		return magnitude, negative, src[1:], nil
	}
	high, rest, err := VarUint(src[1:])
	if err != nil {
		return 0, false, nil, err
	}
	if high > MaxSafeInteger>>6 {
		return 0, false, nil, ErrTooLarge
	}
	return magnitude | high<<6, negative, rest, nil
}
