package content

import (
	"slices"

	"github.com/fjord-sync/fjord/yjs"
)

// View is a document in reading order, made from an update by Read, ReadAt or Of. It is
// a picture: what is applied to the document later isn't in it, and what is edited in it
// is in the document only when the edit's update was applied there. Any number of
// goroutines may read it, as long as none edits it (see Edit).
type View struct {
	src   []byte // the update; content is read from here
	own   []byte // content that edits have added
	nodes []node
	lists []list
	// kin is the shared types, each after the one that it is in.
	kin     []sharedType
	clients []author
	byID    map[uint64]int32 // places in clients
	roots   map[string]int32 // places in kin
	keys    keyTable
	// cuts are the second parts of nodes that edits have cut.
	cuts map[int32]int32
	// marks says which value a mark that an edit has made has: see attribute.
	marks  map[int32]int
	given  int   // how many values edits were given
	edit   *Edit // the one under way
	past   bool  // made by ReadAt
	finger finger
}

// Read makes the view of a version 1 update: a whole state, as EncodeStateAsUpdate
// of a yjs.Document or of Yjs returns it, or any other that has each client once
// (yjs.MergeUpdates makes it so). Structs that wait for something that isn't there
// are left out, as Yjs leaves them out. The update is kept and must not change as
// long as the view is used.
//
// The error is yjs.ErrMalformed if the bytes aren't an update, and yjs.ErrLimit if
// types nest deeper than MaxNesting, or if it has more than yjs.MaxNewUnits units:
// the view of a document that has so many is made by Of.
func Read(update []byte) (*View, error) {
	if err := yjs.ValidateUpdate(update); err != nil {
		return nil, err
	}
	return build(update, nil, defaultCrowd)
}

// Of is Read for a document. Its state is encoded, which costs little more than a
// copy, and needn't be checked again.
func Of(d *yjs.Document) (*View, error) {
	state, err := d.EncodeStateAsUpdate(nil)
	if err != nil {
		return nil, err
	}
	return build(state, nil, defaultCrowd)
}

// build makes a view of an update that was checked: of all of it, or of what a
// snapshot has.
func build(update []byte, at *Snapshot, crowd int) (*View, error) {
	if len(update) > maxBytes {
		return nil, overLimit("an update of %d bytes", len(update))
	}
	v := &View{src: update, roots: map[string]int32{}, byID: map[uint64]int32{}, finger: finger{list: none}}
	v.past = at != nil
	b := &builder{View: v, crowd: crowd}
	if err := b.scan(at); err != nil {
		return nil, err
	}
	b.order()
	b.split()
	b.integrate()
	if err := b.settle(); err != nil {
		return nil, err
	}
	return v, nil
}

// bytesAt returns the bytes from an offset on, of the update or of what edits have
// added.
func (v *View) bytesAt(at uint32) []byte {
	if int(at) < len(v.src) {
		return v.src[at:]
	}
	return v.own[int(at)-len(v.src):]
}

// Nodes returns how many pieces of structs the view has, which is what making and
// keeping it costs: see doc.go.
func (v *View) Nodes() int { return len(v.nodes) }

// Roots returns the names of the root types that have or had something in them, in
// ascending order.
func (v *View) Roots() []string {
	names := make([]string, 0, len(v.roots))
	for name := range v.roots {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
