package room

import "github.com/fjord-sync/fjord/yjs"

// weight is how large a document is: as it was counted last, and what has come since.
// Counting looks at every client that has ever written there, of which a document of
// years has thousands, and would be most of what a key pressed costs.
type weight struct {
	size, memory int // Document.Size and Document.Memory, as counted
	since        int // bytes of updates applied after that
}

// weighAfter is how many bytes of updates come between two counts, beside a sixteenth
// of the document: so counting costs a fraction of applying them.
const weighAfter = 4 << 10

func (w *weight) weigh(d *yjs.Document) {
	*w = weight{size: d.Size(), memory: d.Memory()}
}

// grow notes that an update of n bytes was applied.
func (w *weight) grow(d *yjs.Document, n int) {
	if w.since += n; w.since > weighAfter+w.size/16 {
		w.weigh(d)
	}
}

// exceeds reports whether the document would have more than limit bytes, with n more.
// It counts anew before it says so: most of an update's bytes are what says where a
// letter goes, and a letter is what the document grows by.
func (w *weight) exceeds(d *yjs.Document, limit, n int) bool {
	if w.size+w.since+n <= limit {
		return false
	}
	w.weigh(d)
	return w.size+n > limit
}
