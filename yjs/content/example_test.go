package content_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

// A server edits a document: the update goes to the document, and from there to
// everyone.
func ExampleView_Edit() {
	d := yjs.NewDocument()
	v, err := content.Of(d)
	if err != nil {
		log.Fatal(err)
	}
	e, err := v.Edit(4711)
	if err != nil {
		log.Fatal(err)
	}
	text := v.Text("body")
	if err := text.Insert(e, 0, "Hello, fjord", nil); err != nil {
		log.Fatal(err)
	}
	if err := text.Format(e, 7, 5, map[string]any{"bold": true}); err != nil {
		log.Fatal(err)
	}
	if err := d.ApplyUpdate(e.Commit()); err != nil {
		log.Fatal(err)
	}
	delta, err := json.Marshal(text.Delta())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(delta))
	// Output: [{"insert":"Hello, "},{"insert":"fjord","attributes":{"bold":true}}]
}

// Types nest: what is put in says what it becomes, and is found again by its place.
func ExampleMap() {
	v, err := content.Read([]byte{0, 0})
	if err != nil {
		log.Fatal(err)
	}
	e, err := v.Edit(1)
	if err != nil {
		log.Fatal(err)
	}
	card := content.NewMap{"title": content.NewText("Ship it"), "tags": content.NewArray{"now"}, "n": 3}
	if err := v.Map("cards").Set(e, "c1", card); err != nil {
		log.Fatal(err)
	}
	c1, _ := v.Map("cards").Get("c1")
	tags, _ := c1.(content.Map).Get("tags")
	if err := tags.(content.Array).Push(e, "later"); err != nil {
		log.Fatal(err)
	}
	e.Commit()
	board, err := json.Marshal(v.Map("cards").JSON())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(board))
	// Output: {"c1":{"n":3,"tags":["now","later"],"title":"Ship it"}}
}

// A position keeps its place while others type before it.
func ExampleView_Resolve() {
	v, err := content.Read([]byte{0, 0})
	if err != nil {
		log.Fatal(err)
	}
	e, err := v.Edit(1)
	if err != nil {
		log.Fatal(err)
	}
	text := v.Text("body")
	if err := text.Insert(e, 0, "caret", nil); err != nil {
		log.Fatal(err)
	}
	caret, err := text.Position(2, 0)
	if err != nil {
		log.Fatal(err)
	}
	if err := text.Insert(e, 0, "my ", nil); err != nil {
		log.Fatal(err)
	}
	at, ok := v.Resolve(caret)
	fmt.Println(at.Root, at.Index, ok)
	// Output: body 5 true
}

// A snapshot and the bytes of a document that keeps everything give back what the
// document was.
func ExampleReadAt() {
	d := yjs.NewDocument()
	var then content.Snapshot
	for _, word := range []string{"draft", "final "} {
		v, err := content.Of(d)
		if err != nil {
			log.Fatal(err)
		}
		e, err := v.Edit(1)
		if err != nil {
			log.Fatal(err)
		}
		text := v.Text("body")
		if err := text.Delete(e, 0, text.Len()); err != nil {
			log.Fatal(err)
		}
		if err := text.Insert(e, 0, word, nil); err != nil {
			log.Fatal(err)
		}
		if err := d.ApplyUpdate(e.Commit()); err != nil {
			log.Fatal(err)
		}
		if word == "draft" {
			then = v.Snapshot()
		}
	}
	state, err := d.EncodeStateAsUpdate(nil)
	if err != nil {
		log.Fatal(err)
	}
	v, err := content.ReadAt(state, then)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Text("body"))
	// Output: draft
}

// XML is what rich text editors such as ProseMirror keep.
func ExampleXMLFragment() {
	v, err := content.Read([]byte{0, 0})
	if err != nil {
		log.Fatal(err)
	}
	e, err := v.Edit(1)
	if err != nil {
		log.Fatal(err)
	}
	paragraph := content.NewXMLElement{
		Name:       "paragraph",
		Attributes: map[string]any{"align": "left"},
		Children:   []any{content.NewXMLText("Hello")},
	}
	if err := v.XMLFragment("prosemirror").Insert(e, 0, paragraph); err != nil {
		log.Fatal(err)
	}
	e.Commit()
	fmt.Println(v.XMLFragment("prosemirror"))
	// Output: <paragraph align="left">Hello</paragraph>
}

