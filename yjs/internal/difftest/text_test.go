package difftest

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/yjstest"
)

// textOf asks yjs what the root text of a name reads in a state.
func textOf(t *testing.T, o *Oracle, state []byte, name string) string {
	t.Helper()
	var text string
	o.Ask(t, map[string]any{"op": "text", "update": state, "name": name}, &text)
	return text
}

// TestSmall is three sessions in which other implementations went wrong.
func TestSmall(t *testing.T) {
	o := Start(t, "oracle.mjs")
	for _, c := range []struct{ text, updates string }{
		{"\t<b>", "AQHDAQAEAQF0Bgk8Yj4mIgA= AAHDAQEEAg=="},
		{"heXYllo", "AQFlAAQBAXQFaGVsbG8A AQHKAQDEZQFlAgJYWQA="},
		{"0aexwyqb", "AQFlAAQBAXQCYWIA AQFlAsRlAGUBAnh5AA== AQHKAQDEZQBlAQFxAA== AQGvAgDEZQJlAwF3AA== AQHKAQHEZQBlAgFlAA== AQFlBERlAAEwAA=="},
	} {
		d := yjs.NewDocument()
		for s := range strings.FieldsSeq(c.updates) {
			u, err := base64.StdEncoding.DecodeString(s)
			if err != nil {
				t.Fatal(err)
			}
			if err := applyOne(d, u); err != nil {
				t.Fatal(err)
			}
		}
		state, err := d.EncodeStateAsUpdate(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := textOf(t, o, state, "t"); got != c.text {
			t.Errorf("text %q, want %q", got, c.text)
		}
	}
}

// TestHistory replays the history of a paper key by key.
func TestHistory(t *testing.T) {
	edits, genuine, err := yjstest.History()
	if err != nil {
		t.Fatal(err)
	}
	d := yjs.NewDocument()
	for _, u := range yjstest.Updates(4_294_967_291, "text", edits) {
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatal(err)
		}
	}
	o := Start(t, "oracle.mjs")
	want := yjstest.Text(edits)
	if genuine && len(want) != 104_852 {
		t.Errorf("the real history ends with 104 852 characters, got %d", len(want))
	}
	for _, when := range []string{"before", "after"} {
		state, err := d.EncodeStateAsUpdate(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := textOf(t, o, state, "text"); got != want {
			t.Errorf("%s compacting: text of %d bytes, want %d", when, len(got), len(want))
		}
		t.Logf("genuine: %v, %d edits, %s compacting: state %d bytes, text %d", genuine, len(edits), when, len(state), len(want))
		d.Compact()
	}
}
