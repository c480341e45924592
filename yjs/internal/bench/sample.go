package main

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"time"

	"github.com/fjord-sync/fjord/yjs/internal/cost"
)

const (
	// least is how long a sample takes at least: short rows are repeated.
	least = 100 * time.Millisecond
	// enough is how long a row takes in all; slow ones have fewer samples, but fewest.
	enough = 12 * time.Second
	fewest = 3
)

// suite measures rows and writes them down.
type suite struct {
	out  *bufio.Writer
	n    int // samples a row
	only *regexp.Regexp
}

// row measures something that does ops operations. Short ones are repeated.
func (s *suite) row(name string, ops int, run func()) {
	s.measure(name, ops, run, func(time.Duration) {})
}

// parts is row for one operation on so many parts, and tells the cost of each too.
func (s *suite) parts(name, part string, n int, run func()) {
	s.measure(name, 1, run, func(cpu time.Duration) {
		fmt.Fprintf(s.out, " %.4g cpu-ns/%s", float64(cpu)/float64(n), part)
	})
}

// measure writes the samples of a row; also may add to a line, given the CPU time
// of one run.
func (s *suite) measure(name string, ops int, run func(), also func(cpu time.Duration)) {
	if !s.only.MatchString(name) {
		return
	}
	repeat, samples := 1, s.n
	for sample := -1; sample < samples; sample++ { // the first one is to warm up
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		cpu, wall := cost.CPU(), time.Now()
		for range repeat {
			run()
		}
		spent, took := cost.CPU()-cpu, time.Since(wall)
		runtime.ReadMemStats(&after)
		if sample < 0 {
			repeat = int(max(1, least/max(took, 1)))
			samples = min(s.n, max(fewest, int(enough/took)))
			continue
		}
		per := float64(repeat * ops)
		fmt.Fprintf(s.out, "Benchmark%s %d %.4g ns/op %.4g cpu-ns/op %.4g allocs/op", name, repeat*ops,
			float64(took)/per, float64(spent)/per, float64(after.Mallocs-before.Mallocs)/per)
		also(spent / time.Duration(repeat))
		fmt.Fprintln(s.out)
	}
	s.flush(name)
}

// heap measures what remains in memory of each of ops things. keep returns them, and
// how many bytes one is when it is encoded.
func (s *suite) heap(unit, name string, ops int, keep func() (any, int)) {
	if !s.only.MatchString(name) {
		return
	}
	for range s.n {
		before := cost.Heap()
		kept, encoded := keep()
		each := float64(cost.Heap()-before) / float64(ops)
		fmt.Fprintf(s.out, "Benchmark%s %d %.6g heap-B/%s %.4g heap/encoded\n", name, ops, each, unit, each/float64(encoded))
		runtime.KeepAlive(kept)
	}
	s.flush(name)
}

func (s *suite) flush(name string) {
	fmt.Fprintln(os.Stderr, "fjord", name)
	if err := s.out.Flush(); err != nil {
		fail(err)
	}
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}

// must returns a value, or ends the process.
func must[T any](value T, err error) T {
	if err != nil {
		fail(err)
	}
	return value
}
