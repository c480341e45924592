package content

import (
	"fmt"

	"github.com/fjord-sync/fjord/yjs"
)

// ReadCrowded is Read with siblings indexed after so many of them.
func ReadCrowded(update []byte, crowd int) (*View, error) {
	if err := yjs.ValidateUpdate(update); err != nil {
		return nil, err
	}
	return build(update, nil, crowd)
}

// Steps returns how many nodes are looked at to find where all nodes stand.
func Steps(update []byte) (steps, nodes int, err error) {
	v := &View{src: update, roots: map[string]int32{}, byID: map[uint64]int32{}, finger: finger{list: none}}
	b := &builder{View: v, crowd: defaultCrowd}
	if err := b.scan(nil); err != nil {
		return 0, 0, err
	}
	b.order()
	b.split()
	b.integrate()
	return b.steps, len(v.nodes), nil
}

// Crowds that have all conflicts resolved in one way.
const (
	WalkAll  = walkAll
	PlantAll = plantAll
)

// Source returns the update that a view was made of.
func Source(v *View) []byte { return v.src }

// HolderOf returns the ID of the struct that a nested type is in.
func HolderOf(shared any) string {
	h := shared.(interface{ self() Shared }).self()
	id := h.view.idAt(h.view.kin[h.kin].node, 0)
	return fmt.Sprintf("%d:%d", id.Client, id.Clock)
}

func (h Shared) self() Shared { return h }

// Nested returns the nested types that aren't deleted, by the struct that they are in.
func Nested(v *View) map[string]any {
	all := map[string]any{}
	for kin := range v.kin {
		if k := &v.kin[kin]; k.node != none && !k.dead {
			h := v.handleOf(int32(kin))
			all[HolderOf(h)] = h
		}
	}
	return all
}

// Level is where a nested type stands: the ID of its struct, and how deep.
type Level struct {
	ID    yjs.ID
	Depth int
}

// LevelOf returns the level of a nested type.
func LevelOf(shared any) Level {
	h := shared.(interface{ self() Shared }).self()
	return Level{h.view.idAt(h.view.kin[h.kin].node, 0), h.nesting()}
}
