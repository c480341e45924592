package content_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
	"github.com/fjord-sync/fjord/yjs/lib0"
	"github.com/fjord-sync/fjord/yjs/yjstest"
)

// paperState is the state of a long paper that was typed key by key.
var paperState = sync.OnceValues(func() ([]byte, error) {
	edits, _, err := yjstest.History()
	if err != nil {
		return nil, err
	}
	d := yjs.NewDocument()
	for _, u := range yjstest.Updates(4_294_967_291, "text", edits) {
		if err := d.ApplyUpdate(u); err != nil {
			return nil, err
		}
	}
	return d.EncodeStateAsUpdate(nil)
})

func paper(b testing.TB) []byte {
	b.Helper()
	state, err := paperState()
	if err != nil {
		b.Fatal(err)
	}
	return state
}

// bigState is a document of 1.1 million structs by 100 clients, about 28 MB.
var bigState = sync.OnceValue(func() []byte { return yjstest.Crowd(100, 11_000) })

// bookState is a document of 1.1 million structs as people write, about 32 MB.
var bookState = sync.OnceValue(func() []byte {
	state, _, _ := yjstest.Book(100, 14_700)
	return state
})

// pages is a document as ProseMirror has it: paragraphs with attributes, words and
// marks by ten clients.
func pages(b *testing.B) []byte {
	b.Helper()
	v, err := content.Read([]byte{0, 0})
	if err != nil {
		b.Fatal(err)
	}
	d := yjs.NewDocument()
	for i := range 4000 {
		e, err := v.Edit(uint64(100 + i%10))
		if err != nil {
			b.Fatal(err)
		}
		page := v.XMLFragment("prosemirror")
		text := content.NewXMLText("a few words, and strong ones among them")
		attributes := map[string]any{"align": "left"}
		paragraph := content.NewXMLElement{Name: "paragraph", Attributes: attributes, Children: []any{text}}
		if err := page.Insert(e, i/2, paragraph); err != nil {
			b.Fatal(err)
		}
		strong := map[string]any{"strong": map[string]any{}}
		element, _ := page.Child(i / 2)
		inside := element.(content.XMLElement).Children()[0].(content.XMLText)
		if err := inside.Format(e, 13, 15, strong); err != nil {
			b.Fatal(err)
		}
		if err := d.ApplyUpdate(e.Commit()); err != nil {
			b.Fatal(err)
		}
	}
	state, err := d.EncodeStateAsUpdate(nil)
	if err != nil {
		b.Fatal(err)
	}
	return state
}

// pairState is two clients that each typed n times at the beginning of a text
// while they were apart.
func pairState(n int) []byte {
	dst := []byte{2}
	for _, client := range []uint64{9_000, 8_000} {
		dst = lib0.AppendVarUint(dst, uint64(n))
		dst = lib0.AppendVarUint(dst, client)
		dst = append(dst, 0)
		for i := range n {
			if i == 0 {
				dst = append(dst, 4, 1, 1, 't')
			} else {
				dst = append(dst, 0x44)
				dst = lib0.AppendVarUint(dst, client)
				dst = lib0.AppendVarUint(dst, uint64(i-1))
			}
			dst = append(dst, 1, 'x')
		}
	}
	return append(dst, 0)
}

// reversed makes the higher client of a pair wait for the lower one, so that its
// structs come when all others are there. That is the slow order.
func reversed(n int) []byte {
	pair := pairState(n)
	// The first struct of 9000 is put into a map behind the last one of 8000.
	dst := []byte{2}
	dst = lib0.AppendVarUint(dst, uint64(n+1))
	dst = lib0.AppendVarUint(dst, 9_000)
	dst = append(dst, 0, 0x84)
	dst = lib0.AppendVarUint(dst, 8_000)
	dst = lib0.AppendVarUint(dst, uint64(n-1))
	dst = append(dst, 1, 'y', 4, 1, 1, 't', 1, 'x')
	for i := 1; i < n; i++ {
		dst = append(dst, 0x44)
		dst = lib0.AppendVarUint(dst, 9_000)
		dst = lib0.AppendVarUint(dst, uint64(i))
		dst = append(dst, 1, 'x')
	}
	head := lib0.AppendVarUint(nil, uint64(n))
	head = lib0.AppendVarUint(head, 8_000)
	for i := 1; i < len(pair); i++ {
		if string(pair[i:i+len(head)]) == string(head) {
			return append(dst, pair[i:]...)
		}
	}
	panic("no second section")
}

