package content_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/difftest"
)

const defaultHistories = 150

// TestHistories reads documents as they were.
func TestHistories(t *testing.T) {
	first := difftest.FromEnv(t, "YJS_SEED", 1)
	numbered(t, difftest.FromEnv(t, "YJS_HISTORIES", defaultHistories), func(t *testing.T, o *difftest.Oracle, from, to int) (failed int) {
		var histories []struct {
			Name    string
			State   []byte
			Moments []struct {
				Snapshot []byte
				Views    []string
			}
		}
		seeds := make([]int, to-from)
		for i := range seeds {
			seeds[i] = first + from + i
		}
		o.Ask(t, map[string]any{"op": "history", "seeds": seeds}, &histories)
		for i, h := range histories {
			var before *content.View
			for k, moment := range h.Moments {
				s, err := content.ParseSnapshot(moment.Snapshot)
				if err != nil {
					t.Fatal(err)
				}
				if again := s.Append(nil); !bytes.Equal(again, moment.Snapshot) {
					t.Errorf("seed %d: snapshot %x, read and written %x", seeds[i], moment.Snapshot, again)
				}
				v, err := content.ReadAt(h.State, s)
				if err != nil {
					t.Fatal(err)
				}
				name := fmt.Sprintf("seed %d (%s), moment %d", seeds[i], h.Name, k)
				if k > 0 {
					for _, root := range natural {
						checkSince(t, name+" "+root[0], root.handle(before), root.handle(v), before.Snapshot())
					}
				}
				before = v
				for r, root := range natural {
					if got := look(v, root); !difftest.Agree(got, moment.Views[r]) {
						t.Errorf("%s: %s:\n got %s\nwant %s", name, root[0], clip(got), clip(moment.Views[r]))
						failed++
					}
				}
			}
		}
		return failed
	})
}

func TestParseSnapshotRefused(t *testing.T) {
	for name, src := range map[string][]byte{
		"nothing":           {},
		"truncated":         {1, 5, 1, 0},
		"a lie":             {0xff, 0xff, 0xff, 0xff, 0x0f},
		"overlapping":       {1, 5, 2, 0, 3, 2, 1, 0},
		"no length":         {1, 5, 1, 0, 0, 0},
		"client twice":      {0, 2, 5, 1, 5, 2},
		"bytes after":       {0, 0, 0},
		"clock above limit": {0, 1, 5, 0xff, 0xff, 0xff, 0xff, 0x7f},
	} {
		if _, err := content.ParseSnapshot(src); !errors.Is(err, yjs.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseSnapshot(f *testing.F) {
	f.Add([]byte{1, 5, 2, 0, 3, 4, 1, 2, 5, 9, 6, 1})
	f.Add([]byte{1, 5, 1, 1, 2, 2, 5, 4, 6, 1})
	// Client 5: eight letters, of which three are deleted; client 6: a value.
	update := append([]byte{2, 1, 6, 0, 40, 1, 1, 'm', 1, 'k', 1, 125, 7, 1, 5, 0, 4, 1, 1, 't', 11}, "abcé漢def\x01\x05\x01\x01\x03"...)
	f.Fuzz(func(t *testing.T, src []byte) {
		s, err := content.ParseSnapshot(src)
		if err != nil {
			return
		}
		again, err := content.ParseSnapshot(s.Append(nil))
		if err != nil || !bytes.Equal(again.Append(nil), s.Append(nil)) {
			t.Errorf("%x: %v", src, err)
		}
		then, err := content.ReadAt(update, s)
		if err != nil {
			t.Fatalf("%x: %v", src, err)
		}
		now, err := content.Read(update)
		if err != nil {
			t.Fatal(err)
		}
		checkSince(t, "text", then.Text("t"), now.Text("t"), then.Snapshot())
		checkSince(t, "map", then.Map("m"), now.Map("m"), then.Snapshot())
		// Of a snapshot that isn't this document's the answer is of no use, but there
		// must be one.
		now.Changed(s)
		now.Text("t").Since(s)
		now.Map("m").KeysSince(s)
	})
}
