package content_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

// TestPositionJSON reads and writes positions as presence carries them.
func TestPositionJSON(t *testing.T) {
	for _, text := range []string{
		`{"tname":"body","assoc":0}`,
		`{"type":{"client":5,"clock":7},"assoc":-1}`,
		`{"item":{"client":9007199254740991,"clock":0},"assoc":0}`,
		`{"tname":"","assoc":0}`,
	} {
		var p content.Position
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(p)
		if err != nil || string(again) != text {
			t.Errorf("%s: %s, %v", text, again, err)
		}
		q, err := content.ParsePosition(p.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(q); string(again) != text || err != nil {
			t.Errorf("%s: as bytes %x: %s, %v", text, p.Append(nil), again, err)
		}
	}
	var p content.Position
	if err := json.Unmarshal([]byte(`{"type":null,"tname":"t","item":{"client":1,"clock":2},"assoc":0}`), &p); err != nil || p.Item.Clock != 2 {
		t.Errorf("with its type: %v, %v", p, err)
	}
	if err := p.UnmarshalJSON([]byte("null")); err != nil || p.Item == nil {
		t.Errorf("null: %v, %v", p, err)
	}
}

func TestPositionJSONRefused(t *testing.T) {
	for _, text := range []string{
		`{"item":5}`, `[]`, `{"tname":1}`,
		`{"item":{"client":-1,"clock":0}}`, `{"item":{"client":1.5,"clock":0}}`,
		`{"item":{"client":9007199254740992,"clock":0}}`, `{"type":{"client":0,"clock":9007199254740992}}`,
		`{"tname":"t","assoc":9007199254740992}`, `{"tname":"t","assoc":-9223372036854775808}`,
	} {
		p := content.Position{Assoc: 7}
		if err := p.UnmarshalJSON([]byte(text)); !errors.Is(err, yjs.ErrMalformed) || p != (content.Position{Assoc: 7}) {
			t.Errorf("%s: %v, %v", text, p, err)
		}
	}
}

func TestParsePositionRefused(t *testing.T) {
	for name, src := range map[string][]byte{
		"nothing":        {},
		"kind 3":         {3, 1, 1, 0},
		"half an item":   {0, 5},
		"half a name":    {1, 5, 'a'},
		"not UTF-8":      {1, 1, 0xff, 0},
		"bytes after":    {0, 5, 5, 0, 0},
		"assoc cut":      {0, 5, 5, 0x80},
		"client is 2^53": {0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0},
	} {
		if _, err := content.ParsePosition(src); !errors.Is(err, yjs.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p, err := content.ParsePosition([]byte{0, 5, 6}); err != nil || p.Item.Clock != 6 || p.Assoc != 0 {
		t.Errorf("without assoc: %v, %v", p, err)
	}
}

func TestPositionOutOfRange(t *testing.T) {
	v := empty(t)
	for _, index := range []int{-1, 1} {
		if _, err := v.Text("t").Position(index, 0); !errors.Is(err, content.ErrRange) {
			t.Errorf("%d: %v", index, err)
		}
	}
	if _, ok := v.Resolve(content.Position{}); ok {
		t.Error("a position that is none has a place")
	}
	p := content.Position{Item: &yjs.ID{Client: 5, Clock: 1 << 40}}
	if _, ok := v.Resolve(p); ok {
		t.Error("a unit that isn't there has a place")
	}
}

func FuzzParsePosition(f *testing.F) {
	f.Add([]byte{0, 5, 6, 0})
	f.Add([]byte{1, 1, 't', 0x41})
	f.Add([]byte{2, 5, 6})
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := content.ParsePosition(src)
		if err != nil {
			return
		}
		q, err := content.ParsePosition(p.Append(nil))
		if err != nil || string(q.Append(nil)) != string(p.Append(nil)) {
			t.Errorf("%x: %v", src, err)
		}
		empty(t).Resolve(p)
	})
}

func FuzzPositionJSON(f *testing.F) {
	f.Add([]byte(`{"item":{"client":1,"clock":2},"assoc":-1}`))
	f.Add([]byte(`{"type":null,"tname":"t","assoc":0}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		var p, q content.Position
		if err := json.Unmarshal(src, &p); err != nil {
			return
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &q); err != nil || !reflect.DeepEqual(p, q) {
			t.Errorf("%s: %v, then %v, %v", src, p, q, err)
		}
		empty(t).Resolve(p)
		p.Append(nil)
	})
}
