package content_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"strings"

	"github.com/fjord-sync/fjord/yjs/content"
)

// made is a view of what an edit has made.
func made(work func(v *content.View, e *content.Edit) error) *content.View {
	v, err := content.Read([]byte{0, 0})
	if err != nil {
		log.Fatal(err)
	}
	e, err := v.Edit(1)
	if err != nil {
		log.Fatal(err)
	}
	if err := work(v, e); err != nil {
		log.Fatal(err)
	}
	e.Commit()
	return v
}

func ExampleArray_All() {
	v := made(func(v *content.View, e *content.Edit) error {
		return v.Array("todo").Push(e, "milk", content.NewMap{"urgent": true}, 3)
	})
	for i, value := range v.Array("todo").All() {
		fmt.Printf("%d %T %v\n", i, value, value)
	}
	fmt.Println(v.Array("todo").Values()[0], v.Array("todo"))
	// Output:
	// 0 string milk
	// 1 content.Map {"urgent":true}
	// 2 float64 3
	// milk ["milk",{"urgent":true},3]
}

func ExampleMap_All() {
	v := made(func(v *content.View, e *content.Edit) error {
		for _, key := range []string{"b", "a", "c"} {
			if err := v.Map("m").Set(e, key, strings.ToUpper(key)); err != nil {
				return err
			}
		}
		return v.Map("m").Delete(e, "c")
	})
	for key, value := range v.Map("m").All() {
		fmt.Println(key, value)
	}
	fmt.Println(v.Map("m").Keys(), v.Map("m").Values(), v.Map("m"))
	// Output:
	// a A
	// b B
	// [a b] map[a:A b:B] {"a":"A","b":"B"}
}

// What an editor has made is a tree: here each paragraph's text without its formats.
func ExampleXMLFragment_All() {
	update, err := base64.StdEncoding.DecodeString(state)
	if err != nil {
		log.Fatal(err)
	}
	v, err := content.Read(update)
	if err != nil {
		log.Fatal(err)
	}
	var walk func(x content.XMLFragment, depth int)
	walk = func(x content.XMLFragment, depth int) {
		for _, child := range x.All() {
			switch child := child.(type) {
			case content.XMLElement:
				fmt.Println(strings.Repeat("  ", depth)+child.Name(), child.Attributes())
				walk(child.XMLFragment, depth+1)
			case content.XMLText:
				// child.String() has the formats as elements around the text.
				fmt.Println(strings.Repeat("  ", depth) + child.Text.String())
			}
		}
	}
	walk(v.XMLFragment("page"), 0)
	// Output:
	// p map[]
	//   Hi
}

// A document of documents: who keeps them is asked for each.
func ExampleView_Subdocuments() {
	v := made(func(v *content.View, e *content.Edit) error {
		page := content.Subdocument{GUID: "page-1", Options: map[string]any{"autoLoad": true}}
		return v.Map("pages").Set(e, "intro", page)
	})
	for _, page := range v.Subdocuments() {
		fmt.Println(page.GUID, page.Options["autoLoad"])
	}
	// Output: page-1 true
}

// Carets travel in presence as JSON, as editors' bindings write them.
func ExamplePosition() {
	v := made(func(v *content.View, e *content.Edit) error {
		return v.Text("body").Insert(e, 0, "caret", nil)
	})
	caret, err := v.Text("body").Position(2, 0)
	if err != nil {
		log.Fatal(err)
	}
	state, err := json.Marshal(map[string]any{"cursor": caret})
	if err != nil {
		log.Fatal(err)
	}
	var heard struct {
		Cursor content.Position `json:"cursor"`
	}
	if err := json.Unmarshal(state, &heard); err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(state), heard.Cursor.Equal(caret))
	// Output: {"cursor":{"item":{"client":1,"clock":2},"assoc":0}} true
}

// A text that editors format as XML, and a hook, which is a map with a name.
func ExampleXMLText() {
	v := made(func(v *content.View, e *content.Edit) error {
		x := v.XMLFragment("page")
		if err := x.Insert(e, 0, content.NewXMLText("a fjord"), content.NewXMLHook{Name: "map", Values: map[string]any{"zoom": 3}}); err != nil {
			return err
		}
		text, _ := x.Child(0)
		return text.(content.XMLText).Format(e, 2, 5, map[string]any{"a": map[string]any{"href": "/f"}})
	})
	for _, child := range v.XMLFragment("page").Children() {
		switch child := child.(type) {
		case content.XMLText:
			fmt.Println(child)
		case content.XMLHook:
			fmt.Println(child.Name(), child)
		}
	}
	// Output:
	// a <a href="/f">fjord</a>
	// map {"zoom":3}
}
