package yjs

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// modelled is a type as the model sees it: how many types are around it up to where
// that is known, and what is missing there, if anything is.
type modelled struct {
	types   int
	missing bool
	on      bond
	circle  bool
}

// model works out for each type of a state where it stands, in the plainest way: units
// are looked up one by one, and nothing is remembered.
func model(t *testing.T, state []byte) map[ID]modelled {
	t.Helper()
	type unit struct {
		b  block
		at uint64
	}
	units := map[ID]unit{}
	u := readUpdate(state)
	var b block
	for u.next(&b) {
		for at := b.clock; at < b.limit() && b.kind() != kindSkip; at++ {
			units[ID{u.client, at}] = unit{b, at}
		}
	}
	all := map[ID]modelled{}
	for id, of := range units {
		if of.b.kind() != kindType || id.Client == towerClient && id.Clock < towerDepth-1 {
			continue
		}
		var m modelled
		on, hangs := of.b.bond()
		for steps := 0; hangs; steps++ {
			if m.circle = steps > len(units); m.circle {
				break
			}
			next, ok := units[on.id()]
			if !ok {
				m.missing, m.on = true, on
				break
			}
			if next.b.kind() == kindGC || on.inside && next.b.kind() != kindType {
				break
			}
			if on.inside {
				m.types++
			}
			if next.at > next.b.clock {
				on = bondTo(ID{on.client, next.at - 1}, false)
				continue
			}
			on, hangs = next.b.bond()
		}
		if !m.missing {
			m.types = min(m.types, MaxNesting) // all that are too deep are the same
		}
		all[id] = m
	}
	return all
}

// compareNesting holds what a document remembers against the model, and returns the
// deepest type and whether one waits.
func compareNesting(t *testing.T, d *Document) (deepest int, waits bool) {
	t.Helper()
	state, err := d.EncodeStateAsUpdate(nil)
	if err != nil {
		t.Fatal(err)
	}
	if d.nesting != nil && d.nesting.stale {
		d.findNesting()
	}
	for id, want := range model(t, state) {
		if want.circle {
			continue
		}
		n := d.nesting
		if a := n.author(id.Client); a == nil || a.find(id.Clock) == nil {
			t.Fatalf("%v isn't known", id)
		} else if l := a.find(id.Clock); int(l.depth()) > want.types+1 {
			t.Fatalf("%v: depth %d, want %+v, in %x", id, l.depth(), want, state)
		}
		got := n.walk(bondTo(id, false), &heads{document: d})
		if !got.waits {
			got.types = min(got.types, MaxNesting)
		}
		if int(got.types) != want.types || got.waits != want.missing || got.on != want.on {
			t.Fatalf("%v: place %+v, want %+v, in %x", id, got, want, state)
		}
		if held, ok := n.waits.at(n.waits.seek(want.on)); want.missing && (!ok || held.bond() != want.on || held.most() < got.types+1) {
			t.Fatalf("%v is deeper than is known: %+v", id, held)
		}
		deepest = max(deepest, want.types+1)
		waits = waits || want.missing
	}
	return deepest, waits
}

// tower is n types of a client in each other.
func tower(client uint64, n int) []byte {
	dst := lib0.AppendVarUint([]byte{1}, uint64(n))
	dst = append(lib0.AppendVarUint(dst, client), 0)
	for i := range n {
		if dst = append(dst, kindType); i == 0 {
			dst = append(dst, 1, 1, 't', 0)
			continue
		}
		dst = append(lib0.AppendVarUint(lib0.AppendVarUint(append(dst, 0), client), uint64(i-1)), 0)
	}
	return append(dst, 0)
}

// tangled is structs of some clients that hang on each other in any way, in part
// below a tower.
type tangled struct {
	*rand.Rand
	structs [4][][]byte
	clocks  [4][]int // where each begins, and where the last ends
	buries  bool     // the last update had collected forms
}

// The tower, which leaves room for a few levels below it.
const towerClient, towerDepth = 9, MaxNesting - 1

