package yjs

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"math"
	"math/bits"
	"slices"

	"github.com/fjord-sync/fjord/yjs/internal/ecma"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// properties are those of an object that has just been written, in the order in which
// they were read.
type properties struct {
	text []byte
	// starts is where each begins, from first on, counted as the first is.
	starts       *pile[int]
	first, count int
	// key finds the key of a property, and whether that has a value.
	key func(property []byte) (key []byte, valued bool)
}

// arrange puts the properties of an object, which stand at the end of dst, in the order
// in which JavaScript has them: keys that are array indices first, by number; then the
// others, by first appearance. Of a key that came twice the last value stands in the
// place of the first. What has no value is left out. starts says where they begin, from
// first on. It returns dst and how many properties remain.
func arrange(dst []byte, starts *pile[int], first int, key func([]byte) ([]byte, bool)) ([]byte, int) {
	if starts.count == first {
		return dst, 0
	}
	begin := *starts.at(first)
	p := properties{dst[begin:], starts, first, starts.count - first, key}
	if p.inOrder() {
		return dst, p.count
	}
	list := p.places()
	p.text = bytes.Clone(p.text)
	dst = dst[:begin]
	count := 0
	for _, each := range list {
		property := p.at(int(each.last))
		if _, valued := key(property); valued {
			dst = append(dst, property...)
			count++
		}
	}
	return dst, count
}

// start returns where a property begins.
func (p *properties) start(i int) int { return *p.starts.at(p.first + i) - *p.starts.at(p.first) }

// at returns a property.
func (p *properties) at(i int) []byte {
	to := len(p.text)
	if i+1 < p.count {
		to = p.start(i + 1)
	}
	return p.text[p.start(i):to]
}

// inOrder reports whether there is nothing to do; it only needs to be right when it
// says yes.
func (p *properties) inOrder() bool {
	const few = 8 // comparing all pairs is cheaper than a table
	if p.count > few {
		return false
	}
	var keys [few][]byte
	for i := range p.count {
		key, valued := p.key(p.at(i))
		if _, isIndex := ecma.ArrayIndex(key); !valued || isIndex && p.count > 1 {
			return false
		}
		for _, k := range keys[:i] {
			if bytes.Equal(k, key) {
				return false
			}
		}
		keys[i] = key
	}
	return true
}

// rank is where a key belongs, and which property has its value.
type rank struct {
	index uint32 // of an array; all others are noIndex
	last  int32
}

const noIndex = math.MaxUint32 // the first number that isn't an array index

// places returns the keys in their order. It finds those that came before in a table
// of its own: a map would have a copy of each key, and objects can have very many.
func (p *properties) places() []rank {
	seed := maphash.MakeSeed()
	table := make([]int32, p.count+p.count/3+1) // at most three quarters full; 0 is free
	list := make([]rank, 0, p.count)
	for i := range p.count {
		key, _ := p.key(p.at(i))
		at, _ := bits.Mul64(maphash.Bytes(seed, key), uint64(len(table)))
		for table[at] != 0 && !p.has(int(list[table[at]-1].last), key) {
			if at++; at == uint64(len(table)) {
				at = 0
			}
		}
		if known := table[at]; known != 0 {
			list[known-1].last = int32(i)
			continue
		}
		index := uint64(noIndex)
		if n, isIndex := ecma.ArrayIndex(key); isIndex {
			index = n
		}
		list = append(list, rank{uint32(index), int32(i)})
		table[at] = int32(len(list))
	}
	slices.SortStableFunc(list, func(x, y rank) int { return cmp.Compare(x.index, y.index) })
	return list
}

func (p *properties) has(i int, key []byte) bool {
	k, _ := p.key(p.at(i))
	return bytes.Equal(k, key)
}

// keyOfAny is the key of a property as lib0 writes it.
func keyOfAny(property []byte) (key []byte, valued bool) {
	key, _, _ = lib0.VarBytes(property)
	return key, true
}

// keyOfJSON is the key of a property as JSON has it, still quoted inside: who compares
// keys needs no more. One whose value was undefined ends behind the colon; __proto__
// sets a prototype and is no property.
func keyOfJSON(property []byte) (key []byte, valued bool) {
	end := 1
	for ; property[end] != '"'; end++ {
		if property[end] == '\\' {
			end++
		}
	}
	key = property[1:end]
	return key, len(property) > len(`"":`)+len(key) && string(key) != ecma.Prototype
}

// insertCount puts a number at an offset where a byte was kept for it.
func insertCount(dst []byte, at int, n uint64) []byte {
	width := lib0.VarUintLen(n)
	dst = append(dst, make([]byte, width-1)...)
	copy(dst[at+width:], dst[at+1:])
	lib0.AppendVarUint(dst[at:at], n)
	return dst
}
