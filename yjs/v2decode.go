package yjs

import "github.com/fjord-sync/fjord/yjs/lib0"

// A version 2 update says the same as a version 1 update, in columns:
//
//	update = varUint(0) 9 × varBytes(column) rest
//	columns  key clocks, clients, left clocks, right clocks, infos, strings,
//	         parent infos, types, lengths
//	rest     varUint(n) n × section, as in version 1 but with everything that has
//	         a column left out; values as anys; then the delete set, its clients
//	         and counts as in version 1, clocks as distances, lengths minus 1
//
// It is used for storage: half the size, and a document isn't kept in it.

// Limits on how much more a version 1 update may be than the version 2 update it
// was made from. Thirty bytes of columns can claim millions of structs.
const (
	maxStructsPerByte = 64
	freeStructs       = 1024
	maxGrowth         = 64
	freeBytes         = 1 << 16
)

// ConvertUpdateV2ToV1 returns a version 2 update in version 1. The result is
// checked like ValidateUpdate does, but without the cap on new units: a stored
// history may have more. The errors are ErrMalformed and ErrLimit.
func ConvertUpdateV2ToV1(update []byte) ([]byte, error) {
	v1, err := convertV2(update)
	if err != nil {
		return nil, err
	}
	if err := validate(v1, MaxClock); err != nil {
		return nil, err
	}
	return v1, nil
}

// convertV2 is ConvertUpdateV2ToV1 for who checks the result by himself.
func convertV2(update []byte) ([]byte, error) {
	c, err := readV2(update)
	if err != nil {
		return nil, err
	}
	if err := c.structs(); err != nil {
		return nil, err
	}
	if err := c.deletes(); err != nil {
		return nil, err
	}
	return c.dst, nil
}

// ApplyUpdateV2 is ApplyUpdate for a version 2 update.
func (d *Document) ApplyUpdateV2(update []byte) error {
	v1, err := convertV2(update)
	if err != nil {
		return err
	}
	return d.ApplyUpdate(v1)
}

// LoadV2 is Load for a version 2 update.
func (d *Document) LoadV2(state []byte) error {
	v1, err := convertV2(state)
	if err != nil {
		return err
	}
	return d.Load(v1)
}

// v2Reader turns a version 2 update into a version 1 update.
type v2Reader struct {
	size        int // of the update
	rest        reader
	keyClocks   diffRLE
	clients     uintRLE
	leftClocks  diffRLE
	rightClocks diffRLE
	infos       byteRLE
	strings     textColumn
	parents     byteRLE
	types       uintRLE
	lengths     uintRLE
	keys        pile[uint32] // where in dst those are that were read, by key clock
	values      anyWriter
	dst         []byte
}

func readV2(update []byte) (*v2Reader, error) {
	c := &v2Reader{size: len(update), rest: reader{src: update}}
	if c.rest.uvarint() != 0 {
		c.rest.fail(faultFeature)
	}
	for _, column := range []*[]byte{&c.keyClocks.src, &c.clients.src, &c.leftClocks.src, &c.rightClocks.src, &c.infos.src} {
		*column = c.rest.bytes()
	}
	c.strings = newTextColumn(c.rest.bytes())
	for _, column := range []*[]byte{&c.parents.src, &c.types.src, &c.lengths.src} {
		*column = c.rest.bytes()
	}
	c.dst = make([]byte, 0, 2*len(update))
	return c, c.err()
}

// err returns what went wrong in any of the columns.
func (c *v2Reader) err() error {
	for _, f := range [...]fault{
		c.keyClocks.fault, c.clients.fault, c.leftClocks.fault, c.rightClocks.fault, c.infos.fault,
		c.strings.lengths.fault, c.parents.fault, c.types.fault, c.lengths.fault,
	} {
		if f != noFault {
			c.rest.fail(f)
		}
	}
	return c.rest.err()
}

func (c *v2Reader) structs() error {
	budget := uint64(maxStructsPerByte*c.size + freeStructs)
	sections := c.rest.count()
	c.number(sections)
	for range sections {
		structs := c.rest.uvarint()
		if structs > budget {
			c.rest.fail(faultGrowth)
		}
		budget -= structs
		c.number(structs)
		c.number(c.clients.next())
		c.number(c.rest.uvarint())
		for range structs {
			c.dst = double(c.dst)
			c.block()
			if len(c.dst) > maxGrowth*c.size+freeBytes {
				c.rest.fail(faultGrowth)
			}
			if len(c.dst) > maxRunBytes {
				c.rest.fail(faultBytes)
			}
			if err := c.err(); err != nil {
				return err
			}
		}
		if err := c.err(); err != nil {
			return err
		}
	}
	return nil
}

