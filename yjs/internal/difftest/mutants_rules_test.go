package difftest

// ruleMutants break the rules of tier 1 that proof.md lists, by their numbers, where
// storeMutants don't.
var ruleMutants = []mutant{
	// 1: check first, then store; keep what is known.
	{"what is refused leaves a trace", "apply.go", "if err := d.check(&s, most); err != nil {", "if err := d.check(&s, most); err != nil {\n\t\td.ensure(1).deletes.add(0, 1, spot{})", tier1},
	{"known prefix comes again", "client.go", "from, to := max(b.clock, uint64(c.main.end)), b.limit()\n\tif from >= to {", "from, to := b.clock, b.limit()\n\tif from >= to {", tier1},
	{"input isn't copied", "intake.go", "\t\tmain.buf = append(main.buf, in.src[in.from:in.to]...)", "\t\tif main.buf == nil {\n\t\t\tmain.buf = in.src[in.from:in.to:in.to]\n\t\t} else {\n\t\t\tmain.buf = append(main.buf, in.src[in.from:in.to]...)\n\t\t}", tier1},
	// 3: join what continues, but no values of keys.
	{"values of a key are joined", "run.go", "continuing = 1<<kindGC | 1<<kindDeleted | 1<<kindString\n", "continuing = 1<<kindGC | 1<<kindDeleted | 1<<kindString | 1<<kindAny\n", unit},
	// 5: gaps are Skips, counted and never first; all deletes always.
	{"Skips aren't counted", "encode.go", "\t\t\ts.structs++\n\t\t\ts.size += 1 + lib0", "\t\t\ts.size += 1 + lib0", tier1},
	{"a Skip comes first", "encode.go", "s.begin = max(clock, uint64(p.start)) // a Skip never comes first", "s.begin = min(clock, uint64(p.start))", tier1},
	{"diff lacks deletes", "encode.go", "\treturn d.appendDeletes(dst), nil", "\tif len(stateVector) > 1 {\n\t\treturn append(dst, 0), nil\n\t}\n\treturn d.appendDeletes(dst), nil", tier1},
	{"deletes that come early are lost", "apply.go", "\t\t_, near = d.ensure(u.client).deletes.add(uint32(clock), uint32(clock+length), near)", "\t\tif c := d.ensure(u.client); clock < c.end() {\n\t\t\t_, near = c.deletes.add(uint32(clock), uint32(clock+length), near)\n\t\t}", tier1},
	// 6: what Yjs drops is dropped, what it keeps is kept.
	{"overwritten values stay", "content/integrate.go", "if l := &b.lists[i]; l.key != noKey {", "if l := &b.lists[i]; false && l.key != noKey {", tier1},
	{"what is in a deleted type stays", "content/compact.go", "return n.list == none || v.kin[v.lists[n.list].kin].dead })", "return n.list == none })", tier1},
	{"deleted types stay alive within", "content/integrate.go", "t.dead = n.deleted() || b.kin[outer].dead", "t.dead = n.deleted()", tier1},
	// 7: also what waits.
	{"what waits isn't compacted", "compact.go", "\tif c.gaps != nil {\n\t\tnext := c.gaps.cut(c.id, parts)", "\tif false {\n\t\tnext := c.gaps.cut(c.id, parts)", unit},
	{"what waits is compacted away", "compact.go", "\t\tnext := c.gaps.cut(c.id, parts)\n\t\tc.gaps = &next\n", "\t\tc.gaps = nil\n", tier1},
	// 8: GC replaces what is blocked, and nothing else.
	{"GC replaces content", "blocked.go", "from, to := max(b.clock, reach[i].clock), min(b.limit(), c.end())", "from, to := b.clock, min(b.limit(), c.end())", unit},
	{"blocked for good once it has waited", "blocked.go", "\t\t\tqueue = append(queue, all[i].waiting...)\n", "", unit},
}
