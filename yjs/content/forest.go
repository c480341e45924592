package content

import (
	"math"
	"math/bits"
)

// forest is lists in which the order of any two nodes is known at once, and in which
// it takes logarithmic time to find what a walk over nodes looks for. There is a
// binary tree over each; a node's label is its path from the root, with a one behind:
//
//	           1000             root
//	   0100            1100     left and right of it
//	0010  0110      1010  1110
//
// Where a path gets too long, the tree above is built anew (a scapegoat tree).
type forest struct {
	b        *builder
	branches []branch // of nodes
	roots    map[int32]int32
	order    []int32 // of the nodes that are built anew
}

// branch is a node in its tree.
type branch struct {
	up, left, right int32
	size            int32 // nodes at or below it
	label           uint64
	sum             sum // of them
}

// A path is as long as that of a tree in which no child has more than 0.7 of what its
// parent has, which is at most 60 steps in a list of 2^31 nodes.
const (
	heavyTenths     = 7
	depthHundredths = 195
)

// label orders origins: the beginning, nodes from left to right, nothing.
func (f *forest) label(n int32) uint64 {
	switch n {
	case none:
		return 0
	case nothing:
		return math.MaxUint64
	}
	return f.branches[n].label
}

// plant takes up a list.
func (f *forest) plant(l int32) {
	f.order = f.order[:0]
	for x := f.b.lists[l].first; x != none; x = f.b.nodes[x].right {
		f.order = append(f.order, x)
	}
	// Sums compare labels of nodes that may come later.
	f.lay(f.order, none, 1<<63)
	f.roots[l] = f.grow(f.order)
}

// lay gives nodes in their order the labels of a tree below up that is as flat as can
// be.
func (f *forest) lay(order []int32, up int32, label uint64) {
	if len(order) == 0 {
		return
	}
	f.b.steps++
	mid := len(order) / 2
	x, half := order[mid], (label&-label)/2
	f.branches[x] = branch{up: up, left: none, right: none, label: label}
	f.lay(order[:mid], x, label-half)
	f.lay(order[mid+1:], x, label+half)
}

// grow links what lay has laid, and sums it up. It returns the root, or none.
func (f *forest) grow(order []int32) int32 {
	if len(order) == 0 {
		return none
	}
	mid := len(order) / 2
	x := &f.branches[order[mid]]
	x.left, x.right = f.grow(order[:mid]), f.grow(order[mid+1:])
	f.sumUp(order[mid])
	return order[mid]
}

// add adds a node of list l between two neighbours that have been added.
func (f *forest) add(n, l, left, right int32) {
	f.branches[n] = branch{up: none, left: none, right: none, label: 1 << 63}
	if left == none && right == none {
		f.sumUp(n)
		f.roots[l] = n
		return
	}
	// One of two neighbours is below the other.
	up := right
	if left != none && f.branches[left].right == none {
		up = left
	}
	at := &f.branches[up]
	label, half := at.label, (at.label&-at.label)/2
	if up == left {
		label += half
		at.right = n
	} else {
		label -= half
		at.left = n
	}
	f.branches[n].up, f.branches[n].label = up, label
	for x := n; x != none; x = f.branches[x].up {
		f.sumUp(x)
	}
	depth := 63 - bits.TrailingZeros64(label)
	if 100*depth > depthHundredths*bits.Len32(uint32(f.branches[f.roots[l]].size)) {
		f.flatten(f.heavy(n), l)
	}
}

// heavy returns the lowest node above n one of whose children has too much of what
// it has.
func (f *forest) heavy(n int32) int32 {
	for {
		up := f.branches[n].up
		if up == none {
			return n
		}
		if 10*int64(f.branches[n].size) > heavyTenths*int64(f.branches[up].size) {
			return up
		}
		n = up
	}
}

// flatten builds what is at or below x anew.
func (f *forest) flatten(x, l int32) {
	top := f.branches[x]
	f.order = f.order[:0]
	for k := f.first(x); len(f.order) < int(top.size); k = f.next(k) {
		f.order = append(f.order, k)
	}
	f.lay(f.order, top.up, top.label)
	root := f.grow(f.order)
	switch {
	case top.up == none:
		f.roots[l] = root
	case f.branches[top.up].left == x:
		f.branches[top.up].left = root
	default:
		f.branches[top.up].right = root
	}
}

// first returns the first node at or below x.
func (f *forest) first(x int32) int32 {
	for f.branches[x].left != none {
		x = f.branches[x].left
	}
	return x
}

// next returns the node after x, or none.
func (f *forest) next(x int32) int32 {
	if right := f.branches[x].right; right != none {
		return f.first(right)
	}
	for {
		up := f.branches[x].up
		if up == none || f.branches[up].left == x {
			return up
		}
		x = up
	}
}
