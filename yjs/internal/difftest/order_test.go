package difftest

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

// checkPending checks what the document says to be missing: the first clock that it
// lacks of each client of which it has later ones.
func checkPending(d *yjs.Document) error {
	vector, err := yjs.ParseVector(d.StateVector())
	if err != nil {
		return err
	}
	missing := map[uint64]uint64{}
	for client, ranges := range d.Inserts() {
		if last := ranges[len(ranges)-1]; last.Clock+last.Len > vector[client] {
			missing[client] = vector[client]
		}
	}
	told := map[uint64]uint64{}
	for _, id := range d.Pending().Missing {
		told[id.Client] = id.Clock
	}
	if !maps.Equal(told, missing) {
		return fmt.Errorf("missing is %v, want %v", told, missing)
	}
	return nil
}

// applyNext is applyOne, after which no clock may be lower.
func applyNext(d *yjs.Document, update []byte) error {
	before, err := yjs.ParseVector(d.StateVector())
	if err != nil {
		return err
	}
	if err := applyOne(d, update); err != nil {
		return err
	}
	after, err := yjs.ParseVector(d.StateVector())
	if err != nil {
		return err
	}
	for client, clock := range before {
		if after[client] < clock {
			return fmt.Errorf("the vector of client %d fell from %d to %d", client, clock, after[client])
		}
	}
	return nil
}

// inAnyOrder delivers the updates in another order, some twice, some in version 2,
// and compares what is held then. The bytes may differ: of half a pair and the whole
// the first stays, and so does what is blocked.
func inAnyOrder(d *yjs.Document, all [][]byte, rnd *rand.Rand) (*yjs.Document, error) {
	other := yjs.NewDocument()
	for _, k := range append(rnd.Perm(len(all)), rnd.Perm(len(all))[:len(all)/4]...) {
		if rnd.IntN(2) == 0 {
			if err := applyOne(other, all[k]); err != nil {
				return nil, err
			}
			continue
		}
		converted, err := yjs.ConvertUpdateV1ToV2(all[k])
		if err != nil {
			return nil, err
		}
		if err := other.ApplyUpdateV2(converted); err != nil {
			return nil, fmt.Errorf("%x in another order: %w", converted, err)
		}
	}
	if got, want := other.StateVector(), d.StateVector(); !bytes.Equal(got, want) {
		return nil, fmt.Errorf("vector in another order %x, want %x", got, want)
	}
	if got, want := other.Inserts(), d.Inserts(); !reflect.DeepEqual(got, want) {
		return nil, fmt.Errorf("units in another order %v, want %v", got, want)
	}
	if got, want := other.Deletes(), d.Deletes(); !reflect.DeepEqual(got, want) {
		return nil, fmt.Errorf("deletes in another order %v, want %v", got, want)
	}
	return other, nil
}

// sameInAnyOrder delivers all updates in another order, and compares what is read.
func sameInAnyOrder(p *program, d *yjs.Document, v *content.View, all [][]byte, rnd *rand.Rand) error {
	other, err := inAnyOrder(d, all, rnd)
	if err != nil {
		return err
	}
	view, err := content.Of(other)
	if err != nil {
		return err
	}
	for _, r := range natural {
		if got, want := r.read(view), r.read(v); !p.agree(got, want) {
			return fmt.Errorf("root %q in another order:\n got %.600s\nwant %.600s", r[0], got, want)
		}
	}
	return nil
}
