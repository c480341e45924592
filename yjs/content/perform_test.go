package content_test

import (
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/fjord-sync/fjord/yjs/content"
)

// find returns what an action is about.
func find(t *testing.T, v *content.View, a action) any {
	t.Helper()
	name := a["root"].(root)
	shared := name.handle(v)
	for _, step := range a["path"].([]any) {
		var ok bool
		switch at := shared.(type) {
		case content.Map:
			shared, ok = at.Get(step.(string))
		case content.XMLHook:
			shared, ok = at.Get(step.(string))
		case content.Array:
			shared, ok = at.Get(step.(int))
		case content.XMLElement:
			shared, ok = at.Child(step.(int))
		case content.XMLFragment:
			shared, ok = at.Child(step.(int))
		}
		if !ok {
			t.Fatalf("nothing at %v of %v", step, a)
		}
	}
	return shared
}

// perform does an action.
func perform(e *content.Edit, shared any, a action) error {
	index, _ := a["index"].(int)
	length, _ := a["length"].(int)
	formats, _ := a["formats"].(map[string]any)
	key, _ := a["key"].(string)
	if x, ok := shared.(content.XMLText); ok {
		shared = x.Text
	}
	if x, ok := shared.(content.XMLHook); ok {
		shared = x.Map
	}
	if x, ok := shared.(content.XMLElement); ok {
		switch a["do"] {
		case "attribute":
			return x.SetAttribute(e, key, untold(a["value"]))
		case "unattribute":
			return x.RemoveAttribute(e, key)
		}
		shared = x.XMLFragment
	}
	switch t := shared.(type) {
	case content.Text:
		switch a["do"] {
		case "insert":
			return t.Insert(e, index, a["text"].(string), formats)
		case "embed":
			return t.InsertEmbed(e, index, untold(a["value"]), formats)
		case "format":
			return t.Format(e, index, length, formats)
		case "remove":
			return t.Delete(e, index, length)
		case "delta":
			return t.ApplyDelta(e, deltaOf(a["delta"].([]any)))
		}
	case content.Array:
		switch a["do"] {
		case "put":
			return t.Insert(e, index, untoldAll(a["values"].([]any))...)
		case "push":
			return t.Push(e, untoldAll(a["values"].([]any))...)
		case "remove":
			return t.Delete(e, index, length)
		}
	case content.Map:
		switch a["do"] {
		case "set":
			return t.Set(e, key, untold(a["value"]))
		case "unset":
			return t.Delete(e, key)
		}
	case content.XMLFragment:
		switch a["do"] {
		case "put":
			return t.Insert(e, index, untoldAll(a["values"].([]any))...)
		case "remove":
			return t.Delete(e, index, length)
		}
	}
	return fmt.Errorf("%v of a %T", a["do"], shared)
}

func deltaOf(told []any) (delta []content.Op) {
	for _, op := range told {
		delta = append(delta, op.(content.Op))
	}
	return delta
}

// untold is the value that edits.mjs is told of.
func untold(told any) any {
	list, ok := told.([]any)
	if !ok {
		return told
	}
	object := func(at int) map[string]any {
		values := map[string]any{}
		for key, value := range list[at].(map[string]any) {
			values[key] = untold(value)
		}
		return values
	}
	switch list[0] {
	case "undefined":
		return content.Undefined{}
	case "bigint":
		n, _ := strconv.ParseInt(list[1].(string), 10, 64)
		return content.BigInt(n)
	case "number":
		return map[any]any{"-0": math.Copysign(0, -1), "NaN": math.NaN(), "Infinity": math.Inf(1)}[list[1]]
	case "bytes":
		b := []byte{}
		for _, n := range list[1].([]int) {
			b = append(b, byte(n))
		}
		return b
	case "list":
		return untoldAll(list[1].([]any))
	case "object":
		return object(1)
	case "doc":
		return content.Subdocument{GUID: list[1].(string), Options: list[2].(map[string]any)}
	case "text":
		return content.NewText(list[1].(string))
	case "xmltext":
		return content.NewXMLText(list[1].(string))
	case "array":
		return content.NewArray(untoldAll(list[1].([]any)))
	case "map":
		return content.NewMap(object(1))
	case "fragment":
		return content.NewXMLFragment(untoldAll(list[1].([]any)))
	case "element":
		return content.NewXMLElement{Name: list[1].(string), Attributes: object(2), Children: untoldAll(list[3].([]any))}
	default: // hook
		return content.NewXMLHook{Name: list[1].(string), Values: object(2)}
	}
}

func untoldAll(told []any) []any {
	values := []any{}
	for _, value := range told {
		values = append(values, untold(value))
	}
	return values
}
