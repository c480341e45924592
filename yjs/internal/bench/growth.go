package main

import (
	"fmt"
	"runtime"
	"time"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
	"github.com/fjord-sync/fjord/yjs/yjstest"
)

// growth measures one, ten and a hundred long histories in one document, each by an
// author of its own: the cost of an update, and of a node of the view, should stay
// the same. A hundred are 26 million updates, so they are measured once.
func growth(s *suite) {
	edits, _, err := yjstest.History()
	check(err)
	for _, histories := range []int{1, 10, 100} {
		name := fmt.Sprintf("Growth/x%d", histories)
		if !s.only.MatchString(name) {
			continue
		}
		for range max(1, min(s.n, 10/histories)) {
			grow(s, name, histories, edits)
		}
		s.flush(name)
	}
}

func grow(s *suite, name string, histories int, edits []yjstest.Edit) {
	doc := yjs.NewDocument()
	var spent, took time.Duration
	for i := range histories {
		updates := yjstest.Updates(b4Client-uint64(i), "text", edits)
		runtime.GC()
		cpu, wall := cost.CPU(), time.Now()
		for _, u := range updates {
			check(doc.ApplyUpdate(u))
		}
		spent, took = spent+cost.CPU()-cpu, took+time.Since(wall)
	}
	ops := histories * len(edits)
	fmt.Fprintf(s.out, "Benchmark%s/apply %d %.4g ns/op %.4g cpu-ns/op %d encoded-B\n", name, ops,
		float64(took)/float64(ops), float64(spent)/float64(ops), doc.Size())
	state := must(doc.EncodeStateAsUpdate(nil))
	runtime.GC()
	cpu, wall := cost.CPU(), time.Now()
	view := must(content.Read(state))
	fmt.Fprintf(s.out, "Benchmark%s/view %d %.4g ns/op %.4g cpu-ns/op\n", name, 1, float64(time.Since(wall)), float64(cost.CPU()-cpu))
	runtime.KeepAlive(view)
}
