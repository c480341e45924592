package content

import (
	"bytes"
	"hash/maphash"
)

// keyTable finds the list of a key of a type: open addressing over the numbers of
// lists, four bytes a slot, at most half full. A map from (type, key) would hold
// every key a second time.
type keyTable struct {
	seed  maphash.Seed
	slots []int32 // list + 1, or 0
	count int
}

func (t *keyTable) slot(kin int32, key []byte) int {
	h := maphash.Bytes(t.seed, key) + uint64(kin)*0x9e3779b97f4a7c15
	return int((h ^ h>>29) & uint64(len(t.slots)-1))
}

// find returns the list of a key, or none.
func (t *keyTable) find(v *View, kin int32, key []byte) int32 {
	if t.count == 0 {
		return none
	}
	for i := t.slot(kin, key); ; i = (i + 1) & (len(t.slots) - 1) {
		l := t.slots[i] - 1
		if l == none {
			return none
		}
		if v.lists[l].kin == kin && bytes.Equal(v.keyOf(l), key) {
			return l
		}
	}
}

// add adds a list whose key isn't there.
func (t *keyTable) add(v *View, l int32) {
	if 2*t.count >= len(t.slots) {
		old := t.slots
		if t.count == 0 {
			t.seed = maphash.MakeSeed()
		}
		t.slots = make([]int32, max(8, 2*len(old)))
		for _, s := range old {
			if s != 0 {
				t.put(v, s-1)
			}
		}
	}
	t.put(v, l)
	t.count++
}

func (t *keyTable) put(v *View, l int32) {
	i := t.slot(v.lists[l].kin, v.keyOf(l))
	for t.slots[i] != 0 {
		i = (i + 1) & (len(t.slots) - 1)
	}
	t.slots[i] = l + 1
}

// keyOf returns the key of a list that has one.
func (v *View) keyOf(l int32) []byte {
	c := cursor{src: v.bytesAt(v.lists[l].key)}
	return c.bytes()
}
