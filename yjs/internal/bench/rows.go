package main

import (
	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

const documents = 10_000

// engine measures the rows that bench.mjs measures of the others.
func engine(s *suite, d *data) {
	b4, v1, v2 := d.list("b4.updates"), d.bytes("b4.v1"), d.bytes("b4.v2")
	s.row("B4Apply", len(b4), func() { applied(b4) })
	s.heap("op", "B4Heap", 1, func() (any, int) {
		doc := applied(b4)
		doc.Compact()
		return doc, doc.Size()
	})
	s.row("B4LoadV1", 1, func() { loaded(v1) })
	s.row("B4LoadV2", 1, func() { check(yjs.NewDocument().LoadV2(v2)) })
	s.view("B4View", v1)
	view := must(content.Read(v1))
	s.row("B4Text", 1, func() { _ = view.Text("text").String() })
	s.row("Merge1000", 1, func() { must(yjs.MergeUpdates(b4[:1000]...)) })
	big(s, d)
	small := d.list("small.updates")
	many := func() []*yjs.Document {
		docs := make([]*yjs.Document, documents)
		for i := range docs {
			docs[i] = applied(small)
		}
		return docs
	}
	s.row("Documents", documents, func() { many() })
	s.heap("op", "DocumentsHeap", documents, func() (any, int) {
		docs := many()
		for _, doc := range docs {
			doc.Compact()
		}
		return docs, docs[0].Size()
	})
	pair := d.bytes("pair.v1")
	s.row("PairLoad", 1, func() { loaded(pair) })
	s.row("PairView", 1, func() { must(content.Read(pair)) })
}

// big measures a document of over a million structs.
func big(s *suite, d *data) {
	state, recent, letter := d.bytes("big.v1"), d.bytes("big.vector"), d.bytes("big.letter")
	s.row("BigLoad", 1, func() { loaded(state) })
	s.heap("op", "BigHeap", 1, func() (any, int) { return loaded(state), len(state) })
	s.view("BigView", state)
	doc := loaded(state)
	s.row("BigEncode", 1, func() { must(doc.EncodeStateAsUpdate(nil)) })
	s.row("BigDiff", 1, func() { must(doc.EncodeStateAsUpdate(recent)) })
	deletes := must(doc.EncodeStateAsUpdate(doc.StateVector()))
	var dst []byte
	s.row("BigDeletesCopy", 1, func() { dst = append(make([]byte, 0, len(deletes)), deletes...) })
	_ = dst
	s.row("BigMerge", 1, func() { must(yjs.MergeUpdates(state, letter)) })
}

// view measures the making of a view, and per node what that takes.
func (s *suite) view(name string, state []byte) {
	s.row(name, 1, func() { must(content.Read(state)) })
	nodes := must(content.Read(state)).Nodes()
	s.per("node", name, nodes, func() { must(content.Read(state)) })
	s.heap("node", name, nodes, func() (any, int) { return must(content.Read(state)), len(state) / nodes })
}

func applied(updates [][]byte) *yjs.Document {
	doc := yjs.NewDocument()
	for _, u := range updates {
		check(doc.ApplyUpdate(u))
	}
	return doc
}

func loaded(state []byte) *yjs.Document {
	doc := yjs.NewDocument()
	check(doc.Load(state))
	return doc
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}
