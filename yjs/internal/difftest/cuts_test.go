package difftest

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

// cuts is the profile that cuts surrogate pairs. Whether both halves of one read as
// U+FFFD, or as the pair, depends in yjs on what came first; so in its programs a pair
// counts as two halves.
const cuts = "cuts"

var pair = regexp.MustCompile("[\U00010000-\U0010FFFF]")

// agree is Agree for what this program reads.
func (p *program) agree(got, want string) bool {
	if p.Name == cuts {
		got, want = pair.ReplaceAllString(got, "\uFFFD\uFFFD"), pair.ReplaceAllString(want, "\uFFFD\uFFFD")
	}
	return Agree(got, want)
}

// TestCuts runs random programs that cut pairs anywhere, from a number that is drawn.
func TestCuts(t *testing.T) {
	o := Start(t, "oracle.mjs")
	first := uint64(FromEnv(t, "YJS_SEED", rand.Int()>>11))
	n := FromEnv(t, "YJS_CUTS", 96)
	for from := 0; from < n; from += batch {
		specs := make([]spec, batch)
		for i := range specs {
			specs[i] = spec{Seed: first + uint64(from+i), Profile: cuts}
		}
		for i, errs := range runSpecs(t, o, specs) {
			if len(errs) > 0 {
				t.Fatalf("%q\nagain: YJS_SEED=%d YJS_CUTS=1 go test ./internal/difftest -run TestCuts", errs, specs[i].Seed)
			}
		}
	}
}
