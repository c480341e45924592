package yjs_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
)

// TestHostile gives a document what would take quadratic time if each struct or
// range were looked up or made room for by itself. All of it takes a few
// milliseconds; seconds of CPU allow for the race detector. The wall's clock would
// count what else the machine does.
func TestHostile(t *testing.T) {
	const n = 50_000
	long := update(section(1, 0, root("t", strings.Repeat("a", 1_000_000))))
	everywhere := make([][]byte, n)
	for i := range everywhere {
		clock := uint64(1 + (i*7919)%999_998)
		everywhere[i] = section(1, clock, after(1, clock-1, "a"))
	}
	blocked := section(1, 0, append([][]byte{after(2, 0, "x")}, manyLetters(n)[1:]...)...)
	burials := make([][]byte, 0, n)
	for range n / 2 {
		burials = append(burials, gc(1), cat([]byte{10}, num(1)))
	}
	reversed := pairs(n)
	slices.Reverse(reversed)
	for i := 0; i < len(reversed); i += 2 {
		reversed[i], reversed[i+1] = reversed[i+1], reversed[i]
	}
	list := update(section(1, 0, cat([]byte{8, 1}, str("t"), num(1_000_000), slices.Repeat([]byte{126}, 1_000_000))))
	pictures := update(section(1, 0, root("t", strings.Repeat("😀", 250_000))))
	backwards := make([][]byte, n)
	for i := range backwards {
		backwards[n-1-i] = section(1, uint64(2*i+2), after(1, uint64(2*i+1), "b"))
	}
	inText, inGap, waiting := make([][]byte, n), make([][]byte, n), make([][]byte, n)
	for i := range inText {
		inText[i] = beside(1, uint64(1+(i*7919)%999_998))
		inGap[i] = beside(3, uint64(1+(i*7919)%999_998))
		waiting[n-1-i] = section(uint64(n-i+10), 0, beside(uint64(n-i+11), 0))
	}
	late := update(section(3, 1, root("t", strings.Repeat("a", 1_000_000))))
	for _, c := range []struct {
		name   string
		held   []byte
		update []byte
	}{
		{"letters all over a long text", long, update(everywhere...)},
		{"one collected unit after the other", update(blocked), update(section(1, 0, burials...))},
		{"deletes from the end", long, removal(1, reversed...)},
		{"deletes in a list", list, removal(1, reversed...)},
		{"deletes of half pairs", pictures, removal(1, reversed...)},
		{"gaps from the end", update(), update(backwards...)},
		{"as many clients", update(), update(manyClients(n)...)},
		{"types all over a long text", long, update(section(2, 0, inText...))},
		{"types all over a long text that comes with them", update(), cat([]byte{2}, section(2, 0, inText...), long[1:])},
		{"types all over a long text behind a gap", late, update(section(2, 0, inGap...))},
		{"types that wait for each other", update(), update(waiting...)},
		{"everything again", update(section(1, 0, manyLetters(n)...)), update(section(1, 0, manyLetters(n)...))},
	} {
		d := documentOf(t, c.held)
		begin := cost.CPU()
		if err := d.ApplyUpdate(c.update); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		applied := cost.CPU() - begin
		if !d.Contains(c.update) {
			t.Errorf("%s: not contained", c.name)
		}
		got := state(t, d)
		d.Compact()
		_ = d.StateVector()
		_, _ = yjs.MergeUpdates(got, c.update)
		took := cost.CPU() - begin
		t.Logf("%s: %v, %v in all", c.name, applied, took)
		// Quadratic time would be a minute with the race detector. The dearest takes 0.7 and
		// 1.2 s with it here; a slow machine may take several times as long.
		if took > 16*time.Second || applied > 8*time.Second {
			t.Errorf("%s: %v to apply, %v in all", c.name, applied, took)
		}
	}
}

// manyClients is a letter each.
func manyClients(n int) [][]byte {
	sections := make([][]byte, n)
	for i := range sections {
		sections[i] = section(uint64(i), 0, root("t", "x"))
	}
	return sections
}
