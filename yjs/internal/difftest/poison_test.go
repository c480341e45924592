package difftest

import (
	"errors"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
)

// poison is bytes that yjs takes and then throws on: whoever sends them locks all
// others out of the document.
var poison = []struct {
	name   string
	update []byte
	// then is what an honest client does afterwards.
	then []byte
}{
	{"bytes as prototype", value(object("__proto__", 116, 1, 7)), nil},
	{"bytes as prototype of a prototype", value(object("__proto__", object("__proto__", 116, 0)...)), nil},
	{"a right half of a value is deleted", inMap(2, []byte{1, 1, 1, 2, 1}), remove},
	{"a value hangs on the middle of another", inMap(2, []byte{0}), append(section(2, 0, 0xa8, 1, 1, 1, 125, 3), remove[1:]...)},
	{"a value stands before the middle of another", inMap(2, []byte{0}), append(section(2, 0, 0x68, 1, 2, 1, 125, 3), remove[1:]...)},
}

// harmless is what looks like it. Yjs writes the last one if it keeps what is deleted.
var harmless = []struct {
	name         string
	update, then []byte
}{
	{"a number as prototype", value(object("__proto__", 125, 7)), nil},
	{"an object as prototype", value(object("__proto__", object("a", 116, 0)...)), nil},
	{"bytes elsewhere", value(object("proto", 116, 1, 7)), nil},
	{"one value", inMap(1, []byte{0}), remove},
	{"deleted values", inMap(2, []byte{1, 1, 1, 1, 2}), append(section(2, 0, 0xa8, 1, 1, 1, 125, 3), remove[1:]...)},
}

func section(client, clock byte, structs ...byte) []byte {
	return append([]byte{1, 1, client, clock}, structs...)
}

// value is an update that sets a key of a root map.
func value(encoded []byte) []byte {
	u := append(section(1, 0, 0x28, 1, 1, 'm', 1, 'k', 1), encoded...)
	return append(u, 0)
}

func object(key string, value ...byte) []byte {
	return append(append([]byte{118, 1, byte(len(key))}, key...), value...)
}

// inMap is a map in an array, with n values in one struct of one key.
func inMap(n byte, deletes []byte) []byte {
	u := []byte{1, 2, 1, 0, 7, 1, 1, 'a', 1, 0x28, 0, 1, 0, 1, 'k', n}
	for range n {
		u = append(u, 126)
	}
	return append(u, deletes...)
}

// remove deletes that map.
var remove = []byte{0, 1, 1, 1, 0, 1}

func TestPoison(t *testing.T) {
	o := Start(t, "oracle.mjs")
	accepts := func(updates ...[]byte) string {
		var verdict []string
		o.Ask(t, map[string]any{"op": "accepts", "sessions": [][][]byte{updates}}, &verdict)
		return verdict[0]
	}
	for _, c := range poison {
		if accepts(updates(c.update, c.then)...) == "" {
			t.Errorf("%s: yjs takes it, so it needn't be refused", c.name)
		}
		if err := yjs.ValidateUpdate(c.update); !errors.Is(err, yjs.ErrMalformed) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, c := range harmless {
		if why := accepts(updates(c.update, c.then)...); why != "" {
			t.Errorf("%s: yjs: %s", c.name, why)
		}
		d := yjs.NewDocument()
		for _, u := range updates(c.update, c.then) {
			if err := d.ApplyUpdate(u); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		state, err := d.EncodeStateAsUpdate(nil)
		if err != nil {
			t.Fatal(err)
		}
		if why := accepts(state); why != "" {
			t.Errorf("%s: yjs, from our state: %s", c.name, why)
		}
	}
}

// updates is a session of one update or two.
func updates(first, then []byte) [][]byte {
	if then == nil {
		return [][]byte{first}
	}
	return [][]byte{first, then}
}
