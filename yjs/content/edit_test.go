package content_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/difftest"
)

const defaultEdits = 600

type session struct {
	State  []byte     `json:"state"`
	Client uint64     `json:"client"`
	Edits  [][]action `json:"edits"`
	Roots  []root     `json:"roots"`
	Mine   [][]byte   `json:"mine"`
	// Places are after the edits; Positions are of those, and from before the edits.
	Places    []place  `json:"places"`
	Positions [][]byte `json:"positions"`

	seed int
	name string
	// After the edits:
	views     []string
	snapshot  []byte
	positions [][]byte // of Places
	places    []string // of Positions
}

// place is an index in a type.
type place struct {
	Root  root  `json:"root"`
	Path  []any `json:"path"`
	Index int   `json:"index"`
	Assoc int   `json:"assoc"`
}

type outcome struct {
	Updates        [][]byte
	Views, Applied []string
	Snapshot       []byte
	Positions      [][]byte
	Places         []string
	Undone         [2][]string
	Error          string
}

// edited edits the document of a random session.
func edited(t *testing.T, p program, seed int) session {
	t.Helper()
	r := &editor{Rand: rand.New(rand.NewPCG(uint64(seed), 3))}
	d := yjs.NewDocument()
	for _, u := range append(p.Updates, p.Late...) {
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatal(err)
		}
	}
	s := session{Client: uint64(r.Int64N(1 << 31)), Roots: natural, seed: seed, name: p.Name}
	var err error
	if r.view, err = content.Of(d); err != nil {
		t.Fatal(err)
	}
	s.State = content.Source(r.view)
	_, s.Positions = r.positions(t, 6)
	for range 1 + seed%3 {
		r.transact(t, &s, 1+r.IntN(1+seed%5))
	}
	for _, root := range natural {
		s.views = append(s.views, look(r.view, root))
	}
	s.snapshot = r.view.Snapshot().Append(nil)
	s.Places, s.positions = r.positions(t, 12)
	s.Positions = append(s.Positions, s.positions...)
	for _, p := range s.Positions {
		s.places = append(s.places, r.resolve(t, p))
	}
	for _, u := range s.Mine {
		if err := d.ApplyUpdate(u); err != nil {
			t.Errorf("seed %d (%s): own update %x: %v", seed, p.Name, u, err)
		}
	}
	again, err := content.Of(d)
	if err != nil {
		t.Fatal(err)
	}
	for i, root := range natural {
		if got := look(again, root); got != s.views[i] {
			t.Errorf("seed %d (%s): %v:\nedited %s\nread   %s", seed, p.Name, s.Edits, clip(s.views[i]), clip(got))
		}
	}
	return s
}

// positions makes places in random types, and positions of them.
func (r *editor) positions(t *testing.T, n int) (places []place, positions [][]byte) {
	t.Helper()
	for range n {
		to := r.target()
		kind, ok := to.kind.(interface {
			Len() int
			Position(index, assoc int) (content.Position, error)
		})
		if !ok || isMap(to.kind) {
			continue
		}
		at := place{to.root, to.path, r.IntN(kind.Len() + 1), pick(r.Rand, 0, 0, 1, -1, -3)}
		p, err := kind.Position(at.Index, at.Assoc)
		if err != nil {
			t.Fatal(err)
		}
		places, positions = append(places, at), append(positions, p.Append(nil))
	}
	return places, positions
}

func isMap(kind any) bool {
	switch kind.(type) {
	case content.Map, content.XMLHook:
		return true
	}
	return false
}

// resolve says where a position is, as the oracle does.
func (r *editor) resolve(t *testing.T, position []byte) string {
	t.Helper()
	p, err := content.ParsePosition(position)
	if err != nil {
		t.Fatal(err)
	}
	at, ok := r.view.Resolve(p)
	switch {
	case !ok:
		return "gone"
	case at.Type == nil:
		return fmt.Sprintf("%s %d", difftest.Quote(at.Root), at.Index)
	default:
		return fmt.Sprintf("%s %d", content.HolderOf(at.Type), at.Index)
	}
}

// transact makes up to n changes in one edit.
func (r *editor) transact(t *testing.T, s *session, n int) {
	t.Helper()
	var err error
	if r.edit, err = r.view.Edit(s.Client); err != nil {
		t.Fatal(err)
	}
	actions := []action{}
	for range n {
		a, err := r.act()
		if err != nil {
			t.Fatalf("seed %d (%s): %v: %v", s.seed, s.name, a, err)
		}
		if a != nil {
			actions = append(actions, a)
		}
	}
	s.Edits = append(s.Edits, actions)
	s.Mine = append(s.Mine, r.edit.Commit())
}

// TestEdits edits documents and lets Yjs do the same.
func TestEdits(t *testing.T) {
	first := difftest.FromEnv(t, "YJS_SEED", 1)
	numbered(t, difftest.FromEnv(t, "YJS_EDITS", defaultEdits), func(t *testing.T, o *difftest.Oracle, from, to int) (failed int) {
		var sessions []session
		for i, p := range makePrograms(t, o, first+from, first+to) {
			sessions = append(sessions, edited(t, p, first+from+i))
		}
		var outcomes []outcome
		o.Ask(t, map[string]any{"op": "edit", "sessions": sessions}, &outcomes)
		for i, s := range sessions {
			if err := judge(s, outcomes[i]); err != nil {
				t.Errorf("seed %d (%s): %s: %v", s.seed, s.name, clip(fmt.Sprint(s.Edits)), err)
				failed++
			}
		}
		return failed
	})
}

func judge(s session, o outcome) error {
	if o.Error != "" {
		return fmt.Errorf("yjs throws: %s", clip(o.Error))
	}
	for i, root := range natural {
		if !difftest.Agree(s.views[i], o.Views[i]) {
			return fmt.Errorf("%s:\nfjord %s\nyjs   %s", root[0], clip(s.views[i]), clip(o.Views[i]))
		}
		if o.Applied[i] != o.Views[i] {
			return fmt.Errorf("%s:\napplied in yjs %s\nedited in yjs  %s", root[0], clip(o.Applied[i]), clip(o.Views[i]))
		}
	}
	if !bytes.Equal(s.snapshot, o.Snapshot) {
		return fmt.Errorf("snapshot:\nfjord %x\nyjs   %x", s.snapshot, o.Snapshot)
	}
	for i, p := range s.Places {
		if !bytes.Equal(s.positions[i], o.Positions[i]) {
			return fmt.Errorf("%v as a position:\nfjord %x\nyjs   %x", p, s.positions[i], o.Positions[i])
		}
	}
	for i, p := range s.Positions {
		if s.places[i] != o.Places[i] {
			return fmt.Errorf("position %x is at:\nfjord %s\nyjs   %s", p, s.places[i], o.Places[i])
		}
	}
	for i, u := range s.Mine {
		if !bytes.Equal(u, o.Updates[i]) {
			return fmt.Errorf("update %d differs:\nfjord %x\nyjs   %x", i, u, o.Updates[i])
		}
	}
	// An UndoManager of yjs takes the update for its own.
	for i, want := range o.Undone[0] {
		if got := o.Undone[1][i]; got != want {
			return fmt.Errorf("%s undone, then redone (%d):\napplied in yjs %s\nedited in yjs  %s", natural[i%len(natural)][0], i, clip(got), clip(want))
		}
	}
	return nil
}
