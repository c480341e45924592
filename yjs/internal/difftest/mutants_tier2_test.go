package difftest

// viewMutants are bugs in tier 2.
var viewMutants = []mutant{
	{"lower client stands right", "content/conflict.go", "if b.id(x) < id {", "if b.id(x) > id {", tier1},
	{"what hangs before the origin is passed", "content/conflict.go", "case o == none || b.stamps[o] <= base:\n\t\t\treturn left, after, true", "case o == none || b.stamps[o] <= base:\n\t\t\tleft, cleared = x, b.tick", tier1},
	{"followers of a sibling aren't passed", "content/conflict.go", "case b.stamps[o] <= cleared:\n\t\t\tleft, cleared = x, b.tick", "case b.stamps[o] <= cleared:\n\t\t\tleft = x", tier1},
	{"lower client stands right in a ring", "content/siblings.go", "if b.id(s) < id {", "if b.id(s) > id {", tier1},
	{"followers of the last sibling aren't passed", "content/siblings.go", "left, ok = b.lastOn(after)", "left, ok = after, true", tier1},
	{"torn kids are trusted", "content/conflict.go", "\t\tb.seats[parent].kids = torn\n", "", tier2},
	{"a struct's deletes end early", "content/split.go", "clock < d.end; at++", "clock+1 < d.end; at++", tier1},
	{"clocks of long deletes are off by one", "content/ruler.go", "\t\tif !ok {\n\t\t\tat--", "\t\tif ok {\n\t\t\tat--", tier2},
	{"a tangled list ends early", "content/tangle.go", "case beyond.low == origin && beyond.clean != nothing:", "case false:", tier2},
	{"a crossing from the right is overlooked", "content/sum.go", "if left.clean != nothing && f.label(left.clean) > r {", "if false {", tier2},
	{"the second origin is overlooked", "content/sum.go", "left.clean == nothing || f.label(left.clean) > f.label(right.second)", "left.clean == nothing", tier2},
	{"trees aren't built anew", "content/forest.go", "if 100*depth > ", "if 0*depth > ", tier2},
	{"first value of a key", "content/shared.go", "return v.valueAt(n, n.length-1), true", "return v.valueAt(n, 0), true", tier2},
	{"cut pair loses a half", "content/split.go", "\t\tr.flags |= headHalf\n", "", tier2},
	{"formats count", "content/node.go", "return n.kind != kindFormat && n.kind > kindDeleted", "return n.kind > kindDeleted", tier1},
	{"null sets a format", "content/text.go", "\tif value == nil {\n\t\tdelete(d.current, key)\n\t\treturn\n\t}\n", "", tier1},
	{"marks of an edit forget their value", "content/caret.go", "\twhich, ok := v.marks[i]", "\twhich, ok := 0, false", tier2},
	{"restored marks stay", "content/caret.go", "\tc.restore(&negated)\n}\n\n// format gives", "\t_ = negated\n}\n\n// format gives", tier2},
	{"redundant marks stay", "content/tidy.go", "if last[key] != i || held.same(value) {", "if last[key] != i {", tier2},
	{"positions count deleted units", "content/position.go", "\tfor i = v.nodes[i].left; i != none; i = v.nodes[i].left {\n\t\tif v.counts(i) {", "\tfor i = v.nodes[i].left; i != none; i = v.nodes[i].left {\n\t\tif v.nodes[i].countable() {", tier2},
	{"snapshot forgets who has nothing deleted", "content/snapshot.go", "s.Vector[a.id] = uint64(a.end)", "s.Vector[a.id] = uint64(a.end) - 1", tier1},
	{"formats that ended aren't told", "content/changewriter.go", "\t\t\tset(key, nil)\n", "\t\t\t_ = key\n", tier2},
	{"what came and went is told", "content/since.go", "case before == none && gone, before == now && !gone:", "case before == now && !gone:", tier2},
	{"the past ends early", "content/scan.go", "if gap || n.clock >= limit {", "if gap || n.end() > limit {", tier2},
}
