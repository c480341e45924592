package yjs_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
)

// manyParagraphs is how many paragraphs the document made of types has: three structs
// each, as an editor writes them.
const manyParagraphs = 100_000

// paragraphs is a document of paragraphs, each an element after the one before with a
// text in it, written by some clients in turns of ten or so. The last n paragraphs are
// returned as updates instead.
func paragraphs(clients, n int) (state []byte, typed [][]byte) {
	rnd := rand.New(rand.NewPCG(3, 4))
	structs := make([][][]byte, clients)
	clocks := make([]uint64, clients)
	var last []byte // the ID of the element before
	c := 0
	for i := range manyParagraphs {
		if rnd.IntN(10) == 0 {
			c = rnd.IntN(clients)
		}
		client, clock := 4_000_000_000-uint64(c), clocks[c]
		element := cat([]byte{7, 1}, str("prosemirror"), num(3), str("paragraph"))
		if last != nil {
			element = cat([]byte{0x87}, last, num(3), str("paragraph"))
		}
		three := [][]byte{
			element,
			cat([]byte{7, 0}, id(client, clock), num(6)),
			cat([]byte{4, 0}, id(client, clock+1), str("some words")),
		}
		last = id(client, clock)
		clocks[c] += 12
		if i < manyParagraphs-n {
			structs[c] = append(structs[c], three...)
		} else {
			typed = append(typed, update(section(client, clock, three...)))
		}
	}
	sections := make([][]byte, clients)
	for c := range sections {
		sections[c] = section(4_000_000_000-uint64(c), 0, structs[c]...)
	}
	return update(sections...), typed
}

func BenchmarkParagraphs(b *testing.B) {
	for _, clients := range []int{1, 5} {
		state, typed := paragraphs(clients, 1000)
		document := func() *yjs.Document {
			d := yjs.NewDocument()
			if err := d.Load(state); err != nil {
				b.Fatal(err)
			}
			return d
		}
		b.Run(fmt.Sprintf("load/%d", clients), func(b *testing.B) {
			b.SetBytes(int64(len(state)))
			b.ReportAllocs()
			for b.Loop() {
				document()
			}
		})
		b.Run(fmt.Sprintf("apply/%d", clients), func(b *testing.B) {
			b.SetBytes(int64(len(state)))
			b.ReportAllocs()
			for b.Loop() {
				apply(b, yjs.NewDocument(), state)
			}
		})
		b.Run(fmt.Sprintf("load and type/%d", clients), func(b *testing.B) {
			b.SetBytes(int64(len(state)))
			b.ReportAllocs()
			for b.Loop() {
				apply(b, document(), typed[0])
			}
		})
		for name, prepare := range map[string]func(*yjs.Document){"first": func(*yjs.Document) {}, "first, prepared": (*yjs.Document).Prepare} {
			b.Run(fmt.Sprintf("%s/%d", name, clients), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					d := document()
					prepare(d)
					b.StartTimer()
					apply(b, d, typed[0])
				}
			})
		}
		b.Run(fmt.Sprintf("compact/%d", clients), func(b *testing.B) {
			d := document()
			b.ReportAllocs()
			for b.Loop() {
				d.Compact()
			}
		})
		b.Run(fmt.Sprintf("enter/%d", clients), func(b *testing.B) {
			d := document()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%len(typed) == 0 {
					b.StopTimer()
					d = document()
					b.StartTimer()
				}
				if err := d.ApplyUpdate(typed[i%len(typed)]); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("heap/%d", clients), func(b *testing.B) {
			var held int64
			var d *yjs.Document
			for b.Loop() {
				before := cost.Heap()
				d = document()
				apply(b, d, typed[0])
				held = cost.Heap() - before
			}
			b.ReportMetric(float64(held)/float64(d.Size()), "heap/encoded")
		})
	}
}
