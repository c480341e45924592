package ecma_test

import (
	"math"
	"slices"
	"testing"

	"github.com/fjord-sync/fjord/yjs/internal/ecma"
)

// TestNumber is what String(n) says in Node.
func TestNumber(t *testing.T) {
	for want, f := range map[string]float64{
		"0": math.Copysign(0, -1), "-1.5": -1.5, "123456789012345680000": 123456789012345678901,
		"1e+21": 1e21, "-1.5e+300": -1.5e300, "0.000001": 1e-6, "1e-7": 1e-7, "1.25e-7": 1.25e-7, "5e-324": 5e-324,
		"0.1": 0.1, "9007199254740992": 1 << 53, "NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1),
	} {
		if got := string(ecma.AppendNumber(nil, f)); got != want {
			t.Errorf("%v is %q, want %q", f, got, want)
		}
	}
	if got := string(ecma.AppendJSONNumber(nil, math.Inf(1))); got != "null" {
		t.Errorf("in JSON, Infinity is %q", got)
	}
}

func TestQuoted(t *testing.T) {
	if got := string(ecma.AppendQuoted(nil, "é\"\\\b\t\n\v\f\r\x00\x1f\u2028")); got != `"é\"\\\b\t\n\u000b\f\r\u0000\u001f`+"\u2028\"" {
		t.Errorf("%s", got)
	}
	if got := ecma.WellFormed("a\xffb"); got != "a\uFFFDb" {
		t.Errorf("%q", got)
	}
}

func TestKeys(t *testing.T) {
	object := map[string]any{}
	sorted := []string{"", "-1", "01", "10", "4294967294", "4294967295", "9", "a", "\U00010000", "\ue000"}
	for _, k := range sorted {
		object[k] = nil
	}
	if got := ecma.SortedKeys(object); !slices.Equal(got, sorted) {
		t.Errorf("sorted: %q", got)
	}
	want := []string{"9", "10", "4294967294", "", "-1", "01", "4294967295", "a", "\U00010000", "\ue000"}
	if got := ecma.PropertyKeys(object); !slices.Equal(got, want) {
		t.Errorf("as properties: %q", got)
	}
}