func (c *v2Reader) number(n uint64)  { c.dst = lib0.AppendVarUint(c.dst, n) }
func (c *v2Reader) text(s stringCut) { c.dst = s.append(c.dst) }

func (c *v2Reader) id(clocks *diffRLE) {
	c.number(c.clients.next())
	c.number(clocks.next())
}

func (c *v2Reader) block() {
	info := c.infos.next()
	c.dst = append(c.dst, info)
	switch kind := info & kindBits; {
	case kind == kindSkip:
		c.number(c.rest.uvarint())
		return
	case kind == kindGC:
		c.number(c.lengths.next())
		return
	case kind > kindSkip:
		c.rest.fail(faultKind)
		return
	}
	if info&flagOrigin != 0 {
		c.id(&c.leftClocks)
	}
	if info&flagRight != 0 {
		c.id(&c.rightClocks)
	}
	if info&(flagOrigin|flagRight) == 0 {
		c.parent(info)
	}
	c.content(info & kindBits)
}

func (c *v2Reader) parent(info byte) {
	isName := c.parents.next()
	c.number(uint64(isName))
	if isName == 1 {
		c.text(c.strings.next())
	} else {
		c.id(&c.leftClocks)
	}
	if info&flagKey != 0 {
		c.text(c.strings.next())
	}
}

func (c *v2Reader) content(kind byte) {
	switch kind {
	case kindDeleted:
		c.number(c.lengths.next())
	case kindJSON:
		n := c.listLength()
		for i := uint64(0); i < n && c.strings.lengths.fault == noFault; i++ {
			c.text(c.strings.next())
		}
	case kindBinary:
		c.dst = lib0.AppendVarBytes(c.dst, c.rest.bytes())
	case kindString:
		c.text(c.strings.next())
	case kindEmbed:
		c.json()
	case kindFormat:
		c.key()
		c.json()
	case kindType:
		t := c.types.next()
		c.number(t)
		if t == typeXMLElement || t == typeXMLHook {
			c.key()
		}
	case kindAny:
		n := c.listLength()
		for i := uint64(0); i < n && c.rest.fault == noFault; i++ {
			c.any()
		}
	case kindDoc:
		c.text(c.strings.next())
		c.any()
	}
}

// listLength reads the length of a list whose elements take a byte each, here or
// in another column.
func (c *v2Reader) listLength() uint64 {
	n := c.lengths.next()
	if n > uint64(maxGrowth*c.size) {
		c.rest.fail(faultGrowth)
		return 0
	}
	c.number(n)
	return n
}

// any copies an any.
func (c *v2Reader) any() {
	from := c.rest.pos
	c.rest.any()
	if c.rest.fault == noFault {
		c.dst = append(c.dst, c.rest.src[from:c.rest.pos]...)
	}
}

// json writes an any as JSON text.
func (c *v2Reader) json() {
	from := c.rest.pos
	c.rest.any()
	if c.rest.fault != noFault {
		return
	}
	at := len(c.dst)
	text, f := c.values.appendJSON(append(c.dst, 0), c.rest.src[from:c.rest.pos])
	if f != noFault {
		c.rest.fail(f)
	}
	c.dst = insertCount(text, at, uint64(len(text)-at-1))
}

// key copies a key: a string, or the clock of one that came before. Writers always
// send the string.
func (c *v2Reader) key() {
	clock := c.keyClocks.next()
	if clock < uint64(c.keys.count) {
		key, _, _ := lib0.VarBytes(c.dst[*c.keys.at(int(clock)):])
		c.dst = lib0.AppendVarBytes(c.dst, key)
		return
	}
	c.keys.push(uint32(len(c.dst)))
	c.text(c.strings.next())
}

func (c *v2Reader) deletes() error {
	clients := c.rest.count()
	c.number(clients)
	for range clients {
		c.number(c.rest.uvarint())
		ranges := c.rest.count()
		c.number(ranges)
		at := uint64(0)
		for i := uint64(0); i < ranges && c.rest.fault == noFault; i++ {
			at += c.rest.uvarint()
			length := c.rest.uvarint() + 1
			if at+length > MaxClock {
				c.rest.fail(faultClock)
			}
			c.number(at)
			c.number(length)
			at += length
		}
	}
	if c.rest.fault == noFault && c.rest.left() > 0 {
		c.rest.fail(faultTrailing)
	}
	return c.err()
}
