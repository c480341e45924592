package yjs

import "github.com/fjord-sync/fjord/yjs/lib0"

// ConvertUpdateV1ToV2 returns a version 1 update in version 2: of what Yjs has written,
// byte for byte what Yjs would have written (as Y.encodeStateAsUpdateV2 does:
// Y.convertUpdateFormatV1ToV2 forgets which structs with a neighbour belong to a key).
// Sections and values keep their order and their spelling, which Yjs would put right.
// The errors are those of ValidateUpdate, but without the cap on new units.
func ConvertUpdateV1ToV2(update []byte) ([]byte, error) {
	if err := validate(update, MaxClock); err != nil {
		return nil, err
	}
	return encodeV2(update), nil
}

// encodeV2 is ConvertUpdateV1ToV2 for an update that was checked.
func encodeV2(update []byte) []byte {
	w := v2Writer{rest: make([]byte, 0, len(update)/4)}
	u := readUpdate(update)
	u.trusted = true
	var b block
	for u.next(&b) {
		if u.section {
			w.sections++
			w.rest = lib0.AppendVarUint(w.rest, u.structs+1)
			w.clients.put(u.client)
			w.rest = lib0.AppendVarUint(w.rest, b.clock)
		}
		w.block(update, &b)
	}
	w.deletes(update, u.deletesAt)
	return w.bytes()
}

// EncodeStateAsUpdateV2 is EncodeStateAsUpdate in version 2.
func (d *Document) EncodeStateAsUpdateV2(stateVector []byte) ([]byte, error) {
	v1, err := d.EncodeStateAsUpdate(stateVector)
	if err != nil {
		return nil, err
	}
	return encodeV2(v1), nil
}

// v2Writer gathers the columns of a version 2 update.
type v2Writer struct {
	sections    uint64
	rest        []byte // behind the number of sections
	keyClock    uint64
	keyClocks   diffRLEWriter
	clients     uintRLEWriter
	leftClocks  diffRLEWriter
	rightClocks diffRLEWriter
	infos       byteRLEWriter
	strings     textWriter
	parents     byteRLEWriter
	types       uintRLEWriter
	lengths     uintRLEWriter
	values      jsonReader
}

func (w *v2Writer) bytes() []byte {
	for _, c := range []*diffRLEWriter{&w.keyClocks, &w.leftClocks, &w.rightClocks} {
		c.flush()
	}
	for _, c := range []*uintRLEWriter{&w.clients, &w.strings.lengths, &w.types, &w.lengths} {
		c.flush()
	}
	text := lib0.AppendVarBytes(make([]byte, 0, len(w.strings.text)+len(w.strings.lengths.dst)+4), w.strings.text)
	text = append(text, w.strings.lengths.dst...)
	columns := [][]byte{
		w.keyClocks.dst, w.clients.dst, w.leftClocks.dst, w.rightClocks.dst, w.infos.dst,
		text, w.parents.dst, w.types.dst, w.lengths.dst,
	}
	size := 1 + lib0.VarUintLen(w.sections) + len(w.rest)
	for _, c := range columns {
		size += lib0.VarUintLen(uint64(len(c))) + len(c)
	}
	dst := append(make([]byte, 0, size), 0) // no features
	for _, c := range columns {
		dst = lib0.AppendVarBytes(dst, c)
	}
	dst = lib0.AppendVarUint(dst, w.sections)
	return append(dst, w.rest...)
}

func (w *v2Writer) left(id ID) {
	w.clients.put(id.Client)
	w.leftClocks.put(id.Clock)
}

func (w *v2Writer) block(src []byte, b *block) {
	w.strings.left = len(src) - b.start
	w.infos.put(b.info)
	switch b.kind() {
	case kindSkip:
		w.rest = lib0.AppendVarUint(w.rest, b.length)
		return
	case kindGC:
		w.lengths.put(b.length)
		return
	}
	if b.info&flagOrigin != 0 {
		w.left(b.origin)
	}
	if b.info&flagRight != 0 {
		w.clients.put(b.right.Client)
		w.rightClocks.put(b.right.Clock)
	}
	if !b.linked() {
		w.parent(src, b)
	}
	w.content(src, b)
}