// What others have changed since a moment, as an editor or a webhook wants it.
func ExampleView_Changed() {
	d := yjs.NewDocument()
	v, err := content.Of(d)
	if err != nil {
		log.Fatal(err)
	}
	e, err := v.Edit(1)
	if err != nil {
		log.Fatal(err)
	}
	for _, err := range []error{
		v.Text("body").Insert(e, 0, "Hello, fjord", nil),
		v.Map("meta").Set(e, "card", content.NewMap{"state": "draft"}),
	} {
		if err != nil {
			log.Fatal(err)
		}
	}
	e.Commit()
	then := v.Snapshot()

	if e, err = v.Edit(2); err != nil {
		log.Fatal(err)
	}
	card, _ := v.Map("meta").Get("card")
	for _, err := range []error{
		v.Text("body").Delete(e, 5, 1),
		v.Text("body").Insert(e, 6, "deep ", map[string]any{"bold": true}),
		card.(content.Map).Set(e, "state", "done"),
	} {
		if err != nil {
			log.Fatal(err)
		}
	}
	e.Commit()

	for _, c := range v.Changed(then) {
		switch shared := c.Type.(type) {
		case nil: // a root: it is what we take it for
			delta, err := json.Marshal(v.Text(c.Root).Since(then))
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(c.Root, string(delta))
		case content.Map:
			fmt.Println(c.Root, c.Path, shared.KeysSince(then))
		}
	}
	// Output:
	// body [{"retain":5},{"delete":1},{"retain":1},{"insert":"deep ","attributes":{"bold":true}}]
	// meta [card] map[state:{update draft}]
}

// state is what a client has sent: Y.encodeStateAsUpdate of a document with a text, a
// map and some XML.
const state = "AQgBAAQBBGJvZHkFSGVsbG+EAQQILCB3w7ZybGRGAQAEYm9sZAR0cnVlxgEEAQUEYm9sZARudWxs" +
	"KAEEbWV0YQR0YWdzAXUCdwFhfgcBBHBhZ2UDAXAHAAEPBgQAARACSGkA"

func ExampleRead() {
	update, _ := base64.StdEncoding.DecodeString(state)
	v, err := content.Read(update)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Roots())
	fmt.Println(v.Text("body"), v.Text("body").Len())
	fmt.Println(v.Text("body").Delta())
	fmt.Println(v.Map("meta").JSON())
	fmt.Println(v.XMLFragment("page"))
	// Output:
	// [body meta page]
	// Hello, wörld 12
	// [{"insert":"Hello","attributes":{"bold":true}} {"insert":", wörld"}]
	// map[tags:[a <nil>]]
	// <p>Hi</p>
}

// A shared type that is in another one is a handle, to be asked for what it is.
func ExampleXMLFragment_Children() {
	update, _ := base64.StdEncoding.DecodeString(state)
	v, err := content.Read(update)
	if err != nil {
		log.Fatal(err)
	}
	for _, child := range v.XMLFragment("page").Children() {
		switch child := child.(type) {
		case content.XMLElement:
			fmt.Println("element", child.Name(), child.Attributes(), len(child.Children()))
		case content.XMLText:
			fmt.Println("text", child)
		}
	}
	// Output: element p map[] 1
}

// JSON for a page or a log. encoding/json would do, but for a NaN.
func ExampleAppendJSON() {
	update, _ := base64.StdEncoding.DecodeString(state)
	v, err := content.Read(update)
	if err != nil {
		log.Fatal(err)
	}
	text, err := content.AppendJSON(nil, map[string]any{"meta": v.Map("meta"), "page": v.XMLFragment("page"), "nan": math.NaN()})
	fmt.Println(string(text), err)
	// Output: {"meta":{"tags":["a",null]},"nan":null,"page":"<p>Hi</p>"} <nil>
}

// Quill's deltas are what its editors send.
func ExampleText_ApplyDelta() {
	v, err := content.Read([]byte{0, 0})
	if err != nil {
		log.Fatal(err)
	}
	e, err := v.Edit(1)
	if err != nil {
		log.Fatal(err)
	}
	var delta []content.Op
	if err := json.Unmarshal([]byte(`[{"insert":"Hi "},{"insert":"there","attributes":{"bold":true}},{"insert":{"image":"a.png"}}]`), &delta); err != nil {
		log.Fatal(err)
	}
	if err := v.Text("body").ApplyDelta(e, delta); err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Text("body"), v.Text("body").Len())
	// Output: Hi there 9
}

