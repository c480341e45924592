package yjs_test

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// made is n parts.
func made(n int, part func(i uint64) []byte) [][]byte {
	parts := make([][]byte, n)
	for i := range parts {
		parts[i] = part(uint64(i))
	}
	return parts
}

// falling is made with the last part first, as clients stand in an update.
func falling(n int, part func(i uint64) []byte) [][]byte {
	parts := made(n, part)
	slices.Reverse(parts)
	return parts
}

// hostileShapes are updates of n parts that make much of few bytes, each in another way.
func hostileShapes(n int) map[string][]byte {
	all := map[string][]byte{}
	for _, some := range []map[string][]byte{crowds(n), gapShapes(n), structShapes(n), deleteShapes(n), valueShapes(n)} {
		maps.Copy(all, some)
	}
	for name, updates := range hostileTypes(uint64(n)) {
		if len(updates) == 1 {
			all["types "+name] = updates[0]
		}
	}
	return all
}

// manyOf is an update with a section for each of n clients, whose ids take two bytes.
func manyOf(n int, structs func(client, i uint64) [][]byte) []byte {
	return update(falling(n, func(i uint64) []byte {
		all := structs(128+i, i)
		clock := uint64(0)
		if len(all[0]) == 0 { // behind a gap
			all, clock = all[1:], 1
		}
		return section(128+i, clock, all...)
	})...)
}

// crowds are many clients.
func crowds(n int) map[string][]byte {
	one := func(structs ...[]byte) []byte {
		return manyOf(n, func(_, _ uint64) [][]byte { return slices.Clone(structs) })
	}
	array := []byte{7, 1, 0, 0}
	types := falling(n, func(i uint64) []byte { return section(128+i, 0, array) })
	perm := rand.New(rand.NewPCG(1, 2)).Perm(n)
	deletes := func(ranges ...byte) []byte {
		return cat([]byte{0}, num(uint64(n)), cat(falling(n, func(i uint64) []byte { return cat(num(128+i), ranges) })...))
	}
	return map[string][]byte{
		"clients with a unit":                 one(gc(1)),
		"clients with a letter":               one(root("t", "a")),
		"clients without anything":            one(skip(1)),
		"clients ascending":                   update(made(n, func(i uint64) []byte { return section(128+i, 0, array) })...),
		"clients in any order":                update(made(n, func(i uint64) []byte { return section(128+uint64(perm[i]), 0, gc(1)) })...),
		"clients with types":                  update(types...),
		"clients with types, twice":           update(append(slices.Clone(types), types...)...),
		"clients behind gaps":                 one(nil, gc(1)),
		"clients behind two gaps":             one(nil, gc(1), skip(1), gc(1)),
		"clients with types behind gaps":      one(nil, array),
		"clients with types that wait":        manyOf(n, func(_, i uint64) [][]byte { return [][]byte{beside(1, i)} }),
		"clients with types that wait behind": manyOf(n, func(_, i uint64) [][]byte { return [][]byte{nil, beside(1, i)} }),
		"clients that wait for each other":    manyOf(n, func(client, _ uint64) [][]byte { return [][]byte{after(client+1, 0, "a")} }),
		"clients deleted":                     deletes(1, 0, 1),
		"clients deleted at two places":       deletes(2, 0, 1, 2, 1),
		"clients of whom nothing is deleted":  deletes(0),
		"clients with keys of two values": cat(num(uint64(n)), bytes.Join(falling(n, func(i uint64) []byte {
			return section(128+i, 0, entry("m", "k", 8, 2, 126, 126))
		}), nil), deletes(1, 0, 2)[1:]),
	}
}

