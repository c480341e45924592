package content_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/difftest"
)

// shallow writes a value, a shared type as the struct that it is in.
func shallow(value any) string {
	switch value.(type) {
	case content.Text, content.Array, content.Map, content.XMLFragment, content.XMLElement, content.XMLText, content.XMLHook:
		return "type " + content.HolderOf(value)
	}
	return difftest.Canonical(value)
}

// unit is a UTF-16 unit of a text or an embed, or an element.
type unit struct {
	value      string
	attributes map[string]any
}

func unitsOf(op content.Op) (units []unit) {
	switch insert := op.Insert.(type) {
	case string:
		for _, u := range utf16.Encode([]rune(insert)) {
			units = append(units, unit{fmt.Sprint(u), op.Attributes})
		}
	case []any:
		for _, value := range insert {
			units = append(units, unit{shallow(value), nil})
		}
	default:
		units = append(units, unit{shallow(insert), op.Attributes})
	}
	return units
}

// sequence is what a type is a sequence of.
func sequence(shared any) (units []unit) {
	values := func(all []any) {
		for _, value := range all {
			units = append(units, unit{shallow(value), nil})
		}
	}
	switch t := shared.(type) {
	case content.Text:
		for _, op := range t.Delta() {
			units = append(units, unitsOf(op)...)
		}
	case content.XMLText:
		return sequence(t.Text)
	case content.Array:
		values(t.Values())
	case content.XMLFragment:
		values(t.Children())
	case content.XMLElement:
		values(t.Children())
	}
	return units
}

// since is the delta of a type and its keys.
func since(shared any, s content.Snapshot) ([]content.Op, map[string]content.KeyChange) {
	switch t := shared.(type) {
	case content.Text:
		return t.Since(s), t.KeysSince(s)
	case content.XMLText:
		return t.Since(s), t.KeysSince(s)
	case content.Array:
		return t.Since(s), t.KeysSince(s)
	case content.XMLFragment:
		return t.Since(s), t.KeysSince(s)
	case content.XMLElement:
		return t.Since(s), t.KeysSince(s)
	case content.Map:
		return nil, t.KeysSince(s)
	default:
		return nil, shared.(content.XMLHook).KeysSince(s)
	}
}

func keysOf(shared any) map[string]any {
	switch t := shared.(type) {
	case content.Text:
		return t.Attributes()
	case content.XMLText:
		return t.Attributes()
	case content.XMLElement:
		return t.Attributes()
	case content.Map:
		return t.Values()
	case content.XMLHook:
		return t.Values()
	default:
		return map[string]any{}
	}
}

// applied is what a delta makes of a sequence.
func applied(units []unit, delta []content.Op) (after []unit) {
	for _, op := range delta {
		switch {
		case op.Retain > 0:
			for _, u := range units[:op.Retain] {
				u.attributes = maps.Clone(u.attributes)
				for key, value := range op.Attributes {
					if u.attributes == nil {
						u.attributes = map[string]any{}
					}
					u.attributes[key] = value
					if value == nil {
						delete(u.attributes, key)
					}
				}
				after = append(after, u)
			}
			units = units[op.Retain:]
		case op.Delete > 0:
			units = units[op.Delete:]
		default:
			after = append(after, unitsOf(op)...)
		}
	}
	return append(after, units...)
}

func written(units []unit) string {
	var s strings.Builder
	for _, u := range units {
		s.WriteString(u.value)
		if len(u.attributes) > 0 {
			s.WriteString(difftest.Canonical(u.attributes))
		}
		s.WriteString("\n")
	}
	return s.String()
}

