package content_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

// TestPrinted prints what a program that is being written prints first.
func TestPrinted(t *testing.T) {
	v := empty(t)
	e := begin(t, v)
	caret, err := v.Text("t").Position(0, 0)
	for _, err := range []error{
		err,
		v.Array("a").Push(e, 1, nil, content.Undefined{}, content.NewMap{"k": "<v>"}, math.NaN()),
		v.Map("m").Set(e, "doc", content.Subdocument{GUID: "g", Options: map[string]any{"meta": 1}}),
		v.XMLFragment("x").Insert(e, 0, content.NewXMLHook{Name: "h", Values: map[string]any{"k": 1}}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	hook, _ := v.XMLFragment("x").Child(0)
	for want, value := range map[string]any{
		`[1,null,null,{"k":"<v>"},null]`:                v.Array("a"),
		`{"doc":{"guid":"g"}}`:                          v.Map("m"),
		`{"k":1}`:                                       hook,
		`{"tname":"t","assoc":0}`:                       caret,
		`view of 7 nodes, with the roots ["a" "m" "x"]`: v,
		`[{"retain":3,"attributes":{"b":null}} {"delete":1} {"insert":"a"} {"insert":null}]`: []content.Op{
			{Retain: 3, Attributes: map[string]any{"b": nil}}, {Delete: 1}, {Insert: "a"}, {},
		},
		`content: value can't be stored: a chan int; want what JSON has: nil, bool, a number, string, []any or map[string]any`: content.Op{Insert: (chan int)(nil)},
	} {
		if got := fmt.Sprint(value); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestDeltaJSON writes deltas in both ways, and reads them.
func TestDeltaJSON(t *testing.T) {
	v := empty(t)
	e := begin(t, v)
	if err := v.Array("a").Push(e, math.Inf(1), content.BigInt(3)); err != nil {
		t.Fatal(err)
	}
	e.Commit()
	delta := []content.Op{
		{Insert: "x", Attributes: map[string]any{"b": true}},
		{Insert: map[string]any{"image": "a"}},
		{Retain: 1},
		{Delete: 2},
		{Insert: v.Array("a").Since(content.Snapshot{})[0].Insert},
	}
	const want = `[{"insert":"x","attributes":{"b":true}},{"insert":{"image":"a"}},{"retain":1},{"delete":2},{"insert":[null,3]}]`
	if got, err := content.AppendJSON([]byte("> "), delta); string(got) != "> "+want || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	got, err := json.Marshal(delta)
	if string(got) != want || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	var again []content.Op
	if err := json.Unmarshal(got, &again); err != nil || fmt.Sprint(again) != fmt.Sprint(delta) {
		t.Errorf("%v, %v", again, err)
	}
	if got, err := json.Marshal(map[string]any{"doc": content.Subdocument{GUID: "g"}}); string(got) != `{"doc":{"guid":"g"}}` || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

// TestAppendJSONDeep writes what nests as deep as documents do, and what has no end.
func TestAppendJSONDeep(t *testing.T) {
	v := empty(t)
	e := begin(t, v)
	value := any([]any{})
	for range yjs.MaxDepth - 1 {
		value = []any{value}
	}
	types := any(content.NewArray{value})
	for range content.MaxNesting - 2 {
		types = content.NewArray{types}
	}
	if err := v.Array("a").Push(e, types); err != nil {
		t.Fatal(err)
	}
	if text, err := content.AppendJSON(nil, v.Array("a")); len(text) != 2*(content.MaxNesting+yjs.MaxDepth) || err != nil {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	circle := map[string]any{}
	circle["circle"] = []any{circle}
	for _, value := range []any{circle, []content.Op{{Insert: circle}}, content.Op{Attributes: circle}} {
		if text, err := content.AppendJSON(nil, value); text != nil || !errors.Is(err, content.ErrValue) {
			t.Errorf("%d bytes, %v", len(text), err)
		}
	}
}

// TestAppendJSONWellFormed writes text that is no UTF-8, which a caller may give.
func TestAppendJSONWellFormed(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{map[string]any{"a\xff": "b\xff"}, `{"a\uFFFD":"b\uFFFD"}`},
		{[]content.Subdocument{{GUID: "g\xff"}}, `[{"guid":"g\uFFFD"}]`},
		{content.Op{Insert: "i\xff", Attributes: map[string]any{"k\xff": true}}, `{"insert":"i\uFFFD","attributes":{"k\uFFFD":true}}`},
	} {
		want := strings.ReplaceAll(test.want, `\uFFFD`, "\uFFFD")
		if got, err := content.AppendJSON(nil, test.value); string(got) != want || err != nil {
			t.Errorf("%q, want %q; %v", got, want, err)
		}
	}
}
