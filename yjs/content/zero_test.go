package content_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/fjord-sync/fjord/yjs/content"
)

// TestZeroHandles calls every method of handles that are in no view, as a failed type
// assertion leaves them: they read as empty, and can't be edited.
func TestZeroHandles(t *testing.T) {
	called := 0
	for _, e := range []*content.Edit{nil, {}, begin(t, empty(t))} {
		for _, handle := range []any{
			content.Text{}, content.Array{}, content.Map{}, content.XMLFragment{}, content.XMLElement{}, content.XMLText{}, content.XMLHook{},
		} {
			h := reflect.ValueOf(handle)
			for i := range h.NumMethod() {
				name, method := h.Type().Method(i).Name, h.Method(i)
				in := make([]reflect.Value, method.Type().NumIn())
				edits := false
				for k := range in {
					in[k] = reflect.Zero(method.Type().In(k))
					if in[k].Type() == reflect.TypeFor[*content.Edit]() {
						in[k], edits = reflect.ValueOf(e), true
					}
				}
				call := method.Call
				if method.Type().IsVariadic() {
					call = method.CallSlice
				}
				out := call(in)
				called++
				err, _ := out[len(out)-1].Interface().(error)
				if refused := errors.Is(err, content.ErrRange) || errors.Is(err, content.ErrBusy); refused != (edits || name == "Position") {
					t.Errorf("%T.%s: %v", handle, name, err)
				}
				if name == "All" {
					for range out[0].Seq2() {
						t.Errorf("%T has something in it", handle)
					}
				}
				if name == "Len" && out[0].Int() != 0 {
					t.Errorf("%T has length %v", handle, out[0])
				}
			}
		}
	}
	if called < 3*60 {
		t.Errorf("%d methods called", called)
	}
	for _, e := range []*content.Edit{nil, {}} {
		if got := e.Commit(); string(got) != "\x00\x00" {
			t.Errorf("%x", got)
		}
	}
}