// gapShapes are structs behind gaps, and sections out of order.
func gapShapes(n int) map[string][]byte {
	perm := rand.New(rand.NewPCG(3, 4)).Perm(n)
	behind := func(structs func(i uint64) []byte) []byte { return update(section(1, 5, made(n, structs)...)) }
	between := func(structs ...[]byte) []byte {
		return update(section(1, 0, slices.Repeat(append([][]byte{skip(1)}, structs...), n)...))
	}
	return map[string][]byte{
		"gaps":                    gapsOf(n),
		"gaps between units":      between(gc(1)),
		"gaps between long forms": between([]byte{4, 1, 1, 't', 0x81, 0, 'a'}),
		"gaps from the end":       update(falling(n, func(i uint64) []byte { return section(1, 2*i+2, gc(1)) })...),
		"gaps in any order":       update(made(n, func(i uint64) []byte { return section(1, uint64(2*perm[i]+2), gc(1)) })...),
		"gaps that close":         update(append(falling(n, func(i uint64) []byte { return section(1, i+1, gc(1)) }), section(1, 0, gc(1)))...),
		"letters behind a gap":    update(section(1, 1, manyLetters(n + 1)[1:]...)),
		"units behind a gap":      behind(func(uint64) []byte { return gc(1) }),
		"deleted behind a gap":    behind(func(uint64) []byte { return deleted(1) }),
		"binaries behind a gap":   behind(func(uint64) []byte { return []byte{3, 1, 0, 0} }),
		"types behind a gap":      behind(func(i uint64) []byte { return beside(2, 2*i) }),
		"typed behind a gap":      behind(func(i uint64) []byte { return after(1, 4+i, "a") }),
		"overlaps":                update(made(n, func(i uint64) []byte { return section(1, i, gc(2)) })...),
		"letters twice":           update(section(1, 0, manyLetters(n)...), section(1, 0, manyLetters(n)...)),
		"letters half twice":      update(section(1, 0, manyLetters(n)[:n/2]...), section(1, 0, manyLetters(n)...)),
		"buried": update(section(1, 0, append([][]byte{after(2, 0, "x")}, manyLetters(n)[1:]...)...),
			section(1, 0, made(n, func(uint64) []byte { return gc(1) })...)),
		"holes": holes(n),
	}
}

// holes are units behind a gap that can't be joined, and in each 256 of them a hole that
// a section of its own fills.
func holes(n int) []byte {
	one := func(clock int) []byte {
		if clock%2 == 0 {
			return gc(1)
		}
		return []byte{1, 1, 0, 1}
	}
	var structs [][]byte
	sections := [][]byte{nil}
	for clock := 1; clock <= n; clock++ {
		if clock%256 == 128 {
			structs = append(structs, skip(1))
			sections = append(sections, section(1, uint64(clock), one(clock)))
		} else {
			structs = append(structs, one(clock))
		}
	}
	sections[0] = section(1, 1, structs...)
	return update(sections...)
}

// structShapes are many structs of one client, and long ones.
func structShapes(n int) map[string][]byte {
	one := func(structs func(i uint64) []byte) []byte { return update(section(1, 0, made(n, structs)...)) }
	same := func(of []byte) []byte { return one(func(uint64) []byte { return of }) }
	return map[string][]byte{
		"letters":    update(section(1, 0, manyLetters(n)...)),
		"units":      same(gc(1)),
		"deleted":    same(deleted(1)),
		"loose":      same([]byte{4, 1, 1, 't', 0x81, 0, 'a'}),
		"binaries":   same([]byte{3, 1, 0, 0}),
		"formats":    same(cat([]byte{6, 1}, str("t"), str("b"), str("1"))),
		"elements":   same(cat([]byte{7, 1}, str("t"), []byte{3}, str("p"))),
		"documents":  same(cat([]byte{9, 1}, str("t"), str("g"), []byte{118, 0})),
		"roots":      one(func(i uint64) []byte { return root(strconv.FormatUint(i, 10), "a") }),
		"keys":       one(func(i uint64) []byte { return entry("m", strconv.FormatUint(i, 10), 8, 1, 126) }),
		"strangers":  one(func(i uint64) []byte { return after(128+i, 0, "a") }),
		"text":       update(section(1, 0, root("t", strings.Repeat("text", n)))),
		"wide text":  update(section(1, 0, root("t", strings.Repeat("😀", n)))),
		"nulls":      update(section(1, 0, cat([]byte{8, 1}, str("a"), num(uint64(n)), bytes.Repeat([]byte{126}, n)))),
		"legacy":     update(section(1, 0, cat([]byte{2, 1}, str("a"), num(uint64(n)), bytes.Repeat([]byte{1, '1'}, n)))),
		"undefineds": update(section(1, 0, cat([]byte{2, 1}, str("a"), num(uint64(n)), bytes.Repeat(str("undefined"), n)))),
		"alternating": one(func(i uint64) []byte {
			if i%2 == 0 {
				return gc(1)
			}
			return deleted(1)
		}),
		"deep": one(func(i uint64) []byte {
			if i%200 == 0 {
				return []byte{7, 1, 0, 0}
			}
			return in(1, i-1)
		}),
		"keys of two values": cat([]byte{1}, section(1, 0, slices.Repeat([][]byte{entry("m", "k", 8, 2, 126, 126)}, n)...),
			[]byte{1, 1, 1, 0}, num(uint64(2*n))),
	}
}

