package journal

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

var letter = []byte{1, 1, 7, 0, 4, 1, 1, 't', 1, 'a', 0} // client 7 types "a"

// records loads records of one update each into a document. apply may be nil.
func records(around unusable, updates [][]byte, apply func(*yjs.Document, []byte) error) (*room.Load, error) {
	d := yjs.NewDocument()
	for i, update := range updates {
		err := around.apply(func(u []byte) error {
			if apply != nil {
				return apply(d, u)
			}
			return d.Load(u)
		}, place{seq: uint64(i + 1), index: 1}, update)
		if err != nil {
			return nil, err
		}
	}
	return &room.Load{Document: d}, nil
}

// A stored update that is refused, or that makes the engine panic when it has half
// changed the document, is left out, and nothing of it is left.
func TestUnusableUpdatesAreLeftOut(t *testing.T) {
	j := &Journal{log: slog.New(slog.DiscardHandler)}
	second := []byte{1, 1, 8, 0, 4, 1, 1, 't', 1, 'b', 0}
	var around unusable
	attempts := 0
	load, err := j.around("doc", func(u unusable) (*room.Load, error) {
		around = u
		attempts++
		return records(u, [][]byte{letter, []byte("garbage"), {9, 9}, second}, func(d *yjs.Document, update []byte) error {
			if bytes.Equal(update, []byte{9, 9}) {
				_ = d.Load([]byte{1, 1, 9, 0, 4, 1, 1, 't', 1, 'x', 0})
				panic("halfway")
			}
			return d.Load(update)
		})
	})
	if err != nil || attempts != 2 {
		t.Fatalf("after %d attempts: %v", attempts, err)
	}
	want, _ := records(unusable{}, [][]byte{letter, second}, nil)
	if !bytes.Equal(load.Document.StateVector(), want.Document.StateVector()) {
		t.Errorf("state vector % x, want % x", load.Document.StateVector(), want.Document.StateVector())
	}
	if len(around) != 2 || !strings.Contains(around[place{3, 1}].reason, "halfway") || string(around[place{2, 1}].update) != "garbage" {
		t.Errorf("left out: %v", around)
	}
}

// When many updates are unusable the room isn't opened: the fault isn't theirs.
func TestTooManyUnusableUpdates(t *testing.T) {
	j := &Journal{log: slog.New(slog.DiscardHandler)}
	for name, apply := range map[string]func(*yjs.Document, []byte) error{
		"refused": func(*yjs.Document, []byte) error { return errors.New("no") },
		"panics":  func(*yjs.Document, []byte) error { panic("no") },
	} {
		_, err := j.around("doc", func(u unusable) (*room.Load, error) {
			return records(u, make([][]byte, maxUnusable+1), apply)
		})
		if !errors.Is(err, errTooMany) {
			t.Errorf("%s: %v, want %v", name, err, errTooMany)
		}
	}
}
