package quarantine

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

func open(t *testing.T, config Config) *Ward {
	t.Helper()
	w, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func put(t *testing.T, w *Ward, item Item, data string) string {
	t.Helper()
	id, _, err := w.Put(item, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestWard(t *testing.T) {
	for name, dir := range map[string]string{"disk": filepath.Join(t.TempDir(), "quarantine"), "memory": ""} {
		t.Run(name, func(t *testing.T) {
			w := open(t, Config{Dir: dir})
			first := put(t, w, Item{Room: "b", Kind: Update, Seq: 7, Reason: "panic: index", Who: "session 1"}, "bytes\nof it")
			second := put(t, w, Item{Room: "b", Kind: Update}, "others")
			room := put(t, w, Item{Room: "a/x", Kind: Room, Reason: "record 5: damaged"}, "")
			if again := put(t, w, Item{Room: "b", Kind: Update, Reason: "other words"}, "bytes\nof it"); again != first {
				t.Errorf("the same bytes again have the id %s, not %s", again, first)
			}
			if dir != "" {
				w = open(t, Config{Dir: dir}) // another process
			}
			all, more := w.List("", "", "", 10)
			if len(all) != 3 || more || all[0].ID != room || all[0].Kind != Room {
				t.Fatalf("the list is %+v, more %v", all, more)
			}
			page, more := w.List("", "", "", 2)
			rest, _ := w.List("", page[1].Room, page[1].ID, 2)
			if len(page) != 2 || !more || len(rest) != 1 || rest[0] != all[2] {
				t.Errorf("pages are %+v and %+v", page, rest)
			}
			if only, _ := w.List("a/", "", "", 10); len(only) != 1 {
				t.Errorf("with a prefix: %+v", only)
			}
			item, data, err := w.Read("b", first)
			if err != nil || string(data) != "bytes\nof it" || item.Reason != "panic: index" || item.Who != "session 1" || item.Seq != 7 || item.Found.IsZero() {
				t.Errorf("read %+v, %q, %v", item, data, err)
			}
			if err := w.Drop("b", first); err != nil {
				t.Fatal(err)
			}
			if _, _, err := w.Read("b", first); !errors.Is(err, ErrNone) {
				t.Errorf("after it was dropped: %v", err)
			}
			if err := w.Drop("b", first); !errors.Is(err, ErrNone) {
				t.Errorf("dropped twice: %v", err)
			}
			if items, n := w.Size(); items != 2 || n != len("others") {
				t.Errorf("%d items of %d bytes are left", items, n)
			}
			if _, _, err := w.Read("b", second); err != nil {
				t.Errorf("the neighbour: %v", err)
			}
		})
	}
}

// TestWardBounds: neither many updates nor a full disk get in.
func TestWardBounds(t *testing.T) {
	w := open(t, Config{maxItems: 3, maxBytes: 100})
	put(t, w, Item{Room: "a", Kind: Update}, "first")
	if _, _, err := w.Put(Item{Room: "a", Kind: Update}, make([]byte, 96)); store.KindOf(err) != store.NoSpace {
		t.Errorf("beyond the bytes: %v", err)
	}
	put(t, w, Item{Room: "a", Kind: Update}, "second")
	put(t, w, Item{Room: "a", Kind: Update}, "third")
	if _, _, err := w.Put(Item{Room: "a", Kind: Update}, []byte("x")); store.KindOf(err) != store.NoSpace {
		t.Errorf("beyond the items: %v", err)
	}
	put(t, w, Item{Room: "a", Kind: Update}, "third") // it is there
	full := store.Errorf(store.NoSpace, store.Head{}, "full")
	w = open(t, Config{Dir: t.TempDir(), Space: func(uint64) error { return full }})
	if _, _, err := w.Put(Item{Room: "a", Kind: Update}, []byte("x")); !errors.Is(err, full) {
		t.Errorf("on a full disk: %v", err)
	}
}

// TestWardAfterACrash: what a crash cut off is removed, and nothing else, whatever the
// directory is called.
func TestWardAfterACrash(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "[1]")
	id := put(t, open(t, Config{Dir: dir}), Item{Room: "a", Kind: Update}, "some bytes")
	half, others := filepath.Join(dir, "0123"+suffix+unfinished), filepath.Join(dir, "notes.new")
	for _, name := range []string{half, others} {
		if err := os.WriteFile(name, []byte(magic[:7]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := open(t, Config{Dir: dir})
	if _, data, err := w.Read("a", id); err != nil || string(data) != "some bytes" {
		t.Errorf("the whole item: %q, %v", data, err)
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what the crash left: %v, want it gone", err)
	}
	if _, err := os.Stat(others); err != nil {
		t.Errorf("an operator's file: %v", err)
	}
}

// TestWardDamage: a file that isn't whole is left alone, and hides no other.
func TestWardDamage(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Config{Dir: dir})
	id := put(t, w, Item{Room: "a", Kind: Update}, "some bytes")
	put(t, w, Item{Room: "b", Kind: Update}, "some bytes")
	name := filepath.Join(dir, id+suffix)
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(file) * 8 {
		spoiled := bytes.Clone(file)
		spoiled[bit/8] ^= 1 << (bit % 8)
		if item, data, err := decode(spoiled); err == nil && (string(data) != "some bytes" || item.Size != len(data) || item.Room != "a" || item.ID != id) {
			t.Fatalf("bit %d: %+v with %q", bit, item, data)
		}
	}
	if err := os.WriteFile(name, file[:len(file)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	w = open(t, Config{Dir: dir})
	if items, _ := w.List("", "", "", 10); len(items) != 1 || items[0].Room != "b" {
		t.Errorf("beside a damaged file: %+v", items)
	}
	if _, err := os.Stat(name); err != nil {
		t.Errorf("the damaged file: %v", err)
	}
}
