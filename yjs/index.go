package yjs

import "hash/maphash"

// index finds in a list of clients the place of one, by its id. A map would do, at four
// times the memory, of which it leaves as much behind again while it grows: and a few
// bytes of an update can name a client.
//
//	slots  | 0 | 7 | 0 | 3 | 1 | …   place in the list and 1; 0 is free
//
// The ids aren't in it, but in the list: who looks for one goes from slot to slot until
// one that has it or is free. Peers choose the ids, so the hash has a secret seed.
type index struct {
	slots []int32
	count int
}

var indexSeed = maphash.MakeSeed()

// indexFrom is the number of clients from which on there is an index; with fewer,
// looking at all is faster.
const indexFrom = 8

// first returns the slot where one begins to look for a client.
func (x *index) first(id uint64) int {
	return int(maphash.Comparable(indexSeed, id)) & (len(x.slots) - 1)
}

// next returns the slot after one.
func (x *index) next(slot int) int { return (slot + 1) & (len(x.slots) - 1) }

// put adds a client that isn't there, for which there is room.
func (x *index) put(id uint64, place int) {
	slot := x.first(id)
	for x.slots[slot] != 0 {
		slot = x.next(slot)
	}
	x.slots[slot] = int32(place) + 1
	x.count++
}

// remove forgets the client at a place, after all that were put behind it: only they may
// have gone past its slot.
func (x *index) remove(id uint64, place int) {
	slot := x.first(id)
	for x.slots[slot] != int32(place)+1 {
		slot = x.next(slot)
	}
	x.slots[slot] = 0
	x.count--
}

// wide reports whether there is room for many times as many clients.
func (x *index) wide() bool { return len(x.slots) > 8*x.count }

// full reports whether there is no room for another client: three of four slots are
// taken. An index without slots is full.
func (x *index) full() bool { return 4*(x.count+1) > 3*len(x.slots) }

// room makes the index anew for so many clients.
func (x *index) room(clients int) {
	slots := 2 * indexFrom
	for 3*slots < 4*clients {
		slots *= 2
	}
	*x = index{slots: make([]int32, slots)}
}