func tangle(rnd *rand.Rand) *tangled {
	w := &tangled{Rand: rnd}
	for c := range w.structs {
		clock := 0
		for range 1 + rnd.IntN(8) {
			s, n := w.block(c, clock)
			w.structs[c] = append(w.structs[c], s)
			w.clocks[c] = append(w.clocks[c], clock)
			clock += n
		}
		w.clocks[c] = append(w.clocks[c], clock)
	}
	return w
}

// id appends a unit that a struct of a client may hang on.
func (w *tangled) id(dst []byte, c, clock int) ([]byte, bool) {
	if w.IntN(4) == 0 {
		return lib0.AppendVarUint(append(dst, towerClient), towerDepth-1), true // the innermost
	}
	other := w.IntN(len(w.structs))
	end := 9
	if other == c {
		end = clock
	}
	if end == 0 {
		return dst, false
	}
	return append(dst, byte(other), byte(w.IntN(end))), true
}

func (w *tangled) block(c, clock int) (dst []byte, length int) {
	kind := []byte{kindType, kindType, kindType, kindType, kindString, kindString, kindDeleted, kindGC}[w.IntN(8)]
	if kind == kindGC {
		return []byte{kindGC, 1}, 1
	}
	head := []byte{kind}
	if w.IntN(3) == 0 {
		if links, ok := w.id(head, c, clock); ok {
			links[0] |= flagOrigin
			head = links
		}
	}
	if w.IntN(5) == 0 {
		if links, ok := w.id(head, c, clock); ok {
			links[0] |= flagRight
			head = links
		}
	}
	if head[0] == kind {
		if links, ok := w.id(append(head, 0), c, clock); ok && w.IntN(5) > 0 {
			head = links
		} else {
			head = append(head, 1, 1, 't')
		}
	}
	switch kind {
	case kindType:
		return append(head, 0), 1
	case kindDeleted:
		return append(head, 2), 2
	default:
		n := 1 + w.IntN(3)
		return append(append(head, byte(n)), "abc"[:n]...), n
	}
}

// update is some of the structs of some clients, with the clients in descending order
// or in any.
func (w *tangled) update() []byte {
	w.buries = false
	var dst []byte
	sections := byte(0)
	order := w.Perm(len(w.structs))
	if w.IntN(4) > 0 {
		order = []int{3, 2, 1, 0}
	}
	for _, c := range order {
		if w.IntN(2) == 0 {
			continue
		}
		from := w.IntN(len(w.structs[c]))
		to := min(len(w.structs[c]), from+1+w.IntN(3))
		if w.IntN(30) == 0 { // collected, for all that it is
			w.buries = true
			n := w.clocks[c][to] - w.clocks[c][from]
			dst = append(dst, 1, byte(c), byte(w.clocks[c][from]), kindGC, byte(n))
		} else {
			dst = append(dst, byte(to-from), byte(c), byte(w.clocks[c][from]))
			for _, s := range w.structs[c][from:to] {
				dst = append(dst, s...)
			}
		}
		sections++
	}
	dst = append([]byte{sections}, dst...)
	if w.IntN(8) > 0 {
		return append(dst, 0)
	}
	c := w.IntN(len(w.structs))
	return append(dst, 1, byte(c), 1, byte(w.IntN(6)), byte(1+w.IntN(4)))
}

