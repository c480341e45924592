package difftest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shrink makes a failing program smaller while it fails: first it leaves out steps,
// then updates, half of what is left at first and single ones in the end.
func shrink(t *testing.T, o *Oracle, s spec) (smaller spec, errs []string) {
	t.Helper()
	var whole []program
	o.Ask(t, map[string]any{"op": "make", "specs": []spec{s}}, &whole)
	fails := func(s spec) bool {
		found := runSpecs(t, o, []spec{s})[0]
		if len(found) > 0 {
			errs = found
		}
		return len(found) > 0
	}
	s.Steps = reduce(numbers(whole[0].Steps), func(steps []int) bool { return fails(spec{Seed: s.Seed, Steps: steps, Profile: s.Profile}) })
	o.Ask(t, map[string]any{"op": "make", "specs": []spec{s}}, &whole)
	s.Keep = reduce(numbers(whole[0].Sent), func(keep []int) bool { return fails(spec{s.Seed, s.Steps, keep, s.Profile}) })
	return s, errs
}

func numbers(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// reduce leaves out of a list what isn't needed to fail (delta debugging).
func reduce(list []int, fails func([]int) bool) []int {
	for size := (len(list) + 1) / 2; size > 0; {
		left := false
		for at := 0; at < len(list); {
			rest := append(append([]int{}, list[:at]...), list[min(len(list), at+size):]...)
			if len(rest) > 0 && fails(rest) {
				list, left = rest, true
			} else {
				at += size
			}
		}
		if !left || size > len(list) {
			size /= 2
		}
	}
	return list
}

// keeps reports whether what fails is made small and kept.
func keeps(t *testing.T) bool {
	t.Helper()
	return FromEnv(t, "YJS_KEEP", 1) != 0
}

// report tells what is wrong with a program and how to run it again, and unless
// YJS_KEEP=0 makes it as small as it gets and keeps that as a case.
func report(t *testing.T, o *Oracle, s spec, errs []string) {
	t.Helper()
	t.Errorf("%s\nagain: YJS_SEED=%d YJS_PROGRAMS=1 go test ./internal/difftest -run TestPrograms", strings.Join(errs, "\n"), s.Seed)
	if !keeps(t) {
		return
	}
	small, errs := shrink(t, o, s)
	var kept json.RawMessage
	o.Ask(t, map[string]any{"op": "keep", "spec": small}, &kept)
	name := fmt.Sprintf("seed-%d", s.Seed)
	file := filepath.Join(cases, name+".json")
	if err := os.WriteFile(file, append(kept, '\n'), 0o600); err != nil {
		t.Error(err)
	}
	t.Errorf("%d steps, %d updates: %s\nkept in %s (give it the name of what it shows); again: go test ./internal/difftest -run TestCases/%s",
		len(small.Steps), len(small.Keep), strings.Join(errs, "\n"), file, name)
}

// TestReduce leaves out everything but what is needed.
func TestReduce(t *testing.T) {
	calls := 0
	got := reduce(numbers(100), func(list []int) bool {
		calls++
		var has [100]bool
		for _, n := range list {
			has[n] = true
		}
		return has[3] && has[50] && has[99]
	})
	if fmt.Sprint(got) != "[3 50 99]" || calls > 200 {
		t.Errorf("%v in %d calls", got, calls)
	}
}
