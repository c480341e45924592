package badger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
)

// badTable is a table that can't be mended, or isn't there.
type badTable struct {
	name, text string
}

type badTables []badTable

// damage returns what is wrong; nil if nothing is.
func (bad badTables) damage(dir string) *damage {
	if len(bad) == 0 {
		return nil
	}
	d := &damage{text: bad[0].text}
	if len(bad) > 1 {
		d.text = fmt.Sprintf("%s, and so are %d more", d.text, len(bad)-1)
	}
	for _, b := range bad {
		d.files = append(d.files, b.name)
	}
	d.files = append(d.files, listFile(dir)...)
	d.repair = func() error {
		for _, b := range bad {
			if err := repairTable(b.name); err != nil {
				return err
			}
		}
		return repairTableList(dir, true)
	}
	return d
}

// repairTable writes a table anew with the blocks of it that are whole, or removes it
// if none is.
func repairTable(name string) error {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	built := table.NewTableBuilder(table.Options{
		TableSize: uint64(len(data)), BlockSize: 4 << 10, BloomFalsePositive: 0.01,
	})
	defer built.Close()
	var last []byte
	for _, b := range wholeBlocks(data) {
		if err := eachEntry(data[b.from:b.to], func(key []byte, value y.ValueStruct) {
			if last == nil || y.CompareKeys(key, last) > 0 { // or two tables are in one file
				built.Add(key, value, 0)
				last = key
			}
		}); err != nil {
			return fmt.Errorf("table %s: %w", filepath.Base(name), err)
		}
	}
	if built.Empty() {
		return os.Remove(name)
	}
	return replaceFile(name, built.Finish())
}

// wholeBlocks returns the blocks of a damaged table that are whole. Its index says
// where they are; without one, their seals do.
func wholeBlocks(data []byte) (whole []extent) {
	if index, start, _, ok := tableIndex(data); ok {
		if blocks, ok := readIndex(index, start); ok {
			return slices.DeleteFunc(blocks, func(b extent) bool { return !blockWhole(data[b.from:b.to]) })
		}
	}
	from := 0
	starts := []int{0} // where blocks may begin: behind what looks like a seal
	for to := 1; to <= len(data); to++ {
		_, length, ok := sealSum(data[:to])
		if !ok || length <= 4 {
			continue
		}
		for _, at := range starts {
			if at >= from && blockWhole(data[at:to]) {
				whole = append(whole, extent{at, to})
				from, starts = to, starts[:0]
				break
			}
		}
		if starts = append(starts, to); len(starts) > maxStarts {
			starts = starts[1:]
		}
	}
	return whole
}

// maxStarts bounds how many beginnings are tried for a block: bytes of a value may
// look like a seal, but not often.
const maxStarts = 16

// eachEntry passes the entries of a whole block on.
//
//	block = entry* offset(4)* count(4) seal
//	entry = overlap(2) diff(2) key[overlap:]  meta(1) usermeta(1) expires value
//
// Offsets and counts are little-endian or big-endian as table.Builder has them; a key
// shares overlap bytes with the block's first.
func eachEntry(block []byte, each func(key []byte, value y.ValueStruct)) error {
	_, length, ok := sealSum(block)
	end := len(block) - length - 4
	if !ok || end < 0 {
		return errDamaged
	}
	count := int(binary.BigEndian.Uint32(block[end:]))
	if count <= 0 || count > end/4 {
		return errDamaged
	}
	offsets := block[end-4*count : end]
	end -= 4 * count
	var first []byte
	for i := range count {
		from, to := int(binary.LittleEndian.Uint32(offsets[4*i:])), end
		if i+1 < count {
			to = int(binary.LittleEndian.Uint32(offsets[4*i+4:]))
		}
		if from < 0 || to > end || from+4 > to {
			return errDamaged
		}
		overlap := int(binary.LittleEndian.Uint16(block[from:]))
		diff := int(binary.LittleEndian.Uint16(block[from+2:]))
		if overlap > len(first) || from+4+diff+3 > to {
			return errDamaged
		}
		key := append(slices.Clone(first[:overlap]), block[from+4:from+4+diff]...)
		if i == 0 {
			first = key
		}
		if len(key) <= logTimestamp {
			return errDamaged
		}
		var value y.ValueStruct
		value.Decode(block[from+4+diff : to])
		each(key, value)
	}
	return nil
}
