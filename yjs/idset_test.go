package yjs_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
)

func TestIDSets(t *testing.T) {
	u := cat([]byte{2}, section(9, 0, root("t", "abc")), section(5, 2, after(5, 1, "xy"), skip(3), after(9, 0, "z")),
		[]byte{2, 9, 1, 1, 1, 7, 1, 0, 4})
	d := documentOf(t, u)
	inserts := yjs.IDSet{9: {{Clock: 0, Len: 3}}, 5: {{Clock: 2, Len: 2}, {Clock: 7, Len: 1}}}
	deletes := yjs.IDSet{9: {{Clock: 1, Len: 1}}, 7: {{Clock: 0, Len: 4}}}
	if got := d.Inserts(); !reflect.DeepEqual(got, inserts) {
		t.Errorf("inserts %v, want %v", got, inserts)
	}
	if got := d.Deletes(); !reflect.DeepEqual(got, deletes) {
		t.Errorf("deletes %v, want %v", got, deletes)
	}
	i, x, err := yjs.IDsOfUpdate(u)
	if err != nil || !reflect.DeepEqual(i, inserts) || !reflect.DeepEqual(x, deletes) {
		t.Errorf("of the update: %v, %v, %v", i, x, err)
	}
	if _, _, err := yjs.IDsOfUpdate(u[1:]); err == nil {
		t.Error("no update, and no error")
	}
	for clock := range uint64(12) {
		for _, client := range []uint64{5, 7, 9, 11} {
			id := yjs.ID{Client: client, Clock: clock}
			if d.Has(id) != inserts.Has(id) || d.Deleted(id) != deletes.Has(id) {
				t.Errorf("%v: held %v, deleted %v", id, d.Has(id), d.Deleted(id))
			}
		}
	}
	if d.Has(yjs.ID{Client: 9, Clock: 1 << 60}) || d.Deleted(yjs.ID{Client: 9, Clock: 1 << 60}) {
		t.Error("a clock that can't be")
	}
	// A GC struct is deleted by its form; the update itself doesn't say so.
	collected := update(section(3, 0, gc(2)))
	if _, x, err := yjs.IDsOfUpdate(collected); err != nil || len(x) > 0 {
		t.Errorf("deletes %v, %v", x, err)
	}
	if got := documentOf(t, collected).Deletes(); !got.Has(yjs.ID{Client: 3, Clock: 1}) {
		t.Errorf("deletes %v", got)
	}
}

// TestIDsInAnyOrder has clients more than once, in any order, and ranges that overlap.
func TestIDsInAnyOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n := 1 + rnd.IntN(20)
		inserts, deletes := yjs.NewDocument(), yjs.NewDocument()
		var sections, ranges []byte
		for range n {
			client, clock, length := rnd.Uint64N(3), rnd.Uint64N(20), 1+rnd.Uint64N(4)
			if s := section(client, clock, skip(1), gc(length), gc(1)); len(sections) == 0 || rnd.IntN(2) == 0 {
				sections = cat(sections, s)
				apply(t, inserts, update(s))
			} else {
				sections = cat(sections, section(client, clock))
			}
			ranges = cat(ranges, num(client), num(2), id(clock, length), id(clock, 1))
			apply(t, deletes, removal(client, clock, length))
		}
		u := cat(num(uint64(n)), sections, num(uint64(n)), ranges)
		i, x, err := yjs.IDsOfUpdate(u)
		if err != nil || !reflect.DeepEqual(i, inserts.Inserts()) || !reflect.DeepEqual(x, deletes.Deletes()) {
			t.Fatalf("%x: %v, %v, %v; want %v, %v", u, i, x, err, inserts.Inserts(), deletes.Deletes())
		}
	}
}
