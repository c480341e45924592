package badger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/y"
)

// Badger's tables, without compression and encryption:
//
//	table = block* index indexLength(4) seal
//	block = entries … seal
//	seal  = checksum, as protobuf: 10 varint   its length(4)
//
// A block's seal is over all before it in the block, the last one over the index,
// which says where the blocks are. Badger panics over some damage to these in
// goroutines of its own, which ends the process without a word of what to do; so
// all of it is read here first.

// sealSum returns the checksum of the seal at the end of data, and the length of
// the seal.
func sealSum(data []byte) (sum uint32, length int, ok bool) {
	if len(data) < 4 {
		return 0, 0, false
	}
	n := uint64(binary.BigEndian.Uint32(data[len(data)-4:]))
	length = int(n) + 4
	if n > 1+binary.MaxVarintLen32 || length > len(data) {
		return 0, 0, false
	}
	if n == 0 {
		return 0, length, true // a sum of 0 is left out
	}
	seal := data[len(data)-length : len(data)-4]
	value, size := binary.Uvarint(seal[1:])
	ok = seal[0] == 2<<3 && size == len(seal)-1 && value <= math.MaxUint32
	return uint32(value), length, ok
}

// blockWhole reports whether block is what its seal says.
func blockWhole(block []byte) bool {
	sum, length, ok := sealSum(block)
	return ok && addSum(0, block[:len(block)-length]) == sum
}

// sealBits is how many bits at the end of a block or table aren't under the
// checksum: the seal, and the length of the index.
const sealBits = 8 * (4 + 1 + binary.MaxVarintLen32 + 4)

// mendBlock finds the bit that is wrong in block.
func mendBlock(block []byte) (bit int, ok bool) {
	if sum, length, ok := sealSum(block); ok {
		if bit, ok := findBit(block[:len(block)-length], sum); ok {
			return bit, true
		}
	}
	return tryBits(block, len(block)*8-sealBits, len(block)*8, func() bool { return blockWhole(block) })
}

// tableIndex returns the index of a table, and where it begins; ok says that it is
// what its seal says.
func tableIndex(data []byte) (index []byte, start int, sum uint32, ok bool) {
	sum, length, ok := sealSum(data)
	end := len(data) - length - 4
	if !ok || end < 0 {
		return nil, 0, 0, false
	}
	n := uint64(binary.BigEndian.Uint32(data[end:]))
	if n > uint64(end) {
		return nil, 0, 0, false
	}
	start = end - int(n)
	return data[start:end], start, sum, addSum(0, data[start:end]) == sum
}

// mendIndex finds the bit that is wrong in a table's index, or in its end.
func mendIndex(data []byte) (bit int, ok bool) {
	if index, start, sum, _ := tableIndex(data); index != nil {
		if bit, ok := findBit(index, sum); ok {
			return start*8 + bit, true
		}
	}
	return tryBits(data, len(data)*8-sealBits, len(data)*8, func() bool {
		_, _, _, ok := tableIndex(data)
		return ok
	})
}

// mender turns bits back, in a file and in its bytes.
type mender struct {
	name string
	data []byte
	// turned are the bits.
	turned []int
}

func (m *mender) turn(bit int) {
	flipBit(m.data, bit)
	m.turned = append(m.turned, bit)
}

// save writes the bytes that were mended.
func (m *mender) save() error {
	if len(m.turned) == 0 {
		return nil
	}
	f, err := os.OpenFile(m.name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	for _, bit := range m.turned {
		if _, err := f.WriteAt(m.data[bit/8:bit/8+1], int64(bit/8)); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(f.Sync(), f.Close())
}

// table checks all of a table, and mends what one bit is wrong in. It returns
// where the first damage is that it can't mend, -1 without any.
func (m *mender) table() (at int) {
	index, start, _, ok := tableIndex(m.data)
	if !ok {
		bit, ok := mendIndex(m.data)
		if !ok {
			return max(0, len(m.data)-4)
		}
		m.turn(bit)
		index, start, _, _ = tableIndex(m.data)
	}
	blocks, ok := readIndex(index, start)
	if !ok {
		return start
	}
	at = -1
	for _, b := range blocks {
		block := m.data[b.from:b.to]
		if blockWhole(block) {
			continue
		}
		if bit, ok := mendBlock(block); ok {
			m.turn(b.from*8 + bit)
		} else if at < 0 {
			at = b.from
		}
	}
	return at
}

type extent struct{ from, to int }

// readIndex returns where a table's blocks are, end of them being where the index
// begins. The index is what its seal says; still, nothing in it is trusted.
func readIndex(index []byte, end int) (blocks []extent, ok bool) {
	defer func() {
		if recover() != nil {
			blocks, ok = nil, false // flatbuffers are read by whoever trusts them
		}
	}()
	root := fb.GetRootAsTableIndex(index, 0)
	next := uint64(0)
	for i := range root.OffsetsLength() {
		var o fb.BlockOffset
		if !root.Offsets(&o, i) || uint64(o.Offset()) != next {
			return nil, false
		}
		next += uint64(o.Len())
		if next > uint64(end) {
			return nil, false
		}
		blocks = append(blocks, extent{int(o.Offset()), int(next)})
	}
	return blocks, next == uint64(end)
}

// tableFacts is what a table says of itself.
type tableFacts struct {
	size        int
	newest      uint64 // timestamp of its last transaction
	sum         uint32 // of its index
	first, last []byte // keys, as Badger compares them
}

// tableID tells tables with other contents apart.
type tableID struct {
	size  int
	sum   uint32
	first string
}

func (f tableFacts) id() tableID { return tableID{f.size, f.sum, string(f.first)} }

// readFacts reads them from a table that is whole.
func readFacts(data []byte) (facts tableFacts, ok bool) {
	index, start, sum, ok := tableIndex(data)
	if !ok {
		return facts, false
	}
	newest, ok := newestIn(index)
	blocks, whole := readIndex(index, start)
	if !ok || !whole || len(blocks) == 0 {
		return facts, false
	}
	facts = tableFacts{size: len(data), newest: newest, sum: sum}
	first, end := blocks[0], blocks[len(blocks)-1]
	keep := func(key []byte, _ y.ValueStruct) {
		if facts.last = key; facts.first == nil {
			facts.first = key
		}
	}
	err := eachEntry(data[first.from:first.to], keep)
	if err == nil && len(blocks) > 1 {
		err = eachEntry(data[end.from:end.to], keep)
	}
	return facts, err == nil
}

// newestIn returns the timestamp of the last transaction in a table with this index.
func newestIn(index []byte) (ts uint64, ok bool) {
	defer func() {
		if recover() != nil {
			ts, ok = 0, false // as in readIndex
		}
	}()
	return fb.GetRootAsTableIndex(index, 0).MaxVersion(), true
}

// finish saves, and tells operators.
func (m *mender) finish(opt Options) error {
	if err := m.save(); err != nil {
		return fmt.Errorf("data directory %q: file %s has flipped bits that cannot be turned back: %w", opt.Dir, filepath.Base(m.name), err)
	}
	for _, bit := range m.turned {
		opt.Log.Error("a bit of the data directory had flipped, and was turned back; look after the disk and the memory of this machine", "file", filepath.Base(m.name), "byte", bit/8, "bit", bit%8)
	}
	return nil
}
