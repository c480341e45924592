package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// goal is what a row is to reach: a ratio of yjs to the engine, or a bound.
type goal struct {
	row, unit string
	ratio     float64 // at least; 0 without one
	text      string
}

var goals = []goal{
	{"B4Apply", "cpu-ns/op", 100, "an update of the long history"},
	{"B4Apply", "allocs/op", 0, "0"},
	{"B4Heap", "heap-B/op", 0, ""},
	{"B4Heap", "heap/encoded", 0, "<= 1.2"},
	{"B4LoadV1", "cpu-ns/op", 15, "its final state, version 1"},
	{"B4LoadV2", "cpu-ns/op", 15, "version 2"},
	{"BigLoad", "cpu-ns/op", 25, "1.1 million structs"},
	{"BigHeap", "heap-B/op", 0, ""},
	{"BigHeap", "heap/encoded", 0, "<= 1.5"},
	{"BigEncode", "cpu-ns/op", 80, ""},
	{"BigDiff", "cpu-ns/op", 0, "<= 50 us more than BigDeletesCopy"},
	{"BigDeletesCopy", "cpu-ns/op", 0, ""},
	{"Merge1000", "cpu-ns/op", 60, "a thousand updates"},
	{"BigMerge", "cpu-ns/op", 10, "with an update of 14 bytes"},
	{"Documents", "cpu-ns/op", 25, "a document of 100 updates"},
	{"DocumentsHeap", "heap-B/op", 0, "<= 1 500"},
	{"B4View", "cpu-ns/op", 1, "to read; yjs: to load"},
	{"B4View", "cpu-ns/node", 0, "<= 300"},
	{"B4View", "heap-B/node", 0, "<= 64"},
	{"B4Text", "cpu-ns/op", 0, ""},
	{"BigView", "cpu-ns/op", 0, ""},
	{"BigView", "cpu-ns/node", 0, "<= 300"},
	{"BigView", "heap-B/node", 0, "<= 64"},
	{"PairLoad", "cpu-ns/op", 0, "<= 50 ms"},
	{"PairView", "cpu-ns/op", 0, "<= 50 ms"},
	{"Growth/x1/apply", "cpu-ns/op", 0, "an update"},
	{"Growth/x10/apply", "cpu-ns/op", 0, "as much"},
	{"Growth/x100/apply", "cpu-ns/op", 0, "as much"},
	{"Growth/x1/view", "cpu-ns/op", 0, ""},
	{"Growth/x10/view", "cpu-ns/op", 0, "10 times as much"},
	{"Growth/x100/view", "cpu-ns/op", 0, "100 times as much"},
}

// table prints the medians and how many times the engine's the others' are.
func table(w io.Writer, dir string) {
	all := map[string]map[string][]float64{}
	who := []string{"fjord", "yjs", "ywasm"}
	for _, name := range who {
		all[name] = samples(filepath.Join(dir, name+".txt"))
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "row\tunit\tfjord\tyjs\tywasm\tyjs/fjord\tywasm/fjord\tgoal\t")
	for _, g := range goals {
		key := g.row + " " + g.unit
		own, ok := median(all["fjord"][key])
		if !ok {
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%.4g\t", g.row, g.unit, own)
		var ratios []string
		for _, name := range who[1:] {
			other, ok := median(all[name][key])
			if !ok {
				fmt.Fprint(t, "-\t")
				ratios = append(ratios, "-")
				continue
			}
			fmt.Fprintf(t, "%.4g\t", other)
			ratios = append(ratios, fmt.Sprintf("%.3gx", other/own))
		}
		aim := g.text
		if g.ratio > 0 {
			aim = fmt.Sprintf(">= %gx  %s", g.ratio, g.text)
		}
		fmt.Fprintf(t, "%s\t%s\t\n", strings.Join(ratios, "\t"), aim)
	}
	check(t.Flush())
}

// samples reads a file of Go's benchmark format: row and unit → values.
func samples(path string) map[string][]float64 {
	all := map[string][]float64{}
	file, err := os.Open(path)
	if err != nil {
		return all // wasn't measured
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			check(err)
			key := name + " " + fields[i+1]
			all[key] = append(all[key], value)
		}
	}
	return all
}

func median(values []float64) (float64, bool) {
	if len(values) == 0 {
		return 0, false
	}
	slices.Sort(values)
	return (values[len(values)/2] + values[(len(values)-1)/2]) / 2, true
}