// TestNestingModel gives documents the structs of some clients in any order and
// portions, and wants them to know of each type what the model says; an update is
// refused if and only if the model says that a type would be too deep.
func TestNestingModel(t *testing.T) {
	refused, waited, deep := 0, 0, 0
	for seed := range uint64(150) {
		w := tangle(rand.New(rand.NewPCG(seed, 5)))
		d := NewDocument()
		base := tower(towerClient, towerDepth)
		late := w.IntN(3) == 0
		for i := range 24 {
			u := w.update()
			if i == 0 && !late || i == 18 && late {
				u, w.buries = base, false
			}
			before, err := d.EncodeStateAsUpdate(nil)
			if err != nil {
				t.Fatal(err)
			}
			// What the document would be without the limit.
			all := NewDocument()
			if err := errors.Join(all.Load(before), all.Load(u)); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			want, _ := compareNesting(t, all)
			if d.Prepare(); d.nesting != nil {
				d.nesting.begin() // compareNesting has shortened ways
			}
			knew := known(d)
			err = d.ApplyUpdate(u)
			if now := known(d); err != nil && now != knew {
				t.Fatalf("seed %d: refused, and yet\n%s became\n%s", seed, knew, now)
			}
			// What an update buries counts as it was before.
			if errors.Is(err, ErrLimit) != (want > MaxNesting) && !(err != nil && w.buries) || err != nil && !errors.Is(err, ErrLimit) {
				t.Fatalf("seed %d: %x: %v, but the deepest would be %d", seed, u, err, want)
			}
			got, waits := compareNesting(t, d)
			if err != nil {
				refused++
				if now, _ := d.EncodeStateAsUpdate(nil); !bytes.Equal(now, before) {
					t.Fatalf("seed %d: refused, and yet %x became %x", seed, before, now)
				}
			}
			if waits {
				waited++
			}
			deep = max(deep, got)
			if w.IntN(20) == 0 {
				d.Compact()
				compareNesting(t, d)
			}
		}
	}
	t.Logf("%d updates refused, %d states with types that wait, %d deep", refused, waited, deep)
	if refused < 15 || waited < 1500 || deep != MaxNesting {
		t.Error("not much of a test")
	}
}

// known is all that a document remembers of nesting, beside hints.
func known(d *Document) string {
	n := d.nesting
	if n == nil {
		return ""
	}
	var all strings.Builder
	for i := range n.authors.count {
		a := n.authors.at(i)
		n.recent = n.authors.count // so that he is looked up
		fmt.Fprintln(&all, a.id, a.levels, n.author(a.id) == a)
	}
	fmt.Fprintln(&all, n.types, n.shortcuts, n.waits, n.deep, n.arrived, n.coming,
		n.journal.authors, n.journal.noted.count, n.journal.fresh, n.journal.settled.count, n.journal.shortcuts.count)
	return all.String()
}

// TestNestingForgets refuses large updates, again and again, for what comes last in
// them. Nothing of them stays that memory could be filled with.
func TestNestingForgets(t *testing.T) {
	const n, most = 5000, 4 * keepRoom
	array := func(links ...byte) []byte { return append(append([]byte{kindType}, links...), 0) }
	inRoot := array(1, 1, 't')
	in := func(client, clock uint64) []byte {
		return array(lib0.AppendVarUint(lib0.AppendVarUint([]byte{0}, client), clock)...)
	}
	d := NewDocument()
	if err := d.ApplyUpdate(append(append([]byte{1, 1, 8, 0}, in(9, 0)...), 0)); err != nil {
		t.Fatal(err)
	}
	for client := uint64(10); client < 30; client++ {
		updates := map[string][]byte{"types": nil, "types that wait": nil, "crowds": nil}
		types := append(lib0.AppendVarUint(nil, n), 8, 1)
		waiting := append(lib0.AppendVarUint(nil, n), 8, 1)
		var crowd []byte
		for i := range uint64(n) {
			types = append(types, inRoot...)
			waiting = append(waiting, in(client, i)...)
			crowd = append(lib0.AppendVarUint(append(crowd, 1), client*n+n-i), 0)
			crowd = append(crowd, inRoot...)
		}
		updates["types"] = append([]byte{1}, types...)
		updates["types that wait"] = append([]byte{1}, waiting...)
		updates["crowds"] = append(lib0.AppendVarUint(nil, n), crowd...)
		for name, u := range updates {
			// Too long by a byte.
			if err := d.ApplyUpdate(append(u, 0, 0)); !errors.Is(err, ErrMalformed) {
				t.Fatalf("%s: %v", name, err)
			}
			k := d.nesting
			if room := roomOf(k.authors.chunks) + len(k.authors.at(0).levels) + cap(k.way) + roomOf(k.journal.noted.chunks) + cap(k.journal.fresh) + len(k.shortcuts); room > most {
				t.Errorf("%s: room for %d things stays", name, room)
			}
		}
	}
}

