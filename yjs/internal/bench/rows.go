package main

import (
	"errors"
	"strconv"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

const (
	documents = 10_000
	vectors   = 100
)

// engine measures the rows that bench.mjs measures of the others.
func engine(s *suite, d *data) {
	history(s, d)
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
	crowd := d.bytes("crowd.v1")
	s.row("CrowdLoad", 1, func() { loaded(crowd) })
	s.view("CrowdView", crowd)
}

// history measures the long history of one author.
func history(s *suite, d *data) {
	b4, v1, v2 := d.list("b4.updates"), d.bytes("b4.v1"), d.bytes("b4.v2")
	s.row("B4Apply", len(b4), func() { applied(b4) })
	second := d.list("b4.updates2")
	s.row("B4ApplyV2", len(second), func() {
		doc := yjs.NewDocument()
		for _, u := range second {
			check(doc.ApplyUpdateV2(u))
		}
	})
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
	with := append([][]byte{v1}, d.list("small.updates")...)
	s.row("B4Merge", 1, func() { must(yjs.MergeUpdates(with...)) })
	s.row("B4UpdateVector", 1, func() { must(yjs.StateVectorFromUpdate(v1)) })
}

// big measures a document of over a million structs.
func big(s *suite, d *data) {
	state, second := d.bytes("big.v1"), d.bytes("big.v2")
	recent, letter := d.bytes("big.vector"), d.bytes("big.letter")
	s.parts("BigLoad", "struct", must(strconv.Atoi(string(d.bytes("big.structs")))), func() { loaded(state) })
	s.row("BigLoadV2", 1, func() { check(yjs.NewDocument().LoadV2(second)) })
	s.heap("op", "BigHeap", 1, func() (any, int) { return loaded(state), len(state) })
	s.view("BigView", state)
	doc := loaded(state)
	s.row("BigEncode", 1, func() { must(doc.EncodeStateAsUpdate(nil)) })
	s.row("BigEncodeV2", 1, func() { must(doc.EncodeStateAsUpdateV2(nil)) })
	s.row("BigVector", vectors, func() {
		for range vectors {
			doc.StateVector()
		}
	})
	s.row("BigDiff", 1, func() { must(doc.EncodeStateAsUpdate(recent)) })
	deletes := must(doc.EncodeStateAsUpdate(doc.StateVector()))
	var dst []byte
	s.row("BigDeletesCopy", 1, func() { dst = append(make([]byte, 0, len(deletes)), deletes...) })
	_ = dst
	s.row("BigMerge", 1, func() { must(yjs.MergeUpdates(state, letter)) })
	s.row("BigUpdateDiff", 1, func() { must(yjs.DiffUpdate(state, recent)) })
	s.row("BigUpdateVector", 1, func() { must(yjs.StateVectorFromUpdate(state)) })
	if text := must(content.Read(state)).Text("t").String(); text != string(d.bytes("big.text")) {
		fail(errText)
	}
}

// view measures the making of a view, and per node what that takes.
func (s *suite) view(name string, state []byte) {
	nodes := must(content.Read(state)).Nodes()
	s.parts(name, "node", nodes, func() { must(content.Read(state)) })
	s.heap("node", name, nodes, func() (any, int) { return must(content.Read(state)), len(state) / nodes })
}

var errText = errors.New("the text of the large document isn't what was written")

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