func (w *v2Writer) parent(src []byte, b *block) {
	r := reader{src: src, pos: b.parent, trusted: true}
	if r.uvarint() == 1 {
		w.parents.put(1)
		w.strings.put(r.text())
	} else {
		w.parents.put(0)
		w.left(r.id())
	}
	if b.info&flagKey != 0 {
		w.strings.put(r.text())
	}
}

func (w *v2Writer) content(src []byte, b *block) {
	r := reader{src: src, pos: b.body, trusted: true}
	switch b.kind() {
	case kindDeleted:
		w.lengths.put(b.length)
	case kindJSON:
		w.lengths.put(r.uvarint())
		for range b.length {
			w.strings.put(r.text())
		}
	case kindBinary:
		w.rest = lib0.AppendVarBytes(w.rest, r.bytes())
	case kindString:
		w.strings.add(r.text(), b.length)
	case kindEmbed:
		w.value(r.text())
	case kindFormat:
		w.key(r.text())
		w.value(r.text())
	case kindType:
		t := r.uvarint()
		w.types.put(t)
		if t == typeXMLElement || t == typeXMLHook {
			w.key(r.text())
		}
	case kindAny:
		w.lengths.put(r.uvarint())
		w.rest = append(w.rest, src[r.pos:b.end]...)
	case kindDoc:
		w.strings.put(r.text())
		w.rest = append(w.rest, src[r.pos:b.end]...)
	}
}

// value writes JSON text as an any, which is up to nine bytes for four: 0.1 and a comma.
func (w *v2Writer) value(text []byte) {
	w.rest = room(w.rest, 9*len(text)/4+valueRoom, 9*w.strings.left/4+valueRoom)
	w.rest = w.values.appendAny(w.rest, text)
}

// key writes a key. Yjs could refer to one that came before, but never does.
func (w *v2Writer) key(s []byte) {
	w.keyClocks.put(w.keyClock)
	w.keyClock++
	w.strings.put(s)
}

// deletes writes the delete set that begins at an offset. Distances can't be
// negative, so the ranges are put in order first, if they aren't.
func (w *v2Writer) deletes(src []byte, offset int) {
	r := reader{src: src, pos: offset, trusted: true}
	clients := r.uvarint()
	w.rest = lib0.AppendVarUint(w.rest, clients)
	for range clients {
		w.rest = lib0.AppendVarUint(w.rest, r.uvarint())
		n := r.uvarint()
		if ahead := r; !ahead.ranges(n, func(uint32, uint32) {}) {
			w.unordered(&r, n)
			continue
		}
		w.rest = lib0.AppendVarUint(w.rest, n)
		at := uint32(0)
		r.ranges(n, func(start, end uint32) { at = w.deleted(at, start, end) })
	}
}

// ranges reads n ranges of a delete set, and reports whether they are ascending and
// neither overlap nor touch.
func (r *reader) ranges(n uint64, f func(start, end uint32)) (ordered bool) {
	ordered = true
	before := int64(-1) // a clock may be 1<<31, which is too much for an int of 32 bits
	for range n {
		start := r.uvarint()
		end := start + r.uvarint()
		ordered = ordered && int64(start) > before
		before = int64(end)
		f(uint32(start), uint32(end))
	}
	return ordered
}

// unordered writes n ranges of a client.
func (w *v2Writer) unordered(r *reader, n uint64) {
	var s spans
	var near spot
	r.ranges(n, func(start, end uint32) { _, near = s.add(start, end, near) })
	w.rest = lib0.AppendVarUint(w.rest, uint64(s.count))
	at := uint32(0)
	for _, chunk := range s.chunks {
		for _, d := range chunk {
			at = w.deleted(at, d.start, d.end)
		}
	}
}

// deleted writes a range behind the one that ends at a clock, and returns where it ends.
func (w *v2Writer) deleted(at, start, end uint32) uint32 {
	w.rest = lib0.AppendVarUint(w.rest, uint64(start-at))
	w.rest = lib0.AppendVarUint(w.rest, uint64(end-start-1))
	return end
}
