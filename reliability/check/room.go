package check

import (
	"errors"
	"fmt"

	"github.com/fjord-sync/fjord/yjs"
)

// Author is one client's part in a room's history.
type Author struct {
	Name string
	// Said are the updates that it sent, in order; Echoed, of the same length, are
	// those that the server has shown it.
	Said   [][]byte
	Echoed []bool
	// Seen is what the server sent it, as one update; Document is all it holds.
	// Document is nil if the client had no chance to settle.
	Seen, Document []byte
}

// Room checks a room's documents. cold is what a server has loaded from disk after
// a restart; hot is what the server had before, nil if nobody asked it. follows is
// what follows from the authors' updates by Yjs's rules, nil if nothing does: see
// [Yjs.Union].
func Room(authors []Author, follows, hot, cold []byte) error {
	kept, err := load(cold)
	if err != nil {
		return fmt.Errorf("the loaded document: %w", err)
	}
	union, err := load(follows)
	if err != nil {
		return fmt.Errorf("what follows from the updates: %w", err)
	}
	for _, a := range authors {
		for _, u := range a.Said {
			if err := union.Load(u); err != nil {
				return fmt.Errorf("%s said %x: %w", a.Name, u, err)
			}
		}
	}
	errs := []error{Kept(authors, cold)}
	if !union.Contains(cold) {
		errs = append(errs, errors.New("PHANTOM: the disk has what nobody said"))
	}
	if hot != nil {
		errs = append(errs, same("the running server", hot, kept, cold))
	}
	for _, a := range authors {
		if a.Document != nil {
			errs = append(errs, same(a.Name, a.Document, kept, cold))
		}
	}
	return errors.Join(errs...)
}

// Kept checks the first promise alone: what was echoed or seen is on disk.
func Kept(authors []Author, cold []byte) error {
	kept, err := load(cold)
	if err != nil {
		return fmt.Errorf("the loaded document: %w", err)
	}
	var errs []error
	for _, a := range authors {
		missing, first := 0, -1
		for i, u := range a.Said {
			if a.Echoed[i] && !kept.Contains(u) {
				if missing++; first < 0 {
					first = i
				}
			}
		}
		if missing > 0 {
			errs = append(errs, fmt.Errorf("LOST: %d updates of %s were echoed and aren't on disk, the first is its number %d of %d: %x", missing, a.Name, first, len(a.Said), a.Said[first]))
		}
		if a.Seen != nil && !kept.Contains(a.Seen) {
			errs = append(errs, fmt.Errorf("SEEN: %s was shown updates that aren't on disk", a.Name))
		}
	}
	return errors.Join(errs...)
}

// same reports what one document has that the other lacks.
func same(name string, document []byte, kept *yjs.Document, cold []byte) error {
	other, err := load(document)
	if err != nil {
		return fmt.Errorf("the document of %s: %w", name, err)
	}
	switch {
	case !other.Contains(cold):
		return fmt.Errorf("DIFFERS: %s lacks what is on disk", name)
	case !kept.Contains(document):
		return fmt.Errorf("DIFFERS: the disk lacks what %s has", name)
	case other.Pending().Structs > 0:
		return fmt.Errorf("DIFFERS: %s waits for what nobody has: %v", name, other.Pending().Missing)
	}
	return nil
}

func load(state []byte) (*yjs.Document, error) {
	d := yjs.NewDocument()
	if len(state) == 0 {
		return d, nil
	}
	return d, d.Load(state)
}
