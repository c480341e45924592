package content_test

import "github.com/fjord-sync/fjord/yjs/content"

var (
	rootText  = root{"t", "text"}
	rootArray = root{"a", "array"}
	rootMap   = root{"m", "map"}
	rootXML   = root{"x", "fragment"}
)

type object = map[string]any

// in puts an action into another type than the root of its kind.
func (a action) in(r root, path ...any) action {
	a["root"], a["path"] = r, append([]any{}, path...)
	return a
}

func insert(index int, text string) action {
	return action{"do": "insert", "root": rootText, "index": index, "text": text}
}

func insertAs(index int, text string, formats object) action {
	return action{"do": "insert", "root": rootText, "index": index, "text": text, "formats": formats}
}

func embed(index int, value any, formats object) action {
	return action{"do": "embed", "root": rootText, "index": index, "value": value, "formats": formats}
}

func format(index, length int, formats object) action {
	return action{"do": "format", "root": rootText, "index": index, "length": length, "formats": formats}
}

func remove(index, length int) action {
	return action{"do": "remove", "root": rootText, "index": index, "length": length}
}

func delta(ops ...any) action { return action{"do": "delta", "root": rootText, "delta": ops} }

func put(index int, values ...any) action {
	return action{"do": "put", "root": rootArray, "index": index, "values": values}
}

func push(values ...any) action { return action{"do": "push", "root": rootArray, "values": values} }

func take(index, length int) action {
	return action{"do": "remove", "root": rootArray, "index": index, "length": length}
}

func set(key string, value any) action {
	return action{"do": "set", "root": rootMap, "key": key, "value": value}
}

func unset(key string) action { return action{"do": "unset", "root": rootMap, "key": key} }

func nodes(index int, values ...any) action {
	return action{"do": "put", "root": rootXML, "index": index, "values": values}
}

func attribute(key string, value any) action {
	return action{"do": "attribute", "root": rootXML, "key": key, "value": value}
}

func element(name string, children ...any) []any {
	return []any{"element", name, object{}, append([]any{}, children...)}
}

func newMap(values object) []any { return []any{"map", values} }

func newArray(values ...any) []any { return []any{"array", append([]any{}, values...)} }

func newText(s string) []any { return []any{"text", s} }

var bold = object{"bold": true}

func op(n int, formats object) content.Op { return content.Op{Retain: n, Attributes: formats} }
