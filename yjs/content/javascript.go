package content

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fjord-sync/fjord/yjs/internal/ecma"
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
		return string(ecma.AppendNumber(nil, value))
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