// TestNestingOnce sends a unit again and again for which many types have waited. They
// are looked at when it comes, and not each time.
func TestNestingOnce(t *testing.T) {
	const n, client = 20_000, 9
	waiting := append(append([]byte{1}, lib0.AppendVarUint(nil, n)...), 8, 0)
	for clock := range uint64(n) {
		waiting = lib0.AppendVarUint(append(waiting, flagOrigin|kindType, client), clock+1)
		waiting = append(waiting, 0)
	}
	collected := func(length uint64) []byte { // behind a gap
		return append(lib0.AppendVarUint([]byte{1, 1, client, 1, kindGC}, length), 0)
	}
	d := NewDocument()
	if err := errors.Join(d.ApplyUpdate(append(waiting, 0)), d.ApplyUpdate(collected(n))); err != nil {
		t.Fatal(err)
	}
	before := d.nesting.steps
	for i := range uint64(100) {
		if err := d.ApplyUpdate(collected(n + i)); err != nil {
			t.Fatal(err)
		}
	}
	if steps := d.nesting.steps - before; before < n || steps > 100 {
		t.Errorf("%d steps for what has come before, and %d when it came", steps, before)
	}
}

// besides is a type beside a unit.
func besides(client, clock, other, at int) []byte {
	dst := lib0.AppendVarUint([]byte{1, 1}, uint64(client))
	dst = lib0.AppendVarUint(dst, uint64(clock))
	dst = lib0.AppendVarUint(append(dst, flagOrigin|kindType), uint64(other))
	return append(lib0.AppendVarUint(dst, uint64(at)), 0, 0)
}

// fronts is a letter per update, each in front of the one before it, so that a walk
// from the last goes over all.
func fronts(client, n int) [][]byte {
	all := [][]byte{{1, 1, byte(client), 0, kindString, 1, 1, 't', 1, 'a', 0}}
	for i := 1; i < n; i++ {
		dst := lib0.AppendVarUint([]byte{1, 1, byte(client)}, uint64(i))
		dst = lib0.AppendVarUint(append(dst, flagRight|kindString, byte(client)), uint64(i-1))
		all = append(all, append(dst, 1, 'a', 0))
	}
	return all
}

// TestNestingSteps counts the steps of walks where each could be as long as the
// document: together they are at most all structs, and a stride for each type.
func TestNestingSteps(t *testing.T) {
	const n, types = 3000, 800
	letters := fronts(1, n)
	merge := func(updates [][]byte) []byte {
		merged, err := MergeUpdates(updates...)
		if err != nil {
			t.Fatal(err)
		}
		return merged
	}
	var inFront, chain, below [][]byte
	for i := range types {
		inFront = append(inFront, besides(2, i, 1, n-1-i*7919%(n/4)))
		chain = append(chain, besides(100+i, 0, 101+i, 0))
		below = append(below, besides(3, i, 100+i*7919%types, 0))
	}
	one, many := merge(inFront), merge(letters)
	backwards := func(list [][]byte) [][]byte {
		list = slices.Clone(list)
		slices.Reverse(list)
		return list
	}
	for name, updates := range map[string][][]byte{
		"together":             {merge([][]byte{many, one})},
		"one after the other":  append(slices.Clone(letters), inFront...),
		"types first":          {one, many},
		"letters first":        {many, one},
		"types first, singly":  append(slices.Clone(inFront), backwards(letters)...),
		"from behind":          append(backwards(letters), backwards(inFront)...),
		"a chain that waits":   append(slices.Clone(chain), below...),
		"and from its end":     append(backwards(chain), below...),
		"and at once":          append([][]byte{merge(chain)}, below...),
		"and in what is there": append(append(slices.Clone(chain), below...), []byte{1, 1, 0xdc, 0x0c, 0, kindType, 1, 1, 't', 0, 0}),
	} {
		d := NewDocument()
		for _, u := range updates {
			if err := d.ApplyUpdate(u); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		most := n + types*(stride+2)
		t.Logf("%s: %d steps, at most %d", name, d.nesting.steps, most)
		if d.nesting.steps > most {
			t.Errorf("%s: %d steps, at most %d", name, d.nesting.steps, most)
		}
	}
}
