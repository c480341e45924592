package yjs

import "github.com/fjord-sync/fjord/yjs/lib0"

// Updates can be handled without keeping a document: joined, cut for a peer,
// asked for their state vector.

// MergeUpdates returns one update that changes a document as all of the given
// ones do, in whatever order. Gaps between them are kept, as Skips. It is what a
// document makes of them: ErrMalformed, ErrLimit or ErrConflict if one of them is
// refused, though without the cap on new units and without looking at how deep types
// nest. No update at all merges to the empty one.
//
// While dependencies are missing, the merged update mustn't be the only copy: a
// later, collected form of a struct may be what a document needs.
func MergeUpdates(updates ...[]byte) ([]byte, error) {
	d := Document{flat: true}
	for _, u := range updates {
		if err := d.Load(u); err != nil {
			return nil, err
		}
	}
	return d.EncodeStateAsUpdate(nil)
}

// StateVectorFromUpdate returns the encoded state vector of a document that has
// just this update. A client whose first clock isn't in it has none. The errors are
// those of ValidateUpdate, but without the cap on new units; DiffUpdate has the same.
func StateVectorFromUpdate(update []byte) ([]byte, error) {
	u := readUpdate(update)
	w := sectionWriter{room: lib0.VarUintLen(u.sections)}
	w.dst = make([]byte, w.room, w.room+16)
	var b block
	var client, prefix uint64
	flush := func() {
		if prefix > 0 {
			w.count++
			w.dst = lib0.AppendVarUint(w.dst, client)
			w.dst = lib0.AppendVarUint(w.dst, prefix)
		}
	}
	for u.checked(&b) {
		if u.section {
			flush()
			w.next(u.client)
			client, prefix = u.client, 0
		}
		if b.kind() != kindSkip && b.clock == prefix {
			prefix = b.limit()
		}
	}
	flush()
	if err := u.finish(); err != nil {
		return nil, err
	}
	if w.disordered {
		d := Document{flat: true}
		if err := d.Load(update); err != nil {
			return nil, err
		}
		return d.StateVector(), nil
	}
	return w.finish(), nil
}

// DiffUpdate returns the part of an update that a peer with a state vector lacks:
// the structs at or above its clocks, the first one sliced if need be, and all
// deletes. A nil or empty vector is the empty one; one that can't be read is
// ErrMalformed.
func DiffUpdate(update, stateVector []byte) ([]byte, error) {
	have, err := readVector(stateVector)
	if err != nil {
		return nil, err
	}
	u := readUpdate(update)
	w := sectionWriter{room: lib0.VarUintLen(u.sections)}
	w.dst = make([]byte, w.room, w.room+len(update)+sliceRoom)
	var b block
	wanted, end := uint64(0), 0
	copied := -1 // up to where the section was copied, or -1 before it is
	flush := func() {
		if copied >= 0 {
			w.dst = append(w.dst, update[copied:end]...)
		}
	}
	for u.checked(&b) {
		if u.section {
			flush()
			copied = -1
			if w.next(u.client); !w.disordered {
				wanted = have.clock(u.client)
			}
		}
		if copied < 0 && b.kind() != kindSkip && b.limit() > wanted { // a Skip never comes first
			begin := max(b.clock, wanted)
			w.count++
			w.dst = lib0.AppendVarUint(w.dst, u.structs+1)
			w.dst = appendID(w.dst, ID{u.client, begin})
			w.dst = appendBlock(w.dst, u.client, update, &b, begin, b.limit())
			copied = b.end
		}
		end = b.end
	}
	flush()
	if err := u.finish(); err != nil {
		return nil, err
	}
	if w.disordered {
		d := Document{flat: true}
		if err := d.Load(update); err != nil {
			return nil, err
		}
		return d.EncodeStateAsUpdate(stateVector)
	}
	return append(w.finish(), update[u.deletesAt:]...), nil
}

// sectionWriter appends sections whose number is known only in the end: it keeps
// room for it at the beginning.
type sectionWriter struct {
	dst   []byte
	room  int // bytes kept for the count
	count uint64
	// disordered says that a client has come twice, or not in descending order as
	// all writers have them. Then a section by itself doesn't say enough.
	disordered bool
	begun      bool
	last       uint64 // client
}

// next notes that a section of a client begins.
func (w *sectionWriter) next(client uint64) {
	w.disordered = w.disordered || w.begun && client >= w.last
	w.begun, w.last = true, client
}

// finish puts the count where it belongs and returns the bytes.
func (w *sectionWriter) finish() []byte {
	at := w.room - lib0.VarUintLen(w.count)
	lib0.AppendVarUint(w.dst[at:at], w.count)
	return w.dst[at:]
}
