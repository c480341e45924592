package difftest

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// anyOf is an any, and what yjs says that it reads.
type anyOf struct {
	Any   []byte `json:"any"`
	Value string `json:"value"`
	JSON  string `json:"json"` // JSON.stringify, bytes in base64; empty for a bigint
}

// TestAny holds lib0's values against the npm package lib0: what it writes reads the
// same here, is written the same and is the same in JSON, and what is written here it
// reads and writes so.
func TestAny(t *testing.T) {
	o := Start(t, "lib0.mjs")
	seed := FromEnv(t, "YJS_SEED", int(rand.Int32()))
	n := FromEnv(t, "YJS_ANYS", 5000)
	t.Logf("YJS_SEED=%d YJS_ANYS=%d", seed, n)

	var theirs []anyOf
	o.Ask(t, map[string]any{"op": "make", "seed": seed, "n": n}, &theirs)
	for _, c := range theirs {
		value, rest, err := lib0.Any(append(bytes.Clone(c.Any), 9))
		if err != nil || len(rest) != 1 {
			t.Fatalf("%x: rest %x, %v", c.Any, rest, err)
		}
		if got := Canonical(value); got != c.Value {
			t.Errorf("%x reads %s, want %s", c.Any, got, c.Value)
		}
		if got, err := content.AppendJSON(nil, value); c.JSON != "" && string(got) != c.JSON || err != nil {
			t.Errorf("%s is %s in JSON, %v; want %s", c.Value, got, err, c.JSON)
		}
		if got, err := lib0.AppendAny(nil, value); !bytes.Equal(got, c.Any) || err != nil {
			t.Errorf("%s is written as %x, %v; want %x", c.Value, got, err, c.Any)
		}
	}

	r := rand.New(rand.NewPCG(uint64(seed), 0))
	ours := make([][]byte, n)
	said := make([]string, n)
	for i := range ours {
		value := randomValue(r, 0)
		var err error
		if ours[i], err = lib0.AppendAny(nil, value); err != nil {
			t.Fatalf("%v: %v", value, err)
		}
		said[i] = Canonical(value)
	}
	var read []anyOf
	o.Ask(t, map[string]any{"op": "read", "anys": ours}, &read)
	for i, c := range read {
		if c.Value != said[i] || !bytes.Equal(c.Any, ours[i]) {
			t.Errorf("%s, written as %x, is %s there, written as %x", said[i], ours[i], c.Value, c.Any)
		}
	}
}

// randomValue is any value that an any holds, in any of the types of Go that it
// travels in.
func randomValue(r *rand.Rand, depth int) any {
	kinds := 12
	if depth > 3 {
		kinds = 10
	}
	switch r.IntN(kinds) {
	case 0:
		return []any{nil, lib0.Undefined{}, true, false}[r.IntN(4)]
	case 1:
		return math.Float64frombits(r.Uint64())
	case 2:
		return float64(math.Float32frombits(r.Uint32()))
	case 3:
		return math.Ldexp(float64(r.IntN(5)-2), r.IntN(70)) + float64(r.IntN(3)-1)
	case 4:
		return float64(r.IntN(20000)-10000) / 64
	case 5:
		return math.Copysign(0, -1)
	case 6:
		return lib0.BigInt(r.Uint64() >> r.IntN(64))
	case 7, 8:
		return randomText(r)
	case 9:
		b := make([]byte, r.IntN(200))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	case 10:
		list := make([]any, r.IntN(5))
		for i := range list {
			list[i] = randomValue(r, depth+1)
		}
		return list
	default:
		object := map[string]any{}
		for range r.IntN(12) {
			key := randomText(r)
			if r.IntN(3) == 0 {
				key = strconv.FormatInt(r.Int64N(1<<(1+r.IntN(40))), 10)
			}
			object[key] = randomValue(r, depth+1)
		}
		return object
	}
}

func randomText(r *rand.Rand) string {
	letters := []rune("ab01é漢\x00\"\ue000\uffff😀\U0010ffff\u2028")
	text := make([]rune, r.IntN(6))
	for i := range text {
		text[i] = letters[r.IntN(len(letters))]
	}
	return string(text)
}
