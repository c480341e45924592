package difftest

import (
	"maps"
	"slices"
	"sync"
	"testing"
)

// enoughToCount is from how many programs on their census is held against floors.
const enoughToCount = 20_000

// census is how often programs had what they are made of, and how often what was
// compared.
type census struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *census) add(counts map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	for what, n := range counts {
		c.counts[what] += n
	}
}

// of takes over what an oracle has counted.
func (c *census) of(t *testing.T, o *Oracle) {
	t.Helper()
	var counts map[string]int
	o.Ask(t, map[string]any{"op": "census"}, &counts)
	c.add(counts)
}

// check compares with the floors, which are of 20 000 programs.
func (c *census) check(t *testing.T, programs int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(c.counts)) {
		t.Logf("%9d %s", c.counts[what], what)
	}
	for what, floor := range floors {
		if got, want := c.counts[what], floor*programs/enoughToCount; got < want {
			t.Errorf("%d programs had %q %d times, at least %d wanted: is it still made?", programs, what, got, want)
		}
	}
}

// floors are about half of what 20 000 programs had when they were written.
var floors = map[string]int{
	"client id: 32 bits":             16_200,
	"client id: above 32 bits":       8100,
	"client id: below 128":           15_600,
	"clients: 2":                     2000,
	"clients: 3":                     2000,
	"clients: 4":                     1990,
	"clients: 5":                     1980,
	"clients: 6":                     2000,
	"compared: behind":               7000,
	"compared: behind, deletes wait": 390,
	"compared: behind, in version 2": 7400,
	"compared: behind, in version 2, deletes wait":                390,
	"compared: behind, in version 2, structs wait":                890,
	"compared: behind, really":                                    12_300,
	"compared: behind, structs wait":                              920,
	"compared: difference":                                        41_000,
	"compared: difference from the middle of a client":            22_000,
	"compared: difference with deletes":                           22_000,
	"compared: merged":                                            13_300,
	"compared: merged, deletes wait":                              1930,
	"compared: merged, structs wait":                              4700,
	"compared: places that several clients wrote at":              2900,
	"compared: rebuilt":                                           13_300,
	"compared: rebuilt from version 2":                            13_300,
	"compared: rebuilt from version 2, deletes wait":              920,
	"compared: rebuilt from version 2, structs wait":              1870,
	"compared: rebuilt, deletes wait":                             920,
	"compared: rebuilt, structs wait":                             1870,
	"compared: update cut, told and converted without a document": 40_000,
	"content without a left neighbour":                            12_500,
	"content: Any":                                                48_000,
	"content: Binary":                                             12_800,
	"content: Deleted":                                            8000,
	"content: Doc":                                                14_200,
	"content: Embed":                                              5400,
	"content: Format":                                             37_000,
	"content: GC":                                                 1830,
	"content: JSON":                                               8800,
	"content: Skip":                                               1160,
	"content: String":                                             83_000,
	"content: Type":                                               59_000,
	"delivered: deletes apart":                                    500,
	"delivered: out of order":                                     5300,
	"delivered: some late":                                        3300,
	"delivered: some merged":                                      4000,
	"delivered: some twice":                                       2900,
	"format: begins":                                              19_500,
	"format: ends":                                                18_200,
	"gc: off":                                                     2400,
	"gc: on":                                                      5000,
	"gc: on for some":                                             2500,
	"odd: -0":                                                     123,
	"odd: NaN":                                                    115,
	"odd: beyond 32 bits":                                         4800,
	"odd: bigint":                                                 670,
	"odd: empty key":                                              5500,
	"odd: empty root name":                                        1850,
	"odd: empty string":                                           1910,
	"odd: fraction":                                               4200,
	"odd: half a pair":                                            1230,
	"odd: infinite":                                               210,
	"odd: list":                                                   9900,
	"odd: null":                                                   3700,
	"odd: object":                                                 6700,
	"odd: subdocument with options":                               9200,
	"odd: surrogate pair":                                         5400,
	"odd: undefined":                                              650,
	"profile: array":                                              850,
	"profile: confused":                                           820,
	"profile: legacy":                                             840,
	"profile: map":                                                830,
	"profile: mixed":                                              820,
	"profile: moves":                                              720,
	"profile: plain":                                              840,
	"profile: rich":                                               810,
	"profile: strange":                                            710,
	"profile: subdocs":                                            830,
	"profile: typing":                                             830,
	"profile: undo":                                               820,
	"profile: unicode":                                            830,
	"profile: xml":                                                820,
	"read: Doc":                                                   124_000,
	"read: YArray":                                                71_000,
	"read: YMap":                                                  73_000,
	"read: YText":                                                 91_000,
	"read: YXmlElement":                                           40_000,
	"read: YXmlFragment":                                          19_000,
	"read: YXmlHook":                                              14_900,
	"read: YXmlText":                                              28_000,
	"read: embed":                                                 28_000,
	"read: formats":                                               77_000,
	"step: answers a peer":                                        7000,
	"step: hears from others":                                     31_000,
	"step: leaves and comes back":                                 1410,
	"step: moves":                                                 3700,
	"step: redoes":                                                147,
	"step: several edits in a transaction":                        14_400,
	"step: tidies formats":                                        110,
	"step: undoes":                                                950,
	"type: YArray":                                                7500,
	"type: YMap":                                                  10_000,
	"type: YText":                                                 10_000,
	"type: YXmlElement":                                           15_900,
	"type: YXmlFragment":                                          1530,
	"type: YXmlHook":                                              5300,
	"type: YXmlText":                                              9000,
}
