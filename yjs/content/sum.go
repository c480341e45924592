package content

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
