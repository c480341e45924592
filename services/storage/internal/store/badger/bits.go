package badger

// One bit of a disk may turn over. Everything that Badger keeps is under a CRC-32C,
// which tells more than that: with one bit wrong, no other single bit would make
// the checksum right (its distance is at least 4 at these lengths), so the bit can
// be found, and turned back.
//
// More damage than that has such a bit by chance: for one stretch under a checksum,
// as many times in 2^32 as it has bits. That is 8 in a million for a block of 4 KiB,
// 1 in 2000 for the largest value, of 256 KiB, and 1 in 500 for each MiB of a table's
// index. What comes out then is wrong, and nothing notices: the records' and
// snapshots' own checksums are of the same polynomial, so damage that one of them
// can't see, the others can't see either. Two bits are never taken for one, and a
// torn end isn't looked at; see judge.

// castagnoliReversed is the polynomial as hash/crc32 has it, lowest bit first.
const castagnoliReversed = 0x82f63b78

// findBit returns the bit of data, counted from its beginning and lowest first in
// a byte, without which its CRC-32C would be want. It takes one step for each bit.
//
// A checksum is linear: turning a bit over changes it by a value that depends on
// the bit's distance from the end alone. Each bit further away is one more step of
// the register.
func findBit(data []byte, want uint32) (bit int, ok bool) {
	difference := addSum(0, data) ^ want
	change := uint32(castagnoliReversed)
	for bit := len(data)*8 - 1; bit >= 0; bit-- {
		if change == difference {
			return bit, true
		}
		if change&1 != 0 {
			change = change>>1 ^ castagnoliReversed
		} else {
			change >>= 1
		}
	}
	return 0, false
}

func flipBit(data []byte, bit int) { data[bit/8] ^= 1 << (bit % 8) }

// tryBits returns the first of data's bits, in from ≤ bit < to, without which right
// holds. data is as before when it returns.
func tryBits(data []byte, from, to int, right func() bool) (bit int, ok bool) {
	for bit := max(from, 0); bit < min(to, len(data)*8); bit++ {
		flipBit(data, bit)
		found := right()
		flipBit(data, bit)
		if found {
			return bit, true
		}
	}
	return 0, false
}
