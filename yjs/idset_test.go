package yjs_test

import (
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
