package content

import "slices"

// A link says what a struct hangs on, before it is known which nodes these are.
//
//	left is its origin, else its parent if that is an ID
//	right is its right origin; without any of these, keyAt is where its key is
type link struct {
	left, right           int32 // clients
	leftClock, rightClock uint32
}

// What left of a link is if it isn't a client. Then leftClock is where in the
// update the parent's name is.
const named int32 = -2

// keyAt returns where the key of a struct without neighbours is.
func (l *link) keyAt() uint32 { return l.rightClock }

// scanned is a struct as it was read.
type scanned struct {
	node
	link
}

// builder turns an update into a view:
//
//	scan       bytes → a node per struct, and links
//	order      which structs can be integrated, and in which order
//	split      where structs are hung on in their middle, they are cut
//	integrate  each node finds its place in a list
//	settle     what is deleted because of something else
type builder struct {
	*View
	recent  [2]int32
	deletes []span

	// per client
	structs [][]scanned
	next    []int32  // the struct, later the node, that is integrated next
	done    []uint32 // clock up to which structs were taken
	stuck   []bool
	waits   []bool
	rulers  []ruler

	runs []run

	seats   []seat  // of nodes
	begins  []int32 // of lists: what hangs on their beginning, as seat.kids
	ranks   treap   // of siblings
	forest  *forest // nil as long as no list needs a tree
	touched int32   // has what is looked at ahead count as used
	crowd   int
	stamps  []uint32
	tick    uint32
	steps   int
}

// span is deleted clocks of a client.
type span struct {
	client     int32
	start, end uint32
}

// run is structs of one client that are integrated one after the other.
type run struct{ client, count int32 }

// author returns the place of a client in v.clients. slot chooses which of two
// remembered clients to try first.
func (b *builder) author(id uint64, slot int) int32 {
	if r := b.recent[slot]; int(r) < len(b.clients) && b.clients[r].id == id {
		return r
	}
	i, ok := b.byID[id]
	if !ok {
		i = int32(len(b.clients))
		if len(b.clients) == cap(b.clients) {
			b.expect(2 * uint64(i))
		}
		b.byID[id] = i
		b.clients = append(b.clients, author{id: id})
		b.structs = append(b.structs, nil)
	}
	b.recent[slot] = i
	return i
}

// expect makes room for so many clients, which the update was checked to have. (As
// they come, append would allocate five times as much on the way.)
func (b *builder) expect(clients uint64) {
	if len(b.byID) == 0 {
		b.byID = make(map[uint64]int32, clients)
	}
	if more := int(clients) - len(b.clients); more > 0 {
		b.clients = slices.Grow(b.clients, more)
		b.structs = slices.Grow(b.structs, more)
	}
}
