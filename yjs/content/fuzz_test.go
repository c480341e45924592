package content_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

// everyKind is what a root can be read as.
var everyKind = []string{"text", "array", "map", "fragment", "element", "xmltext"}

// readings reads all roots of a view as everything.
func readings(v *content.View) (all []string) {
	for _, name := range v.Roots() {
		for _, kind := range everyKind {
			all = append(all, name+" "+kind+" "+look(v, root{name, kind}))
		}
	}
	return all
}

func wildUpdates(n uint64) (all [][]byte) {
	for seed := range n {
		w := wild{Rand: rand.New(rand.NewPCG(seed, 1))}
		all = append(all, w.update())
	}
	return all
}

// paired reports whether an update may have surrogate pairs. What hangs on the middle
// of one cuts it, for whoever has that; who gets it collected has the pair whole. No
// editor puts anything there.
func paired(update []byte) bool {
	return bytes.ContainsFunc(update, func(r rune) bool { return r > 0xffff })
}

// FuzzCompact drops from a document what can be dropped: nobody may read anything
// else, lack anything, or be told another vector.
func FuzzCompact(f *testing.F) {
	wild := wildUpdates(20)
	for i, u := range wild {
		f.Add(u, wild[(i+1)%len(wild)])
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		d := yjs.NewDocument()
		if d.ApplyUpdate(first) != nil {
			return
		}
		_ = d.ApplyUpdate(second)
		vector, pending := d.StateVector(), d.Pending().Missing
		before, err := content.Of(d)
		size := d.Size()
		freed, refused := content.Compact(d)
		if (err == nil) != (refused == nil) {
			t.Fatalf("read: %v, compacted: %v", err, refused)
		}
		if freed != size-d.Size() {
			t.Errorf("freed %d, but %d became %d", freed, size, d.Size())
		}
		if err != nil {
			return
		}
		after, err := content.Of(d)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(d.StateVector(), vector) || len(d.Pending().Missing) != len(pending) {
			t.Errorf("vector %x, was %x; missing is %v, was %v", d.StateVector(), vector, d.Pending().Missing, pending)
		}
		if !d.Contains(first) {
			t.Error("the first update isn't contained any more")
		}
		if paired(first) || paired(second) {
			return
		}
		then, now := readings(before), readings(after)
		for i := range then {
			if i >= len(now) || then[i] != now[i] {
				t.Fatalf("%q isn't read any more, but %q", then[i], now)
			}
		}
	})
}

// FuzzReadAt reads what a snapshot from anywhere has of an update.
func FuzzReadAt(f *testing.F) {
	for _, u := range wildUpdates(20) {
		v, err := content.Read(u)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(u, v.Snapshot().Append(nil))
	}
	f.Fuzz(func(t *testing.T, update, snapshot []byte) {
		s, err := content.ParseSnapshot(snapshot)
		if err != nil {
			return
		}
		if _, err := s.Contains(update); (err == nil) != (yjs.ValidateUpdate(update) == nil) && !errors.Is(err, yjs.ErrLimit) {
			t.Errorf("Contains: %v, ValidateUpdate: %v", err, yjs.ValidateUpdate(update))
		}
		v, err := content.ReadAt(update, s)
		if err != nil {
			return
		}
		readings(v)
		for client, clock := range v.Snapshot().Vector {
			if clock > s.Vector[client] {
				t.Errorf("client %d is read up to %d, the snapshot has %d", client, clock, s.Vector[client])
			}
		}
	})
}