func benchmarkRead(b *testing.B, state []byte) {
	b.Helper()
	b.SetBytes(int64(len(state)))
	b.ReportAllocs()
	before := cost.Heap()
	b.ResetTimer()
	var v *content.View
	cpu := cost.CPU()
	for range b.N {
		var err error
		if v, err = content.Read(state); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	nodes := float64(v.Nodes())
	b.ReportMetric(float64(cost.CPU()-cpu)/float64(b.N)/nodes, "cpu-ns/node")
	b.ReportMetric(nodes, "nodes")
	b.ReportMetric(float64(cost.Heap()-before)/nodes, "heapB/node")
	runtime.KeepAlive(v)
}

func BenchmarkReadPaper(b *testing.B) { benchmarkRead(b, paper(b)) }
func BenchmarkReadBig(b *testing.B)   { benchmarkRead(b, bigState()) }
func BenchmarkReadBook(b *testing.B)  { benchmarkRead(b, bookState()) }
func BenchmarkReadPages(b *testing.B) { benchmarkRead(b, pages(b)) }

// The pairs have 59 KiB on each side.
func BenchmarkReadPair(b *testing.B)     { benchmarkRead(b, pairState(8_000)) }
func BenchmarkReadReversed(b *testing.B) { benchmarkRead(b, reversed(8_000)) }

func BenchmarkPaperString(b *testing.B) {
	v, err := content.Read(paper(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if len(v.Text("text").String()) == 0 {
			b.Fatal("empty")
		}
	}
}

// TestPaper reads the real paper, if it is there, or a made one.
func TestPaper(t *testing.T) {
	edits, genuine, err := yjstest.History()
	if err != nil {
		t.Fatal(err)
	}
	v, err := content.Read(paper(t))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := v.Text("text").String(), yjstest.Text(edits); got != want {
		t.Errorf("text of %d bytes, want %d (real: %v)", len(got), len(want), genuine)
	}
}

// TestPairs reads what takes Yjs 23 CPU seconds, ten times as large.
func TestPairs(t *testing.T) {
	const n = 80_000
	for name, state := range map[string][]byte{"pair": pairState(n), "reversed": reversed(n)} {
		begin := cost.CPU()
		v, err := content.Read(state)
		if err != nil {
			t.Fatal(err)
		}
		if n := v.Text("t").Len(); n < 2*80_000 {
			t.Errorf("%s: %d characters", name, n)
		}
		// Quadratic time would be many minutes.
		if took := cost.CPU() - begin; took > 20*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// BenchmarkEditPaper types a paper again, an edit a key; an op is one edit.
func BenchmarkEditPaper(b *testing.B) {
	edits, _, err := yjstest.History()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var v *content.View
	for i := range b.N {
		k := i % len(edits)
		if k == 0 {
			if v, err = content.Read([]byte{0, 0}); err != nil {
				b.Fatal(err)
			}
		}
		e, err := v.Edit(1)
		if err != nil {
			b.Fatal(err)
		}
		if err := retype(v, e, edits[k]); err != nil {
			b.Fatal(err)
		}
		if len(e.Commit()) < 3 {
			b.Fatal("nothing")
		}
	}
}

func retype(v *content.View, e *content.Edit, edit yjstest.Edit) error {
	t := v.Text("text")
	if edit.Deleted > 0 {
		if err := t.Delete(e, edit.Position, edit.Deleted); err != nil {
			return err
		}
	}
	return t.Insert(e, edit.Position, edit.Inserted, nil)
}

// TestRetype types a paper again and compares what a document makes of the updates.
func TestRetype(t *testing.T) {
	edits, _, err := yjstest.History()
	if err != nil {
		t.Fatal(err)
	}
	edits = edits[:20_000]
	v, err := content.Read([]byte{0, 0})
	if err != nil {
		t.Fatal(err)
	}
	d := yjs.NewDocument()
	for _, edit := range edits {
		e, err := v.Edit(1)
		if err != nil {
			t.Fatal(err)
		}
		if err := retype(v, e, edit); err != nil {
			t.Fatal(err)
		}
		if err := d.ApplyUpdate(e.Commit()); err != nil {
			t.Fatal(err)
		}
	}
	again, err := content.Of(d)
	if err != nil {
		t.Fatal(err)
	}
	want := yjstest.Text(edits)
	if v.Text("text").String() != want || again.Text("text").String() != want {
		t.Error("the text reads differently")
	}
}
