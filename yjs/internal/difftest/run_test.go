package difftest

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/fjord-sync/fjord/yjs"
)

// applyOne applies an update from a buffer that is overwritten afterwards, and
// checks that Contains foretells whether anything changes.
func applyOne(d *yjs.Document, update []byte) error {
	if err := yjs.ValidateUpdate(update); err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	before, err := d.EncodeStateAsUpdate(nil)
	if err != nil {
		return err
	}
	contained := d.Contains(update)
	buf := bytes.Clone(update)
	if err := d.ApplyUpdate(buf); err != nil {
		return err
	}
	for i := range buf {
		buf[i] = 0xaa
	}
	after, err := d.EncodeStateAsUpdate(nil)
	if err != nil {
		return err
	}
	if changed := !bytes.Equal(before, after); changed == contained {
		return fmt.Errorf("Contains is %v, but the state changed: %v", contained, changed)
	}
	return nil
}

// compact compacts a document and checks what must not change by that.
func compact(d *yjs.Document) error {
	vector, before, pending := d.StateVector(), d.Size(), d.Pending()
	if freed := d.Compact(); freed != before-d.Size() {
		return fmt.Errorf("compacting says it freed %d of %d, Size is %d", freed, before, d.Size())
	}
	if now := d.StateVector(); !bytes.Equal(now, vector) {
		return fmt.Errorf("compacting changed the vector from %x to %x", vector, now)
	}
	if now := d.Pending(); !slices.Equal(now.Missing, pending.Missing) {
		return fmt.Errorf("compacting changed what is missing from %v to %v", pending.Missing, now.Missing)
	}
	return nil
}

// compacted returns a state as it is, or compacted.
func compacted(state []byte, compacts bool) ([]byte, error) {
	if !compacts {
		return state, nil
	}
	d := yjs.NewDocument()
	if err := d.Load(state); err != nil {
		return nil, err
	}
	d.Compact()
	return d.EncodeStateAsUpdate(nil)
}

func finish(d *yjs.Document, vectors [][]byte) (phaseResult, error) {
	var out phaseResult
	var err error
	if out.State, err = d.EncodeStateAsUpdate(nil); err != nil {
		return out, err
	}
	out.Vector = d.StateVector()
	for _, v := range vectors {
		diff, err := d.EncodeStateAsUpdate(v)
		if err != nil {
			return out, err
		}
		if err := yjs.ValidateUpdate(diff); err != nil {
			return out, fmt.Errorf("diff for %x is invalid: %w", v, err)
		}
		inVersion2, err := d.EncodeStateAsUpdateV2(v)
		if err != nil {
			return out, err
		}
		if again, err := yjs.ConvertUpdateV1ToV2(diff); err != nil || !bytes.Equal(again, inVersion2) {
			return out, fmt.Errorf("diff for %x in version 2 is %x, converted %x, %v", v, inVersion2, again, err)
		}
		out.Diffs, out.DiffsV2 = append(out.Diffs, diff), append(out.DiffsV2, inVersion2)
	}
	if p := d.Pending(); p.Structs == 0 && d.Size() != len(out.State) {
		return out, fmt.Errorf("Size %d, state has %d bytes", d.Size(), len(out.State))
	}
	if err := checkPending(d); err != nil {
		return out, err
	}
	out.Waits = d.Missing() != nil
	again := yjs.NewDocument()
	if err := again.Load(out.State); err != nil {
		return out, fmt.Errorf("own state is refused: %w", err)
	}
	encoded, err := again.EncodeStateAsUpdate([]byte{0})
	if err != nil {
		return out, err
	}
	if !bytes.Equal(encoded, out.State) {
		return out, fmt.Errorf("re-encoded %x, want %x", encoded, out.State)
	}
	return out, nil
}

// withoutDocument merges and cuts updates, and compares that with what the
// document made of them.
func withoutDocument(out *phaseResult, all, updates, vectors [][]byte, compacts bool) error {
	merged, err := yjs.MergeUpdates(all...)
	if err != nil {
		return err
	}
	if merged, err = compacted(merged, compacts); err != nil || !bytes.Equal(merged, out.State) {
		return fmt.Errorf("merged %x, %v, the document has %x", merged, err, out.State)
	}
	if v, err := yjs.StateVectorFromUpdate(out.State); err != nil || !bytes.Equal(v, out.Vector) {
		return fmt.Errorf("vector from the state %x, %v, want %x", v, err, out.Vector)
	}
	for i, v := range vectors {
		if diff, err := yjs.DiffUpdate(out.State, v); err != nil || !bytes.Equal(diff, out.Diffs[i]) {
			return fmt.Errorf("state cut to %x, %v, the document gives %x", diff, err, out.Diffs[i])
		}
	}
	out.Singles = []singleResult{}
	first := updates[:min(mergeFirst, len(updates))]
	for k, u := range first {
		var s singleResult
		if s.Diff, err = yjs.DiffUpdate(u, vectors[k%len(vectors)]); err != nil {
			return err
		}
		if s.Vector, err = yjs.StateVectorFromUpdate(u); err != nil {
			return err
		}
		out.Singles = append(out.Singles, s)
	}
	out.Merged, err = yjs.MergeUpdates(first...)
	return err
}

// inVersion2 converts updates to and fro, and replays all of them in version 2.
func inVersion2(out *phaseResult, d *yjs.Document, all, v2 [][]byte, compacts bool) error {
	var err error
	if out.StateV2, err = d.EncodeStateAsUpdateV2(nil); err != nil {
		return err
	}
	again := yjs.NewDocument()
	for _, u := range all {
		converted, err := yjs.ConvertUpdateV1ToV2(u)
		if err != nil {
			return err
		}
		if err := again.ApplyUpdateV2(converted); err != nil {
			return fmt.Errorf("%x in version 2 (%x): %w", u, converted, err)
		}
	}
	if compacts {
		again.Compact()
	}
	if state, err := again.EncodeStateAsUpdate(nil); err != nil || !bytes.Equal(state, out.State) {
		return fmt.Errorf("delivered in version 2: %x, %v, want %x", state, err, out.State)
	}
	for k := range out.Singles {
		s := &out.Singles[k]
		if s.V1, err = yjs.ConvertUpdateV2ToV1(v2[k]); err != nil {
			return fmt.Errorf("%x: %w", v2[k], err)
		}
		// Not the update itself: Yjs drops the flag of a key where it is of no use.
		if back, err := yjs.ConvertUpdateV1ToV2(s.V1); err != nil || !bytes.Equal(back, v2[k]) {
			return fmt.Errorf("%x in version 2 is %x, %v, yjs writes %x", s.V1, back, err, v2[k])
		}
	}
	return nil
}
