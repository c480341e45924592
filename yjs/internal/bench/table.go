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

// who is measured, as the columns of the table come.
var who = [...]string{"fjord", "yjs", "ywasm"}

// entry is a line of the table with its medians. 0 wasn't measured.
type entry struct {
	line
	median  [len(who)]float64
	samples [len(who)]int
}

// entries reads the samples of a directory.
func entries(dir string) (all []entry) {
	var read [len(who)]map[string][]float64
	for i, name := range who {
		read[i] = samples(filepath.Join(dir, name+".txt"))
	}
	beyond(read[0])
	for _, l := range lines {
		e := entry{line: l}
		for i := range who {
			row := l.row
			if i > 0 && l.others != "" {
				row = l.others
			}
			values := read[i][row+" "+l.unit]
			e.median[i], e.samples[i] = median(values), len(values)
		}
		if e.samples[0] > 0 {
			all = append(all, e)
		}
	}
	return all
}

// beyond adds what a difference costs beside copying the delete set.
func beyond(own map[string][]float64) {
	diff, plain := own["BigDiff "+cpuOp], own["BigDeletesCopy "+cpuOp]
	if len(plain) == 0 {
		return
	}
	for _, each := range diff {
		key := "BigDiff " + cpuBeyond
		own[key] = append(own[key], each-median(plain))
	}
}

// times returns how many times the engine's another's figure is.
func (e *entry) times(other int) float64 {
	if e.median[0] == 0 {
		return 0
	}
	return e.median[other] / e.median[0]
}

// goal says what is to be reached, and whether it is.
func (e *entry) goal() (text string, reached bool) {
	switch {
	case e.ratio > 0:
		return fmt.Sprintf("≥ %.4g ×", e.ratio), e.samples[1] == 0 || e.times(1) >= e.ratio
	case e.most > 0:
		return "≤ " + strings.NewReplacer(".00 ", " ", ".0 ", " ", "0 ×", " ×").Replace(human(e.most, e.unit)), e.median[0] <= e.most
	}
	return "", true
}

// table prints the medians and how many times the engine's the others' are.
func table(w io.Writer, all []entry) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "row\tunit\tfjord\tyjs\tywasm\tyjs/fjord\tywasm/fjord\tgoal\t\tsamples\t")
	for _, e := range all {
		goal, reached := e.goal()
		verdict := ""
		if !reached {
			verdict = "missed"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", e.row, e.unit,
			strings.Join(e.cells(), "\t"), goal, verdict, e.counts()+"\t")
	}
	check(t.Flush())
}

// cells returns the three figures and the two ratios.
func (e *entry) cells() (cells []string) {
	for i := range who {
		cells = append(cells, "")
		if e.samples[i] > 0 {
			cells[i] = human(e.median[i], e.unit)
		}
	}
	for i := 1; i < len(who); i++ {
		cells = append(cells, "")
		if e.samples[i] > 0 && e.median[0] > 0 {
			cells[len(cells)-1] = round(e.times(i)) + " ×"
		}
	}
	return cells
}

// counts says how many samples each of the figures has.
func (e *entry) counts() string {
	var all []string
	for i := range who {
		if e.samples[i] > 0 {
			all = append(all, strconv.Itoa(e.samples[i]))
		}
	}
	return strings.Join(all, " · ")
}

// human writes a figure with the unit that suits its size.
func human(v float64, unit string) string {
	scale := func(units ...string) string {
		i := 0
		for ; i < len(units)-1 && v >= 1000; i++ {
			v /= 1000
		}
		return round(v) + " " + units[i]
	}
	switch {
	case strings.HasPrefix(unit, "cpu-ns"):
		return scale("ns", "µs", "ms", "s")
	case strings.HasPrefix(unit, "heap-B"):
		return scale("B", "kB", "MB")
	case unit == heapEncoded:
		return strconv.FormatFloat(v, 'f', 2, 64) + " ×"
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

// round keeps three digits at most, and no fraction of what has three.
func round(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
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

// median returns 0 for no values.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	values = slices.Sorted(slices.Values(values))
	return (values[len(values)/2] + values[(len(values)-1)/2]) / 2
}
