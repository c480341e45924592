package content

import (
	"slices"
	"strings"

	"github.com/fjord-sync/fjord/yjs/internal/ecma"
)

// XMLFragment is a Y.XmlFragment: XMLElements, XMLTexts and XMLHooks one after the
// other.
type XMLFragment struct{ Shared }

// Children returns what is in the fragment.
func (x XMLFragment) Children() []any { return x.elements() }

// Child returns the child at an index.
func (x XMLFragment) Child(index int) (child any, ok bool) { return x.element(index) }

// String returns the children as XML, as Yjs writes it: nothing is escaped, so it
// isn't for a browser.
func (x XMLFragment) String() string {
	v := x.view
	var b strings.Builder
	var children []any
	for i := x.first(); i != none; i = v.nodes[i].right {
		n := &v.nodes[i]
		switch {
		case n.deleted() || !n.countable():
		case n.kind == kindString:
			b.Write(v.appendText(nil, n))
		default:
			children = v.values(children[:0], n)
			for _, child := range children {
				b.WriteString(toText(child))
			}
		}
	}
	return b.String()
}

// XMLElement is a Y.XmlElement: a fragment with a name and attributes.
type XMLElement struct{ XMLFragment }

// undefinedName is the name of an element that was given none.
const undefinedName = "UNDEFINED"

// Name returns the name of the element as it was given. String writes it in lower
// case.
func (x XMLElement) Name() string {
	if name, ok := x.tag(); ok {
		return name
	}
	return undefinedName
}

// tag returns the name that follows the number of a nested type.
func (h Shared) tag() (string, bool) {
	k := h.find()
	if k == none || h.view.kin[k].node == none {
		return "", false
	}
	c := cursor{src: h.view.bytesAt(h.view.nodes[h.view.kin[k].node].body)}
	c.uvarint()
	return string(c.bytes()), true
}

// Attributes returns all attributes. They are strings, unless a program has set
// others.
func (x XMLElement) Attributes() map[string]any { return own(x.entries()) }

// Attribute returns the value of an attribute.
func (x XMLElement) Attribute(name string) (value any, ok bool) { return x.entry(name) }

// String returns the element as XML, its attributes in the order of their names.
// Nothing is escaped.
func (x XMLElement) String() string {
	var b strings.Builder
	name := lower(x.Name())
	b.WriteString("<" + name)
	attributes := x.Attributes()
	for _, key := range ecma.SortedKeys(attributes) {
		b.WriteString(" " + key + `="` + toText(attributes[key]) + `"`)
	}
	b.WriteString(">" + x.XMLFragment.String() + "</" + name + ">")
	return b.String()
}

// XMLText is a Y.XmlText: a text whose formats are elements around it.
type XMLText struct{ Text }

// String returns the text as XML: each format is an element, and what its value has
// in it are attributes. Nothing is escaped.
func (x XMLText) String() string {
	var b strings.Builder
	for _, op := range x.Delta() {
		names := ecma.SortedKeys(op.Attributes)
		for _, name := range names {
			b.WriteString("<" + name)
			attributes := entries(op.Attributes[name])
			for _, key := range ecma.SortedKeys(attributes) {
				b.WriteString(" " + key + `="` + toText(attributes[key]) + `"`)
			}
			b.WriteString(">")
		}
		b.WriteString(toText(op.Insert))
		slices.Reverse(names)
		for _, name := range names {
			b.WriteString("</" + name + ">")
		}
	}
	return b.String()
}

// XMLHook is a Y.XmlHook: a map with a name, for what isn't XML.
type XMLHook struct{ Map }

// Name returns the name of the hook.
func (x XMLHook) Name() string {
	name, _ := x.tag()
	return name
}
