package yjs

import (
	"cmp"
	"fmt"
	"slices"
)

// Document is one Yjs document, held as version 1 bytes. NewDocument makes an
// empty one, and the zero value is one. It isn't safe for concurrent use: one goroutine owns it, and not
// even two readers may run at once.
type Document struct {
	clients []client
	index   index
	// order lists clients by descending id, as Yjs writes them; it lacks those that
	// came since it was asked for.
	order []int32
	// recent is the client that was looked up last: typing comes in bursts.
	recent int32
	// near is where in the deletes of some client a key was pressed last: a hint.
	near spot
	// nesting is how deep the types are nested, unless flat says that nobody asks.
	nesting *nesting
	flat    bool
}

// NewDocument returns an empty document.
func NewDocument() *Document { return &Document{} }

// String says of how many clients the document holds something, and its size: a log
// shows no bytes.
func (d *Document) String() string {
	return fmt.Sprintf("document of %d clients, %d bytes", d.Clients(), d.Size())
}

// Clients returns of how many clients the document holds something. Each takes about
// 150 bytes of memory beside what it adds to Size.
func (d *Document) Clients() int { return len(d.clients) }

// Memory returns about how many bytes of memory the document takes: those of Size, 150
// for each client, and what is known of structs that wait behind gaps and of how types
// nest, which is a few for each byte of types that hang on what is missing. It looks at
// each client once.
func (d *Document) Memory() int {
	n := d.Size() + 150*len(d.clients) + d.nesting.memory()
	for i := range d.clients {
		if g := d.clients[i].gaps; g != nil {
			n += 16 * int(g.count) // 12, and what room chunks leave
		}
	}
	return n
}

// place returns where a client stands in d.clients, or -1.
func (d *Document) place(id uint64) int32 {
	if int(d.recent) < len(d.clients) && d.clients[d.recent].id == id {
		return d.recent
	}
	if x := &d.index; x.slots != nil {
		for slot := x.first(id); ; slot = x.next(slot) {
			i := x.slots[slot] - 1
			if i < 0 {
				return -1
			}
			if d.clients[i].id == id {
				d.recent = i
				return i
			}
		}
	}
	for i := range d.clients {
		if d.clients[i].id == id {
			d.recent = int32(i)
			return d.recent
		}
	}
	return -1
}

// find returns a client or nil. The pointer is good until the next ensure.
func (d *Document) find(id uint64) *client {
	if i := d.place(id); i >= 0 {
		return &d.clients[i]
	}
	return nil
}

// ensure is find that adds the client if it isn't there.
func (d *Document) ensure(id uint64) *client {
	if c := d.find(id); c != nil {
		return c
	}
	d.clients = append(d.clients, client{id: id})
	n := len(d.clients)
	switch {
	case n <= indexFrom && d.index.slots == nil:
	case d.index.full():
		d.indexClients(n)
	default:
		d.index.put(id, n-1)
	}
	d.recent = int32(n - 1)
	return &d.clients[n-1]
}

// reserve makes room for n clients that are about to come, if they are many: to
// grow one by one takes several times the memory that stays.
func (d *Document) reserve(n int) {
	if n <= indexFrom {
		return
	}
	if have := cap(d.clients); len(d.clients)+n > have {
		room := max(len(d.clients)+n, have+have/4) // slices.Grow would keep a half in spare
		d.clients = append(make([]client, 0, room), d.clients...)
	}
	if 4*(len(d.clients)+n) > 3*len(d.index.slots) {
		d.indexClients(len(d.clients) + n)
	}
}

// indexClients makes the index, with room for n clients.
func (d *Document) indexClients(n int) {
	d.index.room(n)
	for i := range d.clients {
		d.index.put(d.clients[i].id, i)
	}
}

// sorted returns the places of all clients by descending id.
func (d *Document) sorted() []int32 {
	const few = 32
	descending := func(a, b int32) int { return cmp.Compare(d.clients[b].id, d.clients[a].id) }
	fresh := len(d.clients) - len(d.order)
	if fresh > few && len(d.clients) > cap(d.order) {
		d.order = append(make([]int32, 0, len(d.clients)), d.order...)
	}
	for i := int32(len(d.order)); i < int32(len(d.clients)); i++ {
		if fresh > few {
			d.order = append(d.order, i)
			continue
		}
		at, _ := slices.BinarySearchFunc(d.order, i, descending)
		d.order = slices.Insert(d.order, at, i)
	}
	if fresh > few {
		slices.SortFunc(d.order, descending)
	}
	return d.order
}
