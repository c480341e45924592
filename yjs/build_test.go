package yjs_test

import (
	"bytes"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// cat joins bytes.
func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func num(n uint64) []byte { return lib0.AppendVarUint(nil, n) }

func str(s string) []byte { return lib0.AppendVarString(nil, s) }

func id(client, clock uint64) []byte { return cat(num(client), num(clock)) }

// section is structs of a client from a clock on.
func section(client, clock uint64, structs ...[]byte) []byte {
	return cat(num(uint64(len(structs))), num(client), num(clock), cat(structs...))
}

// update is sections without deletes.
func update(sections ...[]byte) []byte {
	return cat(num(uint64(len(sections))), cat(sections...), []byte{0})
}

// removal is an update of one client's deletes: pairs of clock and length.
func removal(client uint64, pairs ...uint64) []byte {
	dst := cat([]byte{0, 1}, num(client), num(uint64(len(pairs)/2)))
	for _, n := range pairs {
		dst = lib0.AppendVarUint(dst, n)
	}
	return dst
}

// root is a text at the beginning of the root type of a name.
func root(name, text string) []byte { return cat([]byte{4, 1}, str(name), str(text)) }

// after is a text behind a unit.
func after(client, clock uint64, text string) []byte {
	return cat([]byte{0x84}, id(client, clock), str(text))
}

// entry is the value of a key of a root map; content begins with its kind.
func entry(name, key string, kind byte, content ...byte) []byte {
	return cat([]byte{kind | 0x20, 1}, str(name), str(key), content)
}

func gc(n uint64) []byte      { return cat([]byte{0}, num(n)) }
func skip(n uint64) []byte    { return cat([]byte{10}, num(n)) }
func deleted(n uint64) []byte { return cat([]byte{1, 1, 1, 't'}, num(n)) }

func apply(t testing.TB, d *yjs.Document, updates ...[]byte) {
	t.Helper()
	for _, u := range updates {
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatalf("%x: %v", u, err)
		}
	}
}

func documentOf(t testing.TB, updates ...[]byte) *yjs.Document {
	t.Helper()
	d := yjs.NewDocument()
	apply(t, d, updates...)
	return d
}

func state(t testing.TB, d *yjs.Document, vector ...byte) []byte {
	t.Helper()
	b, err := d.EncodeStateAsUpdate(vector)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantState(t testing.TB, d *yjs.Document, want []byte, vector ...byte) {
	t.Helper()
	if got := state(t, d, vector...); !bytes.Equal(got, want) {
		t.Errorf("state\n got %x\nwant %x", got, want)
	}
}
