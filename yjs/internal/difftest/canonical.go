package difftest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/fjord-sync/fjord/yjs/content"
)

// Canonical writes a value of a document as canonical.mjs does.
func Canonical(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case content.Undefined:
		return "undefined"
	case bool:
		return strconv.FormatBool(value)
	case content.BigInt:
		return fmt.Sprintf("%dn", value)
	case float64:
		if math.IsNaN(value) {
			return "nan"
		}
		return fmt.Sprintf("#%x", math.Float64bits(value))
	case string:
		return Quote(value)
	case []any:
		return "[" + join(value, Canonical) + "]"
	case []byte:
		return "b(" + join(value, func(b byte) string { return strconv.Itoa(int(b)) }) + ")"
	case map[string]any:
		return canonicalObject(value)
	case content.Subdocument:
		return "doc(" + Quote(value.GUID) + "," + options(value.Options) + ")"
	default:
		return nested(value)
	}
}

func nested(value any) string {
	switch v := value.(type) {
	case content.XMLElement:
		return fmt.Sprintf("element(%s,%s,%s,%s)", Quote(v.Name()), canonicalObject(v.Attributes()), Canonical(v.Children()), Quote(v.String()))
	case content.XMLHook:
		return fmt.Sprintf("hook(%s,%s)", Quote(v.Name()), entries(v.Map))
	case content.XMLText:
		return fmt.Sprintf("xmltext(%s,%s,%s)", delta(v.Text), Quote(v.String()), canonicalObject(v.Attributes()))
	case content.XMLFragment:
		return fmt.Sprintf("fragment(%s,%s)", Canonical(v.Children()), Quote(v.String()))
	case content.Text:
		return fmt.Sprintf("text(%s,%s,%d,%s)", delta(v), Quote(v.String()), v.Len(), canonicalObject(v.Attributes()))
	case content.Array:
		return fmt.Sprintf("array(%s,%d,%s)", Canonical(v.Values()), v.Len(), Canonical(v.JSON()))
	case content.Map:
		return fmt.Sprintf("map(%s,%d,%s)", entries(v), v.Len(), Canonical(v.JSON()))
	default:
		return fmt.Sprintf("unexpected %T", value)
	}
}

// entries is what Object.fromEntries makes of a map's entries: it takes any key.
func entries(m content.Map) string { return canonicalObject(m.Values()) }

func delta(t content.Text) string {
	return "[" + join(t.Delta(), func(op content.Op) string {
		if op.Attributes == nil {
			return Canonical(op.Insert)
		}
		return Canonical(op.Insert) + canonicalObject(op.Attributes)
	}) + "]"
}

func join[T any](list []T, f func(T) string) string {
	parts := make([]string, len(list))
	for i, each := range list {
		parts[i] = f(each)
	}
	return strings.Join(parts, ",")
}

func canonicalObject(o map[string]any) string {
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y string) int {
		return slices.Compare(utf16.Encode([]rune(x)), utf16.Encode([]rune(y)))
	})
	return "{" + join(keys, func(k string) string { return Quote(k) + ":" + Canonical(o[k]) }) + "}"
}

// options fills in what a subdocument's options leave out.
func options(o map[string]any) string {
	all := []any{true, false, nil}
	for i, name := range []string{"gc", "autoLoad", "meta"} {
		if v, ok := o[name]; ok {
			all[i] = v
		}
	}
	return Canonical(all)
}

// Quote is JSON.stringify of a string.
func Quote(s string) string {
	const named = "\b\t\n\x00\f\r"
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString("\\" + string(r))
		case r >= '\b' && r <= '\r' && r != '\v':
			b.WriteString(`\` + string("btn_fr"[strings.IndexRune(named, r)]))
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Agree compares what a view and Yjs say. Where Yjs throws, the view may say
// anything.
func Agree(got, want string) bool {
	for {
		before, after, throws := strings.Cut(want, "throws")
		if !strings.HasPrefix(got, before) {
			return false
		}
		if !throws {
			return got == want
		}
		got = got[len(before):]
		if got == "" || got[0] != '"' {
			return false
		}
		end := 1
		for got[end] != '"' {
			if got[end] == '\\' {
				end++
			}
			end++
		}
		got, want = got[end+1:], after
	}
}
