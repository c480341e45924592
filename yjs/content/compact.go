package content

import "github.com/fjord-sync/fjord/yjs"

// Compact drops from a document what Yjs's garbage collection drops, and returns by
// how many bytes the encoded state has shrunk:
//
//	deleted content                 its place stays, its content goes
//	overwritten values of keys      the same; Yjs derives that they are deleted
//	what is in a deleted type       becomes GC: nothing stays but its length
//	neighbours that are alike then  become one struct
//
// Nothing that anybody can read changes, nor what anybody's next update means. The
// document's own Compact is several times cheaper, since it needs no view, and
// drops what the delete set names; this one leaves what Yjs would leave. Who wants
// to read the past, see ReadAt, calls neither.
//
// The error is that of Of, and then the document is as it was.
func Compact(d *yjs.Document) (freed int, err error) {
	v, err := Of(d)
	if err != nil {
		return 0, err
	}
	f := yjs.Findings{Deleted: v.Snapshot().Deletes}
	f.Gone = v.rangesOf(func(n *node) bool { return n.list == none || v.kin[v.lists[n.list].kin].dead })
	f.Sequences = v.rangesOf(func(n *node) bool {
		return (n.kind == kindAny || n.kind == kindJSON) && n.list != none && v.lists[n.list].key == noKey
	})
	return d.Collect(f), nil
}

// rangesOf returns the clocks of some nodes.
func (v *View) rangesOf(some func(n *node) bool) yjs.IDSet {
	set := yjs.IDSet{}
	for c := range v.clients {
		a := &v.clients[c]
		var ranges []Range
		v.eachOf(a, func(n *node) {
			if some(n) {
				ranges = appendRange(ranges, n)
			}
		})
		if ranges != nil {
			set[a.id] = ranges
		}
	}
	return set
}
