package content_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/fjord-sync/fjord/yjs/content"
)

func TestAppendJSON(t *testing.T) {
	v := empty(t)
	e := begin(t, v)
	inner := content.NewMap{"text": content.NewText("a\n"), "list": content.NewArray{1, content.NewXMLText("x")}}
	for _, err := range []error{
		v.Map("m").Set(e, "inner", inner),
		v.Map("m").Set(e, "10", math.NaN()),
		v.Map("m").Set(e, "9", []any{math.Inf(1), content.Undefined{}, 1e21, math.Copysign(0, -1)}),
		v.Map("m").Set(e, "odd", map[string]any{"gone": content.Undefined{}, "big": content.BigInt(-1 << 62)}),
		v.Map("m").Set(e, "bytes", []byte{1, 2}),
		v.Map("m").Set(e, "doc", content.Subdocument{GUID: "id"}),
		v.XMLFragment("x").Insert(e, 0, content.NewXMLElement{Name: "p", Attributes: map[string]any{"a": "1"}}),
		v.Text("t").InsertEmbed(e, 0, content.NewMap{"k": "v"}, nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	e.Commit()
	for want, value := range map[string]any{
		`{"9":[null,null,1e+21,0],"10":null,"bytes":"AQI=","doc":{"guid":"id"},"inner":{"list":[1,"x"],"text":"a\n"},"odd":{"big":-4611686018427387904}}`: v.Map("m"),
		`"<p a=\"1\"></p>"`:   v.XMLFragment("x"),
		`["<p a=\"1\"></p>"]`: v.XMLFragment("x").Children(),
		`null`:                content.Undefined{},
		`7`:                   7,
	} {
		if got, err := content.AppendJSON(nil, value); string(got) != want || err != nil {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	// Whoever hands values to encoding/json gets the same.
	for want, value := range map[string]any{
		`[{"insert":{"k":"v"}}]`:                                  v.Text("t").Delta(),
		`{"a":["<p a=\"1\"></p>",{"list":[1,"x"],"text":"a\n"}]}`: map[string]any{"a": append(v.XMLFragment("x").Children(), v.Map("m").Values()["inner"])},
	} {
		// Go escapes < and >.
		got, err := json.Marshal(value)
		var back, same any
		if err != nil || json.Unmarshal(got, &back) != nil || json.Unmarshal([]byte(want), &same) != nil || !reflect.DeepEqual(back, same) {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	for _, value := range []any{make(chan int), []any{struct{}{}}, map[string]any{"a": []string{}}, int64(1 << 60)} {
		if got, err := content.AppendJSON(nil, value); got != nil || !errors.Is(err, content.ErrValue) {
			t.Errorf("%v: %s, %v", value, got, err)
		}
	}
}

func TestCommitTwice(t *testing.T) {
	v := empty(t)
	e := begin(t, v)
	if err := v.Text("t").Insert(e, 0, "a", nil); err != nil {
		t.Fatal(err)
	}
	e.Commit()
	next := begin(t, v)
	if again := e.Commit(); string(again) != "\x00\x00" {
		t.Errorf("committed again: %x", again)
	}
	if err := v.Text("t").Insert(next, 1, "b", nil); err != nil {
		t.Errorf("the next edit is gone: %v", err)
	}
}

// TestPositionItemAlone is what yjs says of a position in a root.
func TestPositionItemAlone(t *testing.T) {
	var p content.Position
	if err := json.Unmarshal([]byte(`{"type":null,"tname":"body","item":{"client":9,"clock":6},"assoc":0}`), &p); err != nil {
		t.Fatal(err)
	}
	if q, err := content.ParsePosition(p.Append(nil)); !p.Equal(q) || err != nil {
		t.Errorf("%+v, in bytes %+v, %v", p, q, err)
	}
}
