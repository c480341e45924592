package content

import (
	"fmt"
	"sort"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// Edit is a transaction on a view: changes by one client that become one update.
// The view shows them at once. While an edit is under way, its goroutine alone may
// use the view.
//
//	e, err := view.Edit(clientID)
//	err = view.Text("body").Insert(e, 0, "Hello", nil)
//	update := e.Commit()
//
// The error of a change is ErrRange if there is no such place, or if the type is deleted
// or in another view; ErrValue if something can't be stored there; ErrBusy if the edit was
// committed; and yjs.ErrLimit if the view or the client's clock would grow too large. A
// change that returns one has changed nothing (but for yjs.ErrLimit: then the view must
// be dropped). An edit can't be taken back: who doesn't want it drops
// the view.
type Edit struct {
	view    *View
	author  int32 // in View.clients
	first   uint32
	items   []item
	deletes []span
}

// item is a struct that an edit has made.
type item struct {
	node          int32 // the first of its nodes
	origin, right id
}

// id is a unit of an author of the view; author none means no unit.
type id struct {
	author int32
	clock  uint32
}

// Edit begins a transaction in which a client changes the document. The client must
// be new or the caller's own: two programs that use one client ID at the same time
// break the document for everyone. A random number of 32 bits is new, as Yjs takes it:
// uint64(rand.Uint32()) of math/rand/v2. Only one edit may be under way at a time.
//
// The error is ErrBusy if another edit is under way, and ErrRange if the view was
// made by ReadAt, or if the client's next clock isn't known because structs of it
// wait for others.
func (v *View) Edit(client uint64) (*Edit, error) {
	switch {
	case v.edit != nil:
		return nil, fmt.Errorf("content: %w: another edit is under way; commit it first", ErrBusy)
	case v.past:
		return nil, outOfRange("the view is of the past; edit one that Read or Of has made")
	case client > lib0.MaxSafeInteger:
		return nil, outOfRange("client ID %d is above 2^53-1", client)
	}
	place, ok := v.byID[client]
	if !ok {
		place = int32(len(v.clients))
		v.clients = append(v.clients, author{id: client})
		v.byID[client] = place
	}
	if v.clients[place].pending {
		return nil, outOfRange("structs of client %d wait for others; edit as another client", client)
	}
	v.edit = &Edit{view: v, author: place, first: v.clients[place].end}
	return v.edit, nil
}

// Commit ends the transaction and returns it as a version 1 update, which has
// nothing in it if nothing was changed. Deleted content that the edit has made
// itself isn't in it, and documents refuse one that adds more than yjs.MaxNewUnits
// units. What is done with the edit afterwards is refused with ErrBusy,
// and a second Commit returns an update with nothing in it.
func (e *Edit) Commit() []byte {
	if e == nil || e.view == nil || e.view.edit != e {
		return []byte{0, 0}
	}
	e.view.edit = nil
	return e.encode()
}

// check reports why a type can't be edited.
func (e *Edit) check(h Shared) error {
	switch {
	case e == nil || e.view == nil:
		return fmt.Errorf("content: %w: no edit; View.Edit begins one", ErrBusy)
	case e.view.edit != e:
		return fmt.Errorf("content: %w: the edit was committed; begin another", ErrBusy)
	case h.view != e.view:
		return outOfRange("the type is in another view")
	}
	if kin := h.find(); kin != none && e.view.kin[kin].dead {
		return outOfRange("the type is deleted")
	}
	return nil
}

// room checks that n more bytes of content and n more units can be held.
func (e *Edit) room(n int) error {
	v := e.view
	switch {
	case uint64(len(v.src))+uint64(len(v.own))+uint64(n) > maxBytes:
		return overLimit("a view of more than %d bytes", uint64(maxBytes))
	case uint64(v.clients[e.author].end)+uint64(n) > yjs.MaxClock:
		return overLimit("a clock above 2^31")
	}
	return nil
}

// kinOf returns the type of a handle, which is made if it is a root that isn't
// there yet.
func (e *Edit) kinOf(h Shared) int32 {
	if kin := h.find(); kin != none {
		return kin
	}
	return e.view.addRoot([]byte(h.name))
}

// sequence returns the list of a handle's sequence, which is made if need be.
func (e *Edit) sequence(h Shared) int32 { return e.view.sequence(e.kinOf(h)) }

// make makes a node between two neighbours of list l, either of which may be none.
// body is its content without what comes before in View.bytesAt: see node.
func (e *Edit) make(l, left, right int32, kind byte, length uint32, body []byte) int32 {
	v := e.view
	a := &v.clients[e.author]
	i := int32(len(v.nodes))
	v.nodes = append(v.nodes, node{
		list: l, client: e.author, clock: a.end, length: length, kind: kind,
		body: v.keep(body), size: uint32(len(body)), left: none, right: none,
	})
	a.end += length
	a.more = append(a.more, i)
	e.items = append(e.items, item{i, v.lastID(left), v.firstID(right)})
	v.insert(i, i, l, left)
	if kind == kindType {
		v.addType(i)
	}
	if kind == kindFormat {
		v.lists[l].marked = true
	}
	return i
}

// keep adds bytes to the content that edits have made and returns where they are.
func (v *View) keep(b []byte) uint32 {
	at := len(v.src) + len(v.own)
	v.own = append(v.own, b...)
	return uint32(at)
}

func (v *View) firstID(i int32) id {
	if i == none {
		return id{author: none}
	}
	return id{v.nodes[i].client, v.nodes[i].clock}
}

func (v *View) lastID(i int32) id {
	if i == none {
		return id{author: none}
	}
	return id{v.nodes[i].client, v.nodes[i].end() - 1}
}

// cutAt cuts a node before its unit at, which isn't the first, and returns the
// second part.
func (v *View) cutAt(i int32, at uint32) int32 {
	l, r := v.cut(v.nodes[i], v.nodes[i].clock+at)
	k := int32(len(v.nodes))
	v.nodes[i] = l
	v.nodes = append(v.nodes, r)
	v.insert(k, k, l.list, i)
	if v.cuts == nil {
		v.cuts = map[int32]int32{}
	}
	if after, ok := v.cuts[i]; ok {
		v.cuts[k] = after
	}
	v.cuts[i] = k
	return k
}

// delete deletes a node and, if it is a type, all that is in it.
func (e *Edit) delete(i int32) {
	v := e.view
	if !e.markDeleted(i) || v.nodes[i].kind != kindType {
		return
	}
	types := []int32{int32(v.nodes[i].size)}
	for len(types) > 0 {
		t := &v.kin[types[len(types)-1]]
		types = types[:len(types)-1]
		t.dead = true
		lists := []int32{}
		if t.seq != none {
			lists = append(lists, t.seq)
		}
		for l := t.keys; l != none; l = v.lists[l].next {
			lists = append(lists, l)
		}
		for _, l := range lists {
			for k := v.lists[l].first; k != none; k = v.nodes[k].right {
				if e.markDeleted(k) && v.nodes[k].kind == kindType {
					types = append(types, int32(v.nodes[k].size))
				}
			}
		}
	}
}

// markDeleted marks a node and reports whether it wasn't.
func (e *Edit) markDeleted(i int32) bool {
	n := &e.view.nodes[i]
	if n.deleted() {
		return false
	}
	n.flags |= deleted
	e.deletes = append(e.deletes, span{n.client, n.clock, n.end()})
	return true
}

// nodesOf returns the nodes that an item has become, in the order of their clocks.
func (e *Edit) nodesOf(it item) []int32 {
	nodes := []int32{it.node}
	for {
		next, ok := e.view.cuts[nodes[len(nodes)-1]]
		if !ok {
			return nodes
		}
		nodes = append(nodes, next)
	}
}

// find returns the node that holds a unit, which must be there.
func (v *View) find(u id) int32 {
	a := &v.clients[u.author]
	i := a.lo + int32(sort.Search(int(a.hi-a.lo), func(k int) bool { return v.nodes[a.lo+int32(k)].clock > u.clock })) - 1
	if len(a.more) > 0 && v.nodes[a.more[0]].clock <= u.clock {
		i = a.more[sort.Search(len(a.more), func(k int) bool { return v.nodes[a.more[k]].clock > u.clock })-1]
	}
	for u.clock >= v.nodes[i].end() {
		i = v.cuts[i]
	}
	return i
}
