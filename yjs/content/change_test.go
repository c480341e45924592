package content_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/difftest"
)

func empty(t testing.TB) *content.View {
	t.Helper()
	v, err := content.Read([]byte{0, 0})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func begin(t testing.TB, v *content.View) *content.Edit {
	t.Helper()
	e, err := v.Edit(7)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestRefusedChanges makes changes that are impossible: they must change nothing.
func TestRefusedChanges(t *testing.T) {
	v := empty(t)
	e := begin(t, v)
	text, list, m, x := v.Text("t"), v.Array("a"), v.Map("m"), v.XMLFragment("x")
	deep := any("bottom")
	for range yjs.MaxDepth + 1 {
		deep = []any{deep}
	}
	types := any(content.NewText("bottom"))
	for range content.MaxNesting {
		types = content.NewArray{types}
	}
	for _, err := range []error{
		text.Insert(e, 0, "one two", nil),
		list.Insert(e, 0, 1, content.NewMap{"k": "v"}),
		m.Set(e, "k", content.NewArray{1}),
		x.Insert(e, 0, content.NewXMLElement{Name: "p"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	before := v.Snapshot().Append(nil)
	other := empty(t)
	for name, c := range map[string]struct{ err, want error }{
		"behind the end":         {text.Insert(e, 8, "x", nil), content.ErrRange},
		"before the beginning":   {text.Insert(e, -1, "x", nil), content.ErrRange},
		"nothing behind the end": {text.Insert(e, 8, "", nil), content.ErrRange},
		"format less than 0":     {text.Format(e, 3, -1, nil), content.ErrRange},
		"delete too much":        {text.Delete(e, 3, 5), content.ErrRange},
		"delete less than 0":     {text.Delete(e, 3, -1), content.ErrRange},
		"delete all there is":    {text.Delete(e, 3, math.MaxInt), content.ErrRange},
		"format behind the end":  {text.Format(e, 8, 1, map[string]any{"b": true}), content.ErrRange},
		"undefined as a format":  {text.Format(e, 0, 1, map[string]any{"b": content.Undefined{}}), content.ErrValue},
		"a channel as an embed":  {text.InsertEmbed(e, 0, make(chan int), nil), content.ErrValue},
		"delta back":             {text.ApplyDelta(e, []content.Op{{Retain: -1}}), content.ErrRange},
		"half a delta":           {text.ApplyDelta(e, []content.Op{{Insert: "x"}, {Insert: struct{}{}}}), content.ErrValue},
		"element behind the end": {list.Insert(e, 3, 1), content.ErrRange},
		"the second value":       {list.Insert(e, 0, 1, func() {}), content.ErrValue},
		"a value too deep":       {list.Push(e, deep), content.ErrValue},
		"types too deep":         {list.Push(e, types), content.ErrValue},
		"2^53":                   {m.Set(e, "n", int64(1<<53)), content.ErrValue},
		"uint64":                 {m.Set(e, "n", uint64(math.MaxUint64)), content.ErrValue},
		"__proto__":              {m.Set(e, "n", map[string]any{"__proto__": 1}), content.ErrValue},
		"a number among nodes":   {x.Insert(e, 0, 5), content.ErrValue},
		"a text among nodes":     {x.Insert(e, 0, content.NewText("x")), content.ErrValue},
		"null in an element":     {x.Insert(e, 0, content.NewXMLElement{Name: "p", Children: []any{nil}}), content.ErrValue},
		"a string in a fragment": {list.Push(e, content.NewXMLFragment{"x"}), content.ErrValue},
		"child behind the end":   {x.Delete(e, 0, 2), content.ErrRange},
		"another view":           {other.Text("t").Insert(e, 0, "x", nil), content.ErrRange},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
	if after := v.Snapshot().Append(nil); string(before) != string(after) {
		t.Errorf("snapshot %x, then %x", before, after)
	}
	if got := v.Text("t").String(); got != "one two" {
		t.Errorf("text %q", got)
	}
	if err := yjs.ValidateUpdate(e.Commit()); err != nil {
		t.Error(err)
	}
}

// TestFarDelta applies deltas that retain in a few bytes more than there is memory: as
// JSON they may come from anywhere.
func TestFarDelta(t *testing.T) {
	const most = math.MaxInt
	for name, delta := range map[string][]content.Op{
		"more than is made":      {{Retain: yjs.MaxNewUnits + 4}},
		"the same in two":        {{Retain: yjs.MaxNewUnits}, {Retain: 4}},
		"more than an int":       {{Retain: most}, {Retain: most}, {Retain: 2}},
		"more than 64 bits":      {{Retain: most}, {Retain: most}, {Retain: most}, {Retain: most}, {Retain: most}},
		"with formats":           {{Retain: most, Attributes: map[string]any{"b": true}}},
		"behind what it deletes": {{Delete: 3}, {Retain: yjs.MaxNewUnits + 3}},
		"behind what is changed": {{Insert: "x"}, {Delete: most}, {Retain: most}},
	} {
		v := empty(t)
		text, e := v.Text("t"), begin(t, v)
		if err := text.Insert(e, 0, "one", nil); err != nil {
			t.Fatal(err)
		}
		if err := text.ApplyDelta(e, delta); !errors.Is(err, yjs.ErrLimit) || text.String() != "one" {
			t.Errorf("%s: %v, %q", name, err, text)
		}
		if err := text.Format(e, 1, most, map[string]any{"b": true}); !errors.Is(err, yjs.ErrLimit) || text.String() != "one" {
			t.Errorf("formatted: %v, %q", err, text)
		}
		if err := text.ApplyDelta(e, []content.Op{{Retain: 5}, {Delete: most}, {Insert: "x"}}); err != nil || text.String() != "one\n\nx" {
			t.Errorf("some more than there is: %v, %q", err, text)
		}
		if err := yjs.ValidateUpdate(e.Commit()); err != nil {
			t.Error(err)
		}
	}
}

func TestBusy(t *testing.T) {
	v := empty(t)
	e := begin(t, v)
	if _, err := v.Edit(8); !errors.Is(err, content.ErrBusy) {
		t.Errorf("a second edit: %v", err)
	}
	if got := e.Commit(); string(got) != "\x00\x00" {
		t.Errorf("nothing changed: %x", got)
	}
	for _, text := range []string{"x", ""} {
		if err := v.Text("t").Insert(e, 0, text, nil); !errors.Is(err, content.ErrBusy) {
			t.Errorf("%q after the commit: %v", text, err)
		}
	}
	if _, err := v.Edit(1 << 53); !errors.Is(err, content.ErrRange) {
		t.Errorf("client 2^53: %v", err)
	}
}

// TestWaitingClient edits as a client whose next clock isn't known.
func TestWaitingClient(t *testing.T) {
	// Client 5: "a", which hangs on a unit of client 6 that isn't there.
	v, err := content.Read([]byte{1, 1, 5, 0, 0x84, 6, 0, 1, 'a', 0})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Edit(5); !errors.Is(err, content.ErrRange) {
		t.Errorf("%v", err)
	}
	if _, err := v.Edit(6); err != nil {
		t.Errorf("%v", err)
	}
}

func TestThePastIsOver(t *testing.T) {
	v, err := content.ReadAt(paper(t), content.Snapshot{})
	if err != nil || v.Text("text").Len() != 0 {
		t.Fatalf("%d, %v", v.Text("text").Len(), err)
	}
	if _, err := v.Edit(7); !errors.Is(err, content.ErrRange) {
		t.Error(err)
	}
}

// TestDeletedType keeps a handle of what is deleted.
func TestDeletedType(t *testing.T) {
	v := empty(t)
	e := begin(t, v)
	if err := v.Map("m").Set(e, "k", content.NewText("inner")); err != nil {
		t.Fatal(err)
	}
	value, _ := v.Map("m").Get("k")
	inner := value.(content.Text)
	if err := inner.Insert(e, 5, "most", nil); err != nil || inner.String() != "innermost" {
		t.Fatal(inner.String(), err)
	}
	if err := v.Map("m").Set(e, "k", 1); err != nil {
		t.Fatal(err)
	}
	if inner.String() != "" || inner.Len() != 0 {
		t.Errorf("%q", inner.String())
	}
	if err := inner.Insert(e, 0, "x", nil); !errors.Is(err, content.ErrRange) {
		t.Error(err)
	}
}

// TestGoNumbers stores what Go has for numbers.
func TestGoNumbers(t *testing.T) {
	v := empty(t)
	e := begin(t, v)
	if err := v.Array("a").Push(e, 1, int8(2), int16(3), int32(4), int64(5), uint(6), uint8(7), uint16(8), uint32(9), uint64(10), float32(11), 12.0); err != nil {
		t.Fatal(err)
	}
	for i, value := range v.Array("a").Values() {
		if value != float64(i+1) {
			t.Errorf("%d is %v", i+1, value)
		}
	}
}

// TestInvalidStrings stores what isn't UTF-8.
func TestInvalidStrings(t *testing.T) {
	v := empty(t)
	e := begin(t, v)
	for _, err := range []error{
		v.Text("t").Insert(e, 0, "a\xff\xed\xa0\x80", map[string]any{"\xff": "\xff"}),
		v.Map("m").Set(e, "\xff", "\xff"),
		v.XMLFragment("\xff").Insert(e, 0, content.NewXMLElement{Name: "\xff", Attributes: map[string]any{"\xff": "\xff"}}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := yjs.ValidateUpdate(e.Commit()); err != nil {
		t.Error(err)
	}
	if got := v.Text("t").String(); !strings.HasPrefix(got, "a\uFFFD") {
		t.Errorf("%q", got)
	}
}

// TestWildEdits edits documents that no client would write. Nothing may break.
func TestWildEdits(t *testing.T) {
	for seed := range uint64(difftest.FromEnv(t, "YJS_WILD_EDITS", 1000)) {
		w := wild{Rand: rand.New(rand.NewPCG(seed, 1))}
		update := w.update()
		v, err := content.Read(update)
		if err != nil {
			t.Fatal(err)
		}
		r := &editor{Rand: w.Rand, view: v}
		d := yjs.NewDocument()
		if err := d.ApplyUpdate(update); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			r.edit = begin(t, v)
			for range 5 {
				if a, err := r.act(); err != nil {
					t.Fatalf("seed %d: %v: %v", seed, a, err)
				}
			}
			if err := d.ApplyUpdate(r.edit.Commit()); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if _, err := content.Of(d); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
}
