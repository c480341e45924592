package content_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/fjord-sync/fjord/yjs/content"
)

// TestAll ranges over what Values returns, in random documents.
func TestAll(t *testing.T) {
	for seed := range uint64(100) {
		w := wild{Rand: rand.New(rand.NewPCG(seed, 4))}
		v, err := content.Read(w.update())
		if err != nil {
			t.Fatal(err)
		}
		r := &editor{Rand: w.Rand, view: v, edit: begin(t, v)}
		for range 20 {
			if a, err := r.act(); err != nil {
				t.Fatalf("seed %d: %v: %v", seed, a, err)
			}
		}
		for _, root := range v.Roots() {
			compareAll(t, v.Array(root).All(), v.Array(root).Values())
			compareAll(t, v.XMLFragment(root).All(), v.XMLFragment(root).Children())
			m := v.Map(root)
			var keys []string
			values := map[string]any{}
			for key, value := range m.All() {
				keys = append(keys, key)
				values[key] = value
			}
			if !slices.Equal(keys, slices.Sorted(maps.Keys(m.Values()))) || !slices.Equal(keys, m.Keys()) || len(keys) != m.Len() {
				t.Errorf("seed %d: keys %q, want %q", seed, keys, m.Keys())
			}
			if fmt.Sprint(values) != fmt.Sprint(m.Values()) {
				t.Errorf("seed %d: %v, want %v", seed, values, m.Values())
			}
		}
	}
}

func compareAll(t *testing.T, all func(func(int, any) bool), want []any) {
	t.Helper()
	got := []any{}
	for i, value := range all {
		if i != len(got) {
			t.Errorf("index %d of element %d", i, len(got))
		}
		got = append(got, value)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	for n := range want {
		left := n + 1
		for range all {
			if left--; left == 0 {
				break
			}
		}
		if left != 0 {
			t.Errorf("the loop ended %d early", left)
		}
	}
}

// TestAllWhileEdited does what All says not to do: nothing breaks, whatever is seen.
func TestAllWhileEdited(t *testing.T) {
	v := empty(t)
	e := begin(t, v)
	list, m, x := v.Array("a"), v.Map("m"), v.XMLFragment("x")
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		check(list.Push(e, i, i, i))
		check(m.Set(e, fmt.Sprint(i), i))
		check(x.Insert(e, 0, content.NewXMLElement{}))
	}
	rounds := 0
	for range list.All() {
		if rounds++; rounds > 100 {
			break
		}
		check(list.Delete(e, list.Len()/2, 1))
		check(list.Insert(e, list.Len()/3, "new"))
	}
	for key := range m.All() {
		check(m.Delete(e, key))
		check(m.Set(e, key+"!", 1))
	}
	for range x.All() {
		check(x.Delete(e, x.Len()-1, 1))
	}
	if got := m.Len(); got != 20 || x.Len() != 10 {
		t.Errorf("%d keys, %d nodes", got, x.Len())
	}
}

// TestSubdocuments finds those that are there, and not those that were.
func TestSubdocuments(t *testing.T) {
	v := empty(t)
	e := begin(t, v)
	for _, err := range []error{
		v.Array("a").Push(e, content.Subdocument{GUID: "listed"}, content.Subdocument{GUID: "deleted"}),
		v.Array("a").Delete(e, 1, 1),
		v.Map("m").Set(e, "k", content.Subdocument{GUID: "overwritten"}),
		v.Map("m").Set(e, "k", content.Subdocument{GUID: "kept", Options: map[string]any{"autoLoad": true}}),
		v.Map("m").Set(e, "nested", content.NewArray{content.Subdocument{GUID: "listed"}}),
		v.Map("m").Set(e, "gone", content.NewArray{content.Subdocument{GUID: "inside"}}),
		v.Map("m").Delete(e, "gone"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	then := v.Snapshot()
	if err := v.Map("m").Delete(e, "nested"); err != nil {
		t.Fatal(err)
	}
	update := e.Commit()
	guids := func(v *content.View) (all []string) {
		for _, s := range v.Subdocuments() {
			all = append(all, s.GUID)
		}
		slices.Sort(all)
		return all
	}
	read, err := content.Read(update)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []*content.View{v, read} {
		if got := guids(v); !slices.Equal(got, []string{"kept", "listed"}) {
			t.Errorf("%q", got)
		}
	}
	past, err := content.ReadAt(update, then)
	if got := guids(past); err != nil || !slices.Equal(got, []string{"kept", "listed"}) {
		t.Errorf("before, without what an edit has deleted itself: %q, %v", got, err)
	}
	if kept, _ := read.Map("m").Get("k"); !reflect.DeepEqual(kept, content.Subdocument{GUID: "kept", Options: map[string]any{"autoLoad": true}}) {
		t.Errorf("%v", kept)
	}
}
