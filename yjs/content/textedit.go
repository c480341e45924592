package content

import (
	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// Insert puts text before the unit at an index, 0 <= index <= Len. It gets these
// formats and no others; if formats is nil, those of the text before it.
func (t Text) Insert(e *Edit, index int, text string, formats map[string]any) error {
	if text == "" {
		_, err := t.at(e, index, 0)
		return err
	}
	return t.insert(e, index, &planText(text)[0], formats, formats == nil)
}

// InsertEmbed puts something that isn't text before the unit at an index: a value
// that JSON can hold, or a new shared type (NewMap ...). It gets these formats and no
// others.
func (t Text) InsertEmbed(e *Edit, index int, embed any, formats map[string]any) error {
	p, err := t.planEmbed(embed)
	if err != nil {
		return err
	}
	return t.insert(e, index, &p, formats, false)
}

func (t Text) planEmbed(embed any) (p planned, err error) {
	switch embed.(type) {
	case NewText, NewArray, NewMap, NewXMLFragment, NewXMLElement, NewXMLText, NewXMLHook:
		return planType(embed, t.nesting()+1)
	}
	text, err := appendJSON(nil, embed, 0)
	return planned{kind: kindEmbed, length: 1, body: lib0.AppendVarBytes(nil, text)}, err
}

func (t Text) insert(e *Edit, index int, p *planned, formats map[string]any, inherit bool) error {
	at, err := t.at(e, index, 0)
	if err != nil {
		return err
	}
	wanted, room, err := e.attributes(formats)
	if err != nil {
		return err
	}
	if err := e.room(size([]planned{*p}) + room); err != nil {
		return err
	}
	c := t.caret(e, at)
	if inherit {
		wanted = c.formats.clone()
	}
	c.insert(p, wanted)
	return c.err
}

// Delete deletes text and embeds from an index on, 0 <= index, index+length <= Len.
func (t Text) Delete(e *Edit, index, length int) error {
	at, err := t.at(e, index, length)
	if err != nil || length == 0 {
		return err
	}
	c := t.caret(e, at)
	c.delete(length)
	return c.err
}

// Format gives formats to text and embeds from an index on; nil takes a format
// away. If the text ends before, line feeds are added, as Yjs does for Quill, unless
// nothing is behind the index. More than yjs.MaxNewUnits of them are yjs.ErrLimit.
func (t Text) Format(e *Edit, index, length int, formats map[string]any) error {
	at, err := t.at(e, index, min(length, 0))
	if err != nil || length == 0 {
		return err
	}
	wanted, room, err := e.attributes(formats)
	if err != nil {
		return err
	}
	retained, err := t.retained(Op{Retain: index}, Op{Retain: length})
	if err != nil {
		return err
	}
	if err := e.room(retained + room); err != nil {
		return err
	}
	c := t.caret(e, at)
	if c.right == none {
		return nil
	}
	c.format(length, wanted)
	return c.err
}

// retained returns a bound on the line feeds that are added for what a delta retains:
// in a few bytes a stranger's delta retains what no memory could hold.
func (t Text) retained(delta ...Op) (int, error) {
	units := uint64(0)
	for _, op := range delta {
		units = min(units+uint64(op.Retain), maxBytes) // which no text has
	}
	if units <= yjs.MaxNewUnits {
		return int(units), nil
	}
	left, lacking := t.Len(), uint64(0)
	for _, op := range delta {
		there := min(op.Retain, left)
		lacking = min(lacking+uint64(op.Retain-there), maxBytes)
		left -= there
		left -= min(op.Delete, left)
	}
	if lacking > yjs.MaxNewUnits {
		return 0, overLimit("%d units retained behind the end of the text; at most %d are made", lacking, yjs.MaxNewUnits)
	}
	return int(lacking), nil
}

// ApplyDelta changes the text as a Quill delta says: what an operation inserts has
// the formats that it names and no others; embeds are as for InsertEmbed. Where less
// follows than is retained, line feeds are added, see Format; where less follows than
// is deleted, that is all.
//
// Lengths below 0 are ErrRange, and what can't be stored is ErrValue.
func (t Text) ApplyDelta(e *Edit, delta []Op) error {
	steps, room, err := t.planDelta(e, delta)
	if err != nil {
		return err
	}
	if err := e.room(room); err != nil {
		return err
	}
	t.view.finger = finger{list: none} // it is for what goes by seek
	c := t.caret(e, spot{none, t.first(), 0})
	for i := range steps {
		switch s := &steps[i]; {
		case s.insert != nil:
			c.insert(s.insert, s.formats)
		case s.retain > 0:
			c.format(s.retain, s.formats)
		case s.delete > 0:
			c.delete(s.delete)
		}
	}
	return c.err
}

// step is an operation of a delta that is known to be possible.
type step struct {
	insert         *planned
	retain, delete int
	formats        attributes
}

func (t Text) planDelta(e *Edit, delta []Op) (steps []step, room int, err error) {
	if err := e.check(t.Shared); err != nil {
		return nil, 0, err
	}
	for _, op := range delta {
		if op.Retain < 0 || op.Delete < 0 {
			return nil, 0, outOfRange("retain %d, delete %d", op.Retain, op.Delete)
		}
		s := step{retain: op.Retain, delete: op.Delete}
		formats, more, err := e.attributes(op.Attributes)
		if err != nil {
			return nil, 0, err
		}
		s.formats = formats
		room += more
		switch insert := op.Insert.(type) {
		case nil:
		case string:
			if all := planText(insert); all != nil {
				s.insert = &all[0]
			}
		default:
			p, err := t.planEmbed(insert)
			if err != nil {
				return nil, 0, err
			}
			s.insert = &p
		}
		if s.insert != nil {
			room += size([]planned{*s.insert})
		}
		steps = append(steps, s)
	}
	retained, err := t.retained(delta...)
	return steps, room + retained, err
}

// SetAttribute gives the text itself an attribute, which Quill doesn't know.
func (t Text) SetAttribute(e *Edit, name string, value any) error { return t.setValue(e, name, value) }

// RemoveAttribute takes an attribute of the text itself away.
func (t Text) RemoveAttribute(e *Edit, name string) error { return t.deleteKey(e, name) }
