package content_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
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

// TestManyReaders reads views, as they are made and after an edit, in several
// goroutines at once: the race detector tells whether reading changes anything.
func TestManyReaders(t *testing.T) {
	for seed := range uint64(30) {
		w := wild{Rand: rand.New(rand.NewPCG(seed, 4))}
		v, err := content.Read(w.knotOf(3, 40, 10))
		if err != nil {
			t.Fatal(err)
		}
		begun := v.Snapshot()
		for range 2 {
			want := everything(v, begun)
			var readers sync.WaitGroup
			for range 4 {
				readers.Go(func() {
					if got := everything(v, begun); got != want {
						t.Errorf("seed %d: %s, want %s", seed, got, want)
					}
				})
			}
			readers.Wait()
			e := begin(t, v)
			if err := v.Text("t").Insert(e, v.Text("t").Len()/2, "new", map[string]any{"b": true}); err != nil {
				t.Fatal(err)
			}
			if err := v.Text("t").Delete(e, 1, 2); err != nil {
				t.Fatal(err)
			}
			e.Commit()
		}
	}
}

// everything reads a view in every way.
func everything(v *content.View, since content.Snapshot) string {
	var all strings.Builder
	fmt.Fprint(&all, readings(v), v.Changed(since), v.Snapshot(), v.Text("t").Since(since), v.Map("t").KeysSince(since))
	for i := range v.Text("t").Len() {
		for _, assoc := range []int{-1, 0} {
			p, err := v.Text("t").Position(i, assoc)
			at, ok := v.Resolve(p)
			fmt.Fprint(&all, p.Item, err, at, ok)
		}
		value, ok := v.Array("t").Get(i)
		fmt.Fprint(&all, value, ok)
	}
	for i, value := range v.Array("t").All() {
		fmt.Fprint(&all, i, value)
	}
	for key, value := range v.Map("t").All() {
		fmt.Fprint(&all, key, value)
	}
	fmt.Fprint(&all, v, v.Subdocuments(), v.Map("t"), v.Nodes())
	return all.String()
}