// deleteShapes are many deleted ranges.
func deleteShapes(n int) map[string][]byte {
	perm := rand.New(rand.NewPCG(5, 6)).Perm(n)
	of := func(ranges [][]byte) []byte { return cat([]byte{0, 1, 1}, num(uint64(len(ranges))), cat(ranges...)) }
	ordered := made(n, func(i uint64) []byte { return id(2*i, 1) })
	return map[string][]byte{
		"deletes":              of(ordered),
		"deletes from the end": of(falling(n, func(i uint64) []byte { return id(2*i, 1) })),
		"deletes in any order": of(made(n, func(i uint64) []byte { return id(uint64(2*perm[i]), 1) })),
		"deletes that overlap": of(made(n, func(i uint64) []byte { return id(i, 2) })),
		"deletes twice":        cat([]byte{0, 2}, of(ordered)[2:], of(ordered)[2:]),
		"deletes one by one": cat([]byte{0}, num(uint64(n)),
			cat(made(n, func(i uint64) []byte { return cat([]byte{1, 1}, id(2*i, 1)) })...)),
		"deletes of a key's values": cat([]byte{1}, section(1, 0, entry("m", "k", 8, 2, 126, 126)), []byte{1, 1}, num(uint64(n+1)),
			[]byte{0, 2}, cat(made(n, func(i uint64) []byte { return id(2*i+4, 1) })...)),
	}
}

// valueShapes are values that are JSON in version 1 and anys in version 2.
func valueShapes(n int) map[string][]byte {
	all := map[string][]byte{}
	embed := func(name, text string) { all[name] = update(section(1, 0, cat([]byte{5, 1}, str("t"), str(text)))) }
	embed("array", "["+strings.Repeat("0,", n)+"0]")
	embed("numbers", "["+strings.Repeat("0.1,", n)+"0]")
	embed("objects", "["+strings.Repeat("{},", n)+"0]")
	embed("nested arrays", strings.Repeat("[", 90)+strings.Repeat("{},", n)+"0"+strings.Repeat("]", 90))
	embed("short escapes", "["+strings.Repeat(`"\n",`, n)+"0]")
	embed("a long escape", `"`+strings.Repeat(`\n`, n)+`"`)
	for name, key := range map[string]func(i int) string{
		"one key":       func(int) string { return "" },
		"short keys":    func(i int) string { return string(rune('!'+i/90%90)) + string(rune('A'+i%26)) },
		"many keys":     func(i int) string { return strconv.Itoa(n+i) + "a" },
		"array indices": func(i int) string { return strconv.Itoa(2*n - i) },
		"small indices": func(i int) string { return strconv.Itoa(i % 10) },
		"__proto__":     func(int) string { return "__proto__" },
	} {
		text := []byte{'{'}
		for i := range n {
			text = append(append(text, strconv.Quote(key(i))...), ":0,"...)
		}
		text[len(text)-1] = '}'
		embed(name, string(text))
	}
	nine := "{" + strings.Repeat(`"":0,`, 8) + `"":0}`
	all["objects of nine"] = update(section(1, 0, slices.Repeat([][]byte{cat([]byte{5, 1}, str("t"), str(nine))}, n/8)...))
	all["embeds"] = update(section(1, 0, slices.Repeat([][]byte{cat([]byte{5, 1}, str("t"), str("{}"))}, n)...))
	return all
}
