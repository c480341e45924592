package content

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What follows is how JavaScript turns values into text, which Yjs leaves to it.

// toText is String(value).
func toText(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case Undefined:
		return "undefined"
	case bool:
		return strconv.FormatBool(value)
	case float64:
		return formatNumber(value)
	case BigInt:
		return strconv.FormatInt(int64(value), 10)
	case string:
		return value
	case []byte:
		parts := make([]string, len(value))
		for i, b := range value {
			parts[i] = strconv.Itoa(int(b))
		}
		return strings.Join(parts, ",")
	case []any:
		parts := make([]string, len(value))
		for i, each := range value {
			if _, undefined := each.(Undefined); each != nil && !undefined {
				parts[i] = toText(each)
			}
		}
		return strings.Join(parts, ",")
	case Text:
		return value.String()
	case XMLText:
		return value.String()
	case XMLElement:
		return value.String()
	case XMLFragment:
		return value.String()
	default:
		return "[object Object]"
	}
}

// formatNumber is Number.prototype.toString (ECMA-262, 6.1.6.1.20).
func formatNumber(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	case f < 0:
		return "-" + formatNumber(-f)
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	digits := strings.Replace(mantissa, ".", "", 1)
	e, _ := strconv.Atoi(exponent)
	k, n := len(digits), e+1 // f = 0.digits × 10^n
	switch {
	case k <= n && n <= 21:
		return digits + strings.Repeat("0", n-k)
	case 0 < n && n <= 21:
		return digits[:n] + "." + digits[n:]
	case -6 < n && n <= 0:
		return "0." + strings.Repeat("0", -n) + digits
	}
	if k > 1 {
		digits = digits[:1] + "." + digits[1:]
	}
	if e >= 0 {
		return digits + "e+" + strconv.Itoa(e)
	}
	return digits + "e" + strconv.Itoa(e)
}

// compareUnits compares strings as JavaScript does, by their UTF-16 units: there,
// code points above U+FFFF come before U+E000.
func compareUnits(x, y string) int {
	for x != "" && y != "" {
		r, n := utf8.DecodeRuneInString(x)
		s, m := utf8.DecodeRuneInString(y)
		if r != s {
			return cmp.Compare(unitRank(r), unitRank(s))
		}
		x, y = x[n:], y[m:]
	}
	return cmp.Compare(len(x), len(y))
}

func unitRank(r rune) rune {
	if r >= 0xe000 && r <= 0xffff {
		return r + unicode.MaxRune
	}
	return r
}

// sortedKeys returns the keys of an object in the order of Array.prototype.sort.
func sortedKeys(object map[string]any) []string {
	keys := make([]string, 0, len(object))
	for k := range object {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareUnits)
	return keys
}

// entries is what a for-in loop over a value finds.
func entries(value any) map[string]any {
	switch value := value.(type) {
	case map[string]any:
		return value
	case []any:
		return indexed(len(value), func(i int) any { return value[i] })
	case []byte:
		return indexed(len(value), func(i int) any { return float64(value[i]) })
	case string:
		n := View{src: []byte(value)}
		all := n.values(nil, &node{kind: kindString, size: uint32(len(value))})
		return indexed(len(all), func(i int) any { return all[i] })
	default:
		return nil
	}
}

func indexed(n int, at func(i int) any) map[string]any {
	object := make(map[string]any, n)
	for i := range n {
		object[strconv.Itoa(i)] = at(i)
	}
	return object
}

// lower is String.prototype.toLowerCase: as strings.ToLower, but an İ keeps its dot
// and a sigma that ends a word gets the form for that (Unicode SpecialCasing).
func lower(s string) string {
	if !strings.ContainsAny(s, "İΣ") {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == 'İ':
			b.WriteString("i\u0307")
		case r == 'Σ' && casedBefore(s[:i]) && !casedAfter(s[i+len("Σ"):]):
			b.WriteRune('ς')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

func casedBefore(s string) bool {
	for s != "" {
		r, n := utf8.DecodeLastRuneInString(s)
		if !caseIgnorable(r) {
			return cased(r)
		}
		s = s[:len(s)-n]
	}
	return false
}

func casedAfter(s string) bool {
	for _, r := range s {
		if !caseIgnorable(r) {
			return cased(r)
		}
	}
	return false
}

func cased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

func caseIgnorable(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
		strings.ContainsRune("'.:·\u0387\u055f\u05f4‘’․‧\ufe13\ufe52\ufe55\uff07\uff0e\uff1a", r)
}