func ExampleArray() {
	v, err := content.Read([]byte{0, 0})
	if err != nil {
		log.Fatal(err)
	}
	e, err := v.Edit(1)
	if err != nil {
		log.Fatal(err)
	}
	list := v.Array("todo")
	for _, err := range []error{
		list.Push(e, "milk", 2, map[string]any{"urgent": true}),
		list.Insert(e, 0, content.NewText("write it down")),
		list.Delete(e, 1, 1),
	} {
		if err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(list.Len(), list.JSON())
	// What can't be done is refused, and changes nothing.
	fmt.Println(list.Delete(e, 2, 5))
	fmt.Println(errors.Is(list.Push(e, make(chan int)), content.ErrValue))
	// Output:
	// 3 [write it down 2 map[urgent:true]]
	// content: out of range: from 2 on, 5 long, of 3
	// true
}

// A caret that a client has sent: Y.encodeRelativePosition, in base64.
func ExampleParsePosition() {
	update, _ := base64.StdEncoding.DecodeString(state)
	v, err := content.Read(update)
	if err != nil {
		log.Fatal(err)
	}
	caret, err := content.ParsePosition([]byte{0, 1, 7, 0})
	if err != nil {
		log.Fatal(err)
	}
	at, ok := v.Resolve(caret)
	fmt.Println(at.Root, at.Index, ok)
	// Output: body 7 true
}

// A snapshot is small, and travels: here it asks whether an update was known by then.
func ExampleSnapshot_Contains() {
	update, _ := base64.StdEncoding.DecodeString(state)
	v, err := content.Read(update)
	if err != nil {
		log.Fatal(err)
	}
	then, err := content.ParseSnapshot(v.Snapshot().Append(nil))
	if err != nil {
		log.Fatal(err)
	}
	e, err := v.Edit(2)
	if err != nil {
		log.Fatal(err)
	}
	if err := v.Text("body").Insert(e, 12, "!", nil); err != nil {
		log.Fatal(err)
	}
	before, _ := then.Contains(update)
	after, err := then.Contains(e.Commit())
	fmt.Println(before, after, err)
	fmt.Println(v.Text("body").Since(then))
	// Output:
	// true false <nil>
	// [{"retain":12} {"insert":"!"}]
}

// Compacted, a document is as small as Yjs makes it, and reads as it did.
func ExampleCompact() {
	d := yjs.NewDocument()
	for i := range 3 {
		v, err := content.Of(d)
		if err != nil {
			log.Fatal(err)
		}
		e, err := v.Edit(1)
		if err != nil {
			log.Fatal(err)
		}
		if err := v.Map("meta").Set(e, "title", fmt.Sprintf("a long title, version %d", i)); err != nil {
			log.Fatal(err)
		}
		if err := d.ApplyUpdate(e.Commit()); err != nil {
			log.Fatal(err)
		}
	}
	freed, err := content.Compact(d)
	fmt.Println(d.Size(), freed, err)
	// Output: 52 54 <nil>
}

// What isn't text counts as one unit, and has formats like a letter.
func ExampleText_InsertEmbed() {
	v, err := content.Read([]byte{0, 0})
	if err != nil {
		log.Fatal(err)
	}
	e, err := v.Edit(1)
	if err != nil {
		log.Fatal(err)
	}
	text := v.Text("body")
	for _, err := range []error{
		text.Insert(e, 0, "ab", nil),
		text.InsertEmbed(e, 1, map[string]any{"image": "a.png"}, map[string]any{"width": 80}),
	} {
		if err != nil {
			log.Fatal(err)
		}
	}
	delta, err := json.Marshal(text.Delta())
	fmt.Println(string(delta), text.Len(), err)
	// Output: [{"insert":"a"},{"insert":{"image":"a.png"},"attributes":{"width":80}},{"insert":"b"}] 3 <nil>
}

// Two people who make a text bold at once leave marks that say the same.
func ExampleText_Tidy() {
	d := yjs.NewDocument()
	view := func() *content.View {
		v, err := content.Of(d)
		if err != nil {
			log.Fatal(err)
		}
		return v
	}
	edit := func(v *content.View, client uint64, work func(e *content.Edit, body content.Text) error) []byte {
		e, err := v.Edit(client)
		if err != nil {
			log.Fatal(err)
		}
		if err := work(e, v.Text("body")); err != nil {
			log.Fatal(err)
		}
		return e.Commit()
	}
	apply := func(update []byte) {
		if err := d.ApplyUpdate(update); err != nil {
			log.Fatal(err)
		}
	}
	apply(edit(view(), 1, func(e *content.Edit, body content.Text) error { return body.Insert(e, 0, "a fjord", nil) }))
	bold := func(e *content.Edit, body content.Text) error {
		return body.Format(e, 0, 7, map[string]any{"bold": true})
	}
	one, other := view(), view()
	apply(edit(one, 2, bold))
	apply(edit(other, 3, bold))
	apply(edit(view(), 1, func(e *content.Edit, body content.Text) error {
		tidied, err := body.Tidy(e)
		fmt.Println(tidied, body.Delta())
		return err
	}))
	// Output: 1 [{"insert":"a fjord","attributes":{"bold":true}}]
}

// An element is found where it stands, and changed in place.
func ExampleXMLElement() {
	update, _ := base64.StdEncoding.DecodeString(state)
	v, err := content.Read(update)
	if err != nil {
		log.Fatal(err)
	}
	child, _ := v.XMLFragment("page").Child(0)
	paragraph := child.(content.XMLElement)
	e, err := v.Edit(2)
	if err != nil {
		log.Fatal(err)
	}
	for _, err := range []error{
		paragraph.SetAttribute(e, "align", "left"),
		paragraph.SetAttribute(e, "level", 2),
		paragraph.RemoveAttribute(e, "level"),
		paragraph.Insert(e, 1, content.NewXMLText("!")),
	} {
		if err != nil {
			log.Fatal(err)
		}
	}
	align, ok := paragraph.Attribute("align")
	fmt.Println(paragraph, align, ok)
	// Output: <p align="left">Hi!</p> left true
}
