package content

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/fjord-sync/fjord/yjs/internal/ecma"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// Undefined is JavaScript's undefined.
type Undefined = lib0.Undefined

// BigInt is JavaScript's bigint, as far as it travels: 64 bits.
type BigInt = lib0.BigInt

// Subdocument is a reference to another document. Its content isn't here.
type Subdocument struct {
	GUID    string
	Options map[string]any // gc, autoLoad, meta: only what differs from the default
}

// Subdocuments returns the references to other documents that the view has, in texts and
// arrays and under keys, also where two are to the same one: what a program that loads
// them asks for. They are in no order that means anything.
func (v *View) Subdocuments() []Subdocument {
	var all []Subdocument
	for i := range v.nodes {
		if n := &v.nodes[i]; n.kind == kindDoc && n.list != none && !n.deleted() {
			all = append(all, v.single(n).(Subdocument))
		}
	}
	return all
}

// proto is a key that JavaScript objects don't take: assigning to it does
// something else. Yjs loses what is stored there, and so do the views as JSON. (If it is
// an object, yjs lists what that has in it among attributes and formats; a view doesn't.)
const proto = ecma.Prototype

// readAny consumes a lib0 any, which was checked.
func (c *cursor) readAny() any {
	value, rest, err := lib0.Any(c.src[c.pos:])
	if err != nil {
		panic("content: a checked value can't be read: " + err.Error())
	}
	c.pos = len(c.src) - len(rest)
	return value
}

// readJSON consumes a string that holds JSON, or "undefined".
func (c *cursor) readJSON() any { return parseJSON(c.bytes()) }

// parseJSON reads JSON that was checked. Most of it is a word or a number.
func parseJSON(text []byte) any {
	switch s := string(text); s {
	case "null":
		return nil
	case "true", "false":
		return s == "true"
	case "undefined":
		return Undefined{}
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		panic("content: a checked value can't be read: " + err.Error())
	}
	return floats(value)
}

// floats replaces the numbers in a value. Those that are too large are infinite, as
// JSON.parse makes them.
func floats(value any) any {
	switch value := value.(type) {
	case json.Number:
		f, _ := strconv.ParseFloat(string(value), 64)
		return f
	case []any:
		for i := range value {
			value[i] = floats(value[i])
		}
	case map[string]any:
		for k := range value {
			value[k] = floats(value[k])
		}
	}
	return value
}

// appendText appends the text of a string node.
func (v *View) appendText(dst []byte, n *node) []byte {
	const replacement = "\uFFFD"
	if n.flags&headHalf != 0 {
		dst = append(dst, replacement...)
	}
	dst = append(dst, v.bytesAt(n.body)[:n.size]...)
	if n.flags&tailHalf != 0 {
		dst = append(dst, replacement...)
	}
	return dst
}

// values appends what a countable node holds, a value a unit. Each unit of a text
// is a string.
func (v *View) values(dst []any, n *node) []any {
	c := cursor{src: v.bytesAt(n.body)}
	switch n.kind {
	case kindAny:
		for range n.length {
			dst = append(dst, c.readAny())
		}
	case kindJSON:
		for range n.length {
			dst = append(dst, c.readJSON())
		}
	case kindString:
		for _, r := range string(v.appendText(nil, n)) {
			if r > 0xffff {
				dst = append(dst, "\uFFFD", "\uFFFD")
			} else {
				dst = append(dst, string(r))
			}
		}
	default:
		dst = append(dst, v.single(n))
	}
	return dst
}

// single returns what a node of one unit holds.
func (v *View) single(n *node) any {
	c := cursor{src: v.bytesAt(n.body)}
	switch n.kind {
	case kindBinary:
		return append([]byte{}, c.bytes()...)
	case kindEmbed:
		return c.readJSON()
	case kindType:
		return v.handleOf(int32(n.size))
	default: // kindDoc
		guid := string(c.bytes())
		options, _ := c.readAny().(map[string]any)
		return Subdocument{guid, options}
	}
}

// valueAt returns the value of unit k of a node.
func (v *View) valueAt(n *node, k uint32) any {
	c := cursor{src: v.bytesAt(n.body)}
	switch n.kind {
	case kindAny:
		c.skipValues(n.kind, k)
		return c.readAny()
	case kindJSON:
		c.skipValues(n.kind, k)
		return c.readJSON()
	default:
		return v.values(nil, n)[k]
	}
}
