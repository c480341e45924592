package content

// Text is a Y.Text: characters, embeds and marks that format what follows them.
type Text struct{ Shared }

// Op is an operation of a Quill delta. The delta of a text has only inserts.
type Op struct {
	// Insert is a string, or an embed: any value, or a shared type.
	Insert any `json:"insert,omitempty"`
	// Retain and Delete are lengths in UTF-16 units.
	Retain int `json:"retain,omitempty"`
	Delete int `json:"delete,omitempty"`
	// Attributes format what is inserted or retained; nil takes a format away.
	Attributes map[string]any `json:"attributes,omitempty"`
}

// String returns the characters, without embeds and formats.
func (t Text) String() string {
	v, size := t.view, 0
	for i := t.first(); i != none; i = v.nodes[i].right {
		if n := &v.nodes[i]; n.kind == kindString && !n.deleted() {
			size += int(n.size) + int(n.flags&(headHalf|tailHalf))
		}
	}
	text := make([]byte, 0, size)
	for i := t.first(); i != none; i = v.nodes[i].right {
		if n := &v.nodes[i]; n.kind == kindString && !n.deleted() {
			text = v.appendText(text, n)
		}
	}
	return string(text)
}

// Delta returns the text as a Quill delta: characters and embeds with their
// formats.
func (t Text) Delta() []Op {
	v := t.view
	d := deltaWriter{ops: []Op{}}
	for i := t.first(); i != none; {
		n := &v.nodes[i]
		if !n.deleted() {
			switch n.kind {
			case kindString:
				d.text = v.appendText(d.text, n)
			case kindType, kindEmbed:
				d.flush()
				d.ops = append(d.ops, Op{Insert: v.single(n), Attributes: d.attributes()})
			case kindFormat:
				d.flush()
				d.mark(v.format(n))
			}
		}
		i = n.right
	}
	d.flush()
	return d.ops
}

// deltaWriter gathers characters until their formats change.
type deltaWriter struct {
	ops     []Op
	text    []byte
	current map[string]any
}

func (d *deltaWriter) flush() {
	if len(d.text) > 0 {
		d.ops = append(d.ops, Op{Insert: string(d.text), Attributes: d.attributes()})
		d.text = d.text[:0]
	}
}

func (d *deltaWriter) mark(key string, value any) {
	if value == nil {
		delete(d.current, key)
		return
	}
	if d.current == nil {
		d.current = map[string]any{}
	}
	d.current[key] = value
}

// attributes returns a copy of the formats, or nil if there are none.
func (d *deltaWriter) attributes() map[string]any {
	if len(d.current) == 0 {
		return nil
	}
	attributes := make(map[string]any, len(d.current))
	for key, value := range d.current {
		if key != proto {
			attributes[key] = value
		}
	}
	return attributes
}

// format returns what a mark says.
func (v *View) format(n *node) (key string, value any) {
	c := cursor{src: v.bytesAt(n.body)}
	key = string(c.bytes())
	return key, c.readJSON()
}

// Attributes returns the attributes of the text itself, which Quill doesn't know.
func (t Text) Attributes() map[string]any { return own(t.entries()) }

// own drops the key that objects in JavaScript don't take.
func own(object map[string]any) map[string]any {
	delete(object, proto)
	return object
}
