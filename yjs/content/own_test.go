package content_test

import (
	"fmt"
	"testing"

	"github.com/fjord-sync/fjord/yjs/content"
)

// TestValuesAreOwn changes what an edit was given, and what a view has returned.
func TestValuesAreOwn(t *testing.T) {
	v := empty(t)
	e := begin(t, v)
	data := []byte{1, 2, 3}
	object := map[string]any{"data": data, "list": []any{"a"}}
	formats := map[string]any{"link": map[string]any{"href": "a"}}
	embed := map[string]any{"image": "a"}
	attributes := map[string]any{"id": "a"}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(v.Array("a").Push(e, object, data))
	check(v.Map("m").Set(e, "k", object))
	check(v.Text("t").Insert(e, 0, "text", formats))
	check(v.Text("t").InsertEmbed(e, 0, embed, formats))
	check(v.XMLFragment("x").Insert(e, 0, content.NewXMLElement{Name: "p", Attributes: attributes}))
	said := func() string {
		return fmt.Sprint(v.Array("a"), v.Map("m"), v.Text("t").Delta(), v.XMLFragment("x"), v.Text("t").Since(content.Snapshot{}))
	}
	want := said()
	spoil(object)
	spoil(data)
	spoil(formats)
	spoil(embed)
	spoil(attributes)
	if got := said(); got != want {
		t.Errorf("what was given has changed it:\n%s\n%s", got, want)
	}
	update := e.Commit()
	snapshot := v.Snapshot()
	spoil(update)
	spoil(v.Array("a").Values())
	spoil(v.Array("a").JSON())
	spoil(v.Map("m").Values())
	spoil(v.Map("m").JSON())
	for _, value := range v.Map("m").All() {
		spoil(value)
	}
	for _, op := range append(v.Text("t").Delta(), v.Text("t").Since(content.Snapshot{})...) {
		spoil(op.Insert)
		spoil(op.Attributes)
	}
	for client := range snapshot.Vector {
		snapshot.Vector[client]++
	}
	if got := said(); got != want || v.Snapshot().Equal(snapshot) {
		t.Errorf("what was returned has changed it:\n%s\n%s", got, want)
	}
}

// spoil changes a value and what is in it.
func spoil(value any) {
	switch value := value.(type) {
	case []byte:
		for i := range value {
			value[i] = 0xff
		}
	case []any:
		for i := range value {
			spoil(value[i])
			value[i] = "spoiled"
		}
	case map[string]any:
		for key := range value {
			spoil(value[key])
			value[key] = "spoiled"
		}
	}
}
