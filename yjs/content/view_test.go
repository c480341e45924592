package content_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

// TestSmall is three sessions in which other implementations went wrong.
func TestSmall(t *testing.T) {
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
			if err := d.ApplyUpdate(u); err != nil {
				t.Fatal(err)
			}
		}
		v, err := content.Of(d)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Text("t").String(); got != c.text {
			t.Errorf("text %q, want %q", got, c.text)
		}
	}
}
