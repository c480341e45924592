package difftest

// trapMutants walk into the traps that proof.md lists, by their numbers, where the
// others don't.
var trapMutants = []mutant{
	// 1: a key's name is on the wire only without neighbours.
	{"name of a key behind neighbours", "block.go", "\t\tif !b.linked() {\n\t\t\tr.parent(b)\n\t\t}", "\t\tif !b.linked() {\n\t\t\tr.parent(b)\n\t\t} else if b.info&flagKey != 0 {\n\t\t\tr.text()\n\t\t}", tier1},
	{"the empty key is none", "content/integrate.go", "\tif n.flags&infoKey == 0 {\n", "\tif n.flags&infoKey == 0 || b.src[c.pos] == 0 {\n", tier1},
	// 3: a whole is better than its slice.
	{"slice stays when the whole comes", "client.go", "\tif b.kind() == kindString {\n\t\tg.dropStrings(from, to)\n", "\tif false {\n\t\tg.dropStrings(from, to)\n", unit},
	// 15: halves of a pair put in apart.
	{"U+FFFD is another content", "utf16.go", "a != b && a != 0xfffd && b != 0xfffd", "a != b", unit},
	// 4: numbers and values as JavaScript has them.
	{"-0 is 0", "lib0/anywrite.go", "uint64(math.Abs(f)), math.Signbit(f))", "uint64(math.Abs(f)), f < 0)", unit},
	{"exponents of two digits", "internal/ecma/number.go", "if n := len(dst); dst[n-2] == '0' &&", "if n := len(dst); n < 0 &&", tier1},
	{"keys of objects as they came", "properties.go", "\tif p.inOrder() {", "\tif p.text != nil {", unit},
	{"undefined is refused", "block.go", `if string(r.bytes()) == "undefined" {`, `if string(r.bytes()) == "" {`, tier1},
	{"floats are little-endian", "lib0/anyread.go", "math.Float32frombits(binary.BigEndian", "math.Float32frombits(binary.LittleEndian", tier1},
	{"bigints are little-endian", "lib0/anyread.go", "BigInt(binary.BigEndian", "BigInt(binary.LittleEndian", tier1},
	// 5: columns of version 2.
	{"version 2: length of GC in the rest", "v2decode.go", "case kind == kindGC:\n\t\tc.number(c.lengths.next())", "case kind == kindGC:\n\t\tc.number(c.rest.uvarint())", tier1},
	{"version 2: length of Skip in its column", "v2decode.go", "case kind == kindSkip:\n\t\tc.number(c.rest.uvarint())", "case kind == kindSkip:\n\t\tc.number(c.lengths.next())", tier1},
	{"version 2: distances of deletes go on", "v2decode.go", "\tfor range clients {\n\t\tc.number(c.rest.uvarint())\n\t\tranges := c.rest.count()\n\t\tc.number(ranges)\n\t\tat := uint64(0)\n", "\tat := uint64(0)\n\tfor range clients {\n\t\tc.number(c.rest.uvarint())\n\t\tranges := c.rest.count()\n\t\tc.number(ranges)\n", tier1},
	{"version 2: keys can't come again", "v2decode.go", "if clock < uint64(c.keys.count) {", "if false {", unit},
	{"version 2: columns run dry", "columns.go", "if c.forever = len(c.src) == 0; !c.forever {", "if len(c.src) == 0 {\n\t\t\tc.left = 1\n\t\t} else {", tier1},
	{"version 2: pair cut by a length", "columns.go", "\t\tc.inPair = true\n", "", unit},
	// 6: clients up to 2^53-1.
	{"clients of 32 bits", "reader.go", "\tclient := r.uvarint()\n", "\tclient := uint64(uint32(r.uvarint()))\n", tier1},
	{"numbers above 2^53", "reader.go", "if n > lib0.MaxSafeInteger {", "if false {", unit},
	// 7: what types and documents carry.
	{"a type too many", "block.go", "maxType        = 6", "maxType        = 7", tier1},
	{"hooks have no name", "block.go", "case t == typeXMLElement || t == typeXMLHook:", "case t == typeXMLElement:", tier1},
	{"options of documents are anything", "block.go", "if r.left() > 0 && r.src[r.pos] != lib0.AnyObject {", "if false && r.src[r.pos] != lib0.AnyObject {", unit},
	// 8: nothing is empty, no Skip has flags.
	{"empty structs", "update.go", "if b.length == 0 && b.kind() != kindSkip {", "if false {", unit},
	{"flagged Skips", "block.go", "if b.info != kind {", "if false {", unit},
	// 9: poison.
	{"live values of a key in one struct", "update.go", "u.keyed && !keyedAreDead(u.src)", "false", tier1},
	{"bytes as prototype", "reader.go", "\tif err != nil {\n\t\tr.fail(anyFault(err))", "\tif err != nil && !errors.Is(err, lib0.ErrPrototype) {\n\t\tr.fail(anyFault(err))", unit},
	// 10: much out of little.
	{"version 2: as many structs as are claimed", "v2decode.go", "uint64(maxStructsPerByte*c.size + freeStructs)", "uint64(1) << 40", unit},
	{"version 2: as many bytes as come", "v2decode.go", "if len(c.dst) > maxGrowth*c.size+freeBytes {", "if false {", unit},
	{"trailing bytes", "update.go", "if u.fault == noFault && u.left() > 0 {", "if false {", unit},
	// 12: what a struct hangs on may come later.
	{"a client runs ahead", "content/order.go", "\t\t\tif len(waiting) > 1 {\n", "\t\t\tif false {\n", tier1},
	// 13: only GC loses its origin.
	{"what hangs on GC stays", "content/integrate.go", "if l = b.nodes[r].list; l == none {\n\t\t\treturn none", "if l = b.nodes[r].list; l == none {\n\t\t\treturn 0", tier1},
	// 16: two contents for a clock; much for a clock.
	{"a parent spelled long is as good as another", "conflict.go", "\t\tgot = appendParent(nil, src, b)\n", "\t\treturn true\n", unit},
	{"another content is let in", "conflict.go", "\tif k.same(src, b, text, from, to) {", "\tif k.same(src, b, text, from, to) || true {", unit},
	{"no cap on new units", "apply.go", "if units += b.limit() - from; units > most.units {", "if units += b.limit() - from; false {", unit},
	{"no cap on the units of a first update", "fill.go", "if units += b.length; units > most.units {", "if units += b.length; false {", unit},
	// 17: what waits is sent on.
	{"what waits isn't sent on", "client.go", "\tif c.gaps != nil {\n\t\treturn c.gaps.end()\n\t}\n\treturn uint64(c.main.end)", "\treturn uint64(c.main.end)", tier1},
	// 18: depth.
	{"types nest without end", "content/integrate.go", "if !t.dead && depth[i] > MaxNesting {", "if false {", tier2},
}
