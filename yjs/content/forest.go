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

// sum is what is known of nodes that are neighbours.
type sum struct {
	low    int32 // the leftmost origin: a node, none for the beginning, or nothing
	second int32 // the leftmost of the other origins, or nothing
	// clean is the first node whose origin is low and behind which no node hangs on
	// one between low and it; or nothing.
	clean int32
}

// nothing is no node and no beginning either.
const nothing int32 = -2

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

// sumUp derives what a branch says of all below it from its children.
func (f *forest) sumUp(x int32) {
	f.b.steps++
	at := &f.branches[x]
	at.size, at.sum = 1, f.one(x)
	if at.left != none {
		at.size += f.branches[at.left].size
		at.sum = f.join(f.branches[at.left].sum, at.sum)
	}
	if at.right != none {
		at.size += f.branches[at.right].size
		at.sum = f.join(at.sum, f.branches[at.right].sum)
	}
}

// one returns the sum of a node.
func (f *forest) one(x int32) sum { return sum{f.b.seats[x].origin, nothing, x} }

// join returns the sum of nodes and those behind them.
func (f *forest) join(left, right sum) sum {
	l, r := f.label(left.low), f.label(right.low)
	switch {
	case l < r:
		if left.clean != nothing && f.label(left.clean) > r {
			left.clean = nothing
		}
		left.second = f.lower(left.second, right.low)
		return left
	case l > r:
		right.second = f.lower(right.second, left.low)
		return right
	}
	if left.clean == nothing || f.label(left.clean) > f.label(right.second) {
		left.clean = right.clean
	}
	left.second = f.lower(left.second, right.second)
	return left
}

func (f *forest) lower(x, y int32) int32 {
	if f.label(x) < f.label(y) {
		return x
	}
	return y
}

// between returns the sum of the nodes at or below x whose labels are between two.
func (f *forest) between(x int32, after, before uint64) sum {
	if x == none {
		return sum{nothing, nothing, nothing}
	}
	f.b.steps++
	at := &f.branches[x]
	reach := at.label&-at.label - 1
	switch {
	case at.label-reach > after && at.label+reach < before:
		return at.sum
	case at.label <= after:
		return f.between(at.right, after, before)
	case at.label >= before:
		return f.between(at.left, after, before)
	}
	left := f.join(f.between(at.left, after, before), f.one(x))
	return f.join(left, f.between(at.right, after, before))
}

// firstOn returns the first node behind x that hangs on what is left of x, or none.
func (f *forest) firstOn(x int32) int32 {
	limit := f.label(x)
	hangs := func(y int32) bool { return y != none && f.label(f.branches[y].sum.low) < limit }
	at := f.branches[x].right
	for !hangs(at) {
		f.b.steps++
		up := f.branches[x].up
		for up != none && f.branches[up].right == x {
			f.b.steps++
			x, up = up, f.branches[up].up
		}
		if up == none {
			return none
		}
		if f.label(f.b.seats[up].origin) < limit {
			return up
		}
		x, at = up, f.branches[up].right
	}
	for {
		f.b.steps++
		switch left := f.branches[at].left; {
		case hangs(left):
			at = left
		case f.label(f.b.seats[at].origin) < limit:
			return at
		default:
			at = f.branches[at].right
		}
	}
}