// checkSince compares what a type was with what it is. It returns whether anything
// is said to have changed.
func checkSince(t *testing.T, name string, was, is any, s content.Snapshot) (changed bool) {
	t.Helper()
	delta, keys := since(is, s)
	if got, want := written(applied(sequence(was), delta)), written(sequence(is)); got != want {
		t.Errorf("%s: %v makes\n%swant\n%s", name, delta, got, want)
	}
	before, now := keysOf(was), keysOf(is)
	for key, change := range keys {
		old, had := before[key]
		_, has := now[key]
		want := content.KeyUpdated
		switch {
		case !had:
			want = content.KeyAdded
		case !has:
			want = content.KeyDeleted
		}
		// What was deleted with a type reads as nothing now.
		if change.Action != want || had && shallow(change.Old) != shallow(old) {
			t.Errorf("%s: key %q: %v %s, want %s %s", name, key, change.Action, shallow(change.Old), want, shallow(old))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(now)) {
		if _, told := keys[key]; !told && shallow(before[key]) != shallow(now[key]) {
			t.Errorf("%s: key %q has changed from %v to %v", name, key, before[key], now[key])
		}
	}
	for key := range before {
		if _, has := now[key]; !has && keys[key].Action != content.KeyDeleted {
			t.Errorf("%s: key %q is gone", name, key)
		}
	}
	return len(delta)+len(keys) > 0
}

// handle returns a root as what it is.
func (r root) handle(v *content.View) any {
	switch r[1] {
	case "text":
		return v.Text(r[0])
	case "array":
		return v.Array(r[0])
	case "map":
		return v.Map(r[0])
	default:
		return v.XMLFragment(r[0])
	}
}

// TestSince reads random sessions half way and at the end, and wants to be told all
// that is different.
func TestSince(t *testing.T) {
	first := difftest.FromEnv(t, "YJS_SEED", 1)
	numbered(t, difftest.FromEnv(t, "YJS_PROGRAMS", defaultPrograms), func(t *testing.T, o *difftest.Oracle, from, to int) int {
		for i, p := range makePrograms(t, o, first+from, first+to) {
			d := yjs.NewDocument()
			updates := slices.Concat(p.Updates, p.Late)
			half := (i * 7) % (len(updates) + 1)
			was := viewOf(t, d, updates[:half])
			is := viewOf(t, d, updates[half:])
			name := fmt.Sprintf("seed %d (%s)", first+from+i, p.Name)
			s, changed := was.Snapshot(), map[string]bool{}
			for _, c := range is.Changed(s) {
				at := fmt.Sprint(c.Root, c.Path)
				changed[at] = true
				if c.Type != nil {
					changed[content.HolderOf(c.Type)] = true
				}
			}
			for _, r := range natural {
				if checkSince(t, name+" "+r[0], r.handle(was), r.handle(is), s) && !changed[r[0]+"[]"] {
					t.Errorf("%s: %s isn't among the changed", name, r[0])
				}
			}
			before := content.Nested(was)
			for id, now := range content.Nested(is) {
				old, had := before[id]
				if !had && changed[id] {
					t.Errorf("%s: %s is new", name, id)
				}
				if had && checkSince(t, name+" "+id, old, now, s) && !changed[id] {
					t.Errorf("%s: %s isn't among the changed", name, id)
				}
			}
		}
		if t.Failed() {
			return 10
		}
		return 0
	})
}

func viewOf(t *testing.T, d *yjs.Document, updates [][]byte) *content.View {
	t.Helper()
	for _, u := range updates {
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatal(err)
		}
	}
	v, err := content.Of(d)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestChangedPaths changes every third of many paragraphs, of which some are gone.
func TestChangedPaths(t *testing.T) {
	const n = 3000
	v := empty(t)
	e := begin(t, v)
	x := v.XMLFragment("x")
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		check(x.Insert(e, i, content.NewXMLElement{Name: "p", Children: []any{content.NewXMLText("a"), content.NewXMLText("b")}}))
	}
	then := v.Snapshot()
	check(x.Delete(e, 100, 50))
	var want []string
	for i := 0; i < x.Len(); i += 3 {
		p, _ := x.Child(i)
		text, _ := p.(content.XMLElement).Child(1)
		check(text.(content.XMLText).Insert(e, 0, "c", nil))
		want = append(want, fmt.Sprint([]any{i, 1}))
	}
	changed := v.Changed(then)
	if len(changed) != len(want)+1 || changed[0].Root != "x" || len(changed[0].Path) != 0 {
		t.Fatalf("%d have changed, the first %v", len(changed), changed[0])
	}
	for i, c := range changed[1:] {
		if got := fmt.Sprint(c.Path); got != want[i] || fmt.Sprint(c.Type) != "cb" || c.Root != "x" {
			t.Fatalf("%v, want %s", c, want[i])
		}
	}
}
