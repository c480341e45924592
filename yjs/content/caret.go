package content

// caret is a place between two nodes of a text while it is edited, with the formats
// that hold there. (Yjs calls it ItemTextListPosition.)
type caret struct {
	e           *Edit
	list        int32
	left, right int32
	formats     attributes
	err         error // why a mark couldn't be made
}

// caret finds a place in a text. Where it has marks, that means to go through all
// of them.
func (t Text) caret(e *Edit, at spot) caret {
	c := caret{e: e, list: e.sequence(t.Shared)}
	v := t.view
	c.left, c.right = v.part(at)
	if !v.lists[c.list].marked {
		return c
	}
	for i := v.lists[c.list].first; i != c.right; i = v.nodes[i].right {
		c.pass(i)
	}
	return c
}

// pass takes note of a mark.
func (c *caret) pass(i int32) {
	if n := &c.e.view.nodes[i]; n.kind == kindFormat && !n.deleted() {
		c.formats.mark(c.e.view.attribute(i))
	}
}

// forward goes over the node on the right.
func (c *caret) forward() {
	c.pass(c.right)
	c.left, c.right = c.right, c.e.view.nodes[c.right].right
}

// attribute returns what a mark says.
func (v *View) attribute(i int32) (key string, value attribute) {
	c := cursor{src: v.bytesAt(v.nodes[i].body)}
	key = string(c.bytes())
	text := c.bytes()
	which, ok := v.marks[i]
	if !ok {
		which = int(i) + 1
	}
	return key, attribute{parseJSON(text), text, which}
}

// put makes a node at the caret and goes over it.
func (c *caret) put(kind byte, length uint32, body []byte) {
	c.right = c.e.make(c.list, c.left, c.right, kind, length, body)
	c.forward()
}

// putMark makes a mark. How many of them a change needs depends on the document,
// so that only here it is seen if there is no room for one.
func (c *caret) putMark(key string, value attribute) {
	body := markBody(key, value)
	if err := c.e.room(len(body)); err != nil {
		c.err = err
		return
	}
	v := c.e.view
	if v.marks == nil {
		v.marks = map[int32]int{}
	}
	v.marks[int32(len(v.nodes))] = value.which
	c.put(kindFormat, 1, body)
}

// skipRedundant goes over deleted nodes and marks that say what is wanted.
func (c *caret) skipRedundant(wanted *attributes) {
	for c.right != none {
		n := &c.e.view.nodes[c.right]
		if !n.deleted() {
			if n.kind != kindFormat {
				return
			}
			if key, value := c.e.view.attribute(c.right); !wanted.or(key).equal(value) {
				return
			}
		}
		c.forward()
	}
}

// putMarks makes marks for formats that don't hold yet. It returns what is to be
// restored behind.
func (c *caret) putMarks(wanted *attributes) (negated attributes) {
	for i, key := range wanted.keys {
		now := c.formats.or(key)
		if value := wanted.values[i]; !now.equal(value) {
			negated.set(key, now)
			c.putMark(key, value)
		}
	}
	return negated
}

// restore makes marks that end formats, unless others do that already.
func (c *caret) restore(negated *attributes) {
	for c.right != none {
		n := &c.e.view.nodes[c.right]
		if !n.deleted() {
			if n.kind != kindFormat {
				break
			}
			key, value := c.e.view.attribute(c.right)
			if before, ok := negated.get(key); !ok || !before.equal(value) {
				break
			}
			negated.remove(key)
		}
		c.forward()
	}
	for i, key := range negated.keys {
		c.putMark(key, negated.values[i])
	}
}

// insert puts something with formats at the caret; formats that hold there and
// aren't among them are taken away for it.
func (c *caret) insert(p *planned, wanted attributes) {
	for _, key := range c.formats.keys {
		if _, ok := wanted.get(key); !ok {
			wanted.set(key, attribute{})
		}
	}
	c.skipRedundant(&wanted)
	negated := c.putMarks(&wanted)
	c.right = c.e.carryOut([]planned{*p}, c.list, c.left, c.right)
	c.forward()
	c.restore(&negated)
}

// format gives formats to what follows. If less than length follows, line feeds are
// added: Quill thinks that there always is one at the end.
func (c *caret) format(length int, wanted attributes) {
	v := c.e.view
	c.skipRedundant(&wanted)
	negated := c.putMarks(&wanted)
	for c.right != none {
		n := &v.nodes[c.right]
		mark := n.kind == kindFormat
		if length == 0 && (len(negated.keys) == 0 || !n.deleted() && !mark) {
			break
		}
		switch {
		case n.deleted():
		case mark:
			if !c.formatMark(length, &wanted, &negated) {
				c.restore(&negated)
				return
			}
		default:
			if length < int(n.length) {
				v.cutAt(c.right, uint32(length))
			}
			length -= int(v.nodes[c.right].length)
		}
		c.forward()
	}
	if length > 0 {
		feeds := make([]byte, length)
		for i := range feeds {
			feeds[i] = '\n'
		}
		c.put(kindString, uint32(length), feeds)
	}
	c.restore(&negated)
}

// formatMark meets a mark while formatting: one for the same format is deleted. It
// returns false if the formatting ends before it.
func (c *caret) formatMark(length int, wanted, negated *attributes) bool {
	key, value := c.e.view.attribute(c.right)
	want, ok := wanted.get(key)
	if !ok {
		c.formats.set(key, value)
		return true
	}
	if want.equal(value) {
		negated.remove(key)
	} else {
		if length == 0 {
			return false
		}
		negated.set(key, value)
	}
	c.e.delete(c.right)
	return true
}

// delete deletes what follows, and marks that have become redundant by that.
func (c *caret) delete(length int) {
	v := c.e.view
	before, start := c.formats.clone(), c.right
	for length > 0 && c.right != none {
		if n := &v.nodes[c.right]; !n.deleted() {
			switch n.kind {
			case kindType, kindEmbed, kindString:
				if length < int(n.length) {
					v.cutAt(c.right, uint32(length))
				}
				length -= int(v.nodes[c.right].length)
				c.e.delete(c.right)
			}
		}
		c.forward()
	}
	if start != none {
		c.e.tidyGap(start, c.right, before, &c.formats)
	}
}
