package yjs

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/fjord-sync/fjord/yjs/internal/ecma"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// Embeds and values of formats are JSON text in version 1 and lib0 anys in
// version 2. Going from one to the other, the bytes must be those that a
// JavaScript peer writes: it parses one and writes the other.

// anyWriter writes an any as JSON.stringify does. The any was checked, so it
// nests no deeper than MaxDepth.
type anyWriter struct {
	dst    []byte
	src    []byte // what follows
	frames []anyFrame
	fault  fault
}

// anyFrame is an array or object that is being written.
type anyFrame struct {
	left       uint64 // elements to come
	object     bool
	properties []property
}

// appendJSON appends the any at the beginning of src as JSON text and returns
// what follows it. There is no JSON for undefined by itself or for a bigint.
func appendJSON(dst, src []byte) (_, rest []byte, _ fault) {
	w := anyWriter{dst: dst, src: src}
	if src[0] == lib0.AnyUndefined {
		return dst, src, faultNoJSON
	}
	for {
		if n := len(w.frames); n > 0 && w.frames[n-1].object {
			w.key(&w.frames[n-1])
		}
		opened := w.value()
		if w.fault != noFault || w.closeFrames(opened) {
			return w.dst, w.src, w.fault
		}
	}
}

func (w *anyWriter) uvarint() uint64 {
	n, rest, _ := lib0.VarUint(w.src)
	w.src = rest
	return n
}

func (w *anyWriter) bytes() []byte {
	b, rest, _ := lib0.VarBytes(w.src)
	w.src = rest
	return b
}

func (w *anyWriter) take(n int) []byte {
	b := w.src[:n]
	w.src = w.src[n:]
	return b
}

func (w *anyWriter) key(f *anyFrame) {
	key := w.bytes()
	f.properties = append(f.properties, property{key: key, from: len(w.dst)})
	w.dst = append(ecma.AppendQuoted(w.dst, key), ':')
}

// value writes the next value; of an array or object only the bracket, and then
// it returns true.
func (w *anyWriter) value() (opened bool) {
	switch tag := w.take(1)[0]; tag {
	case lib0.AnyTrue:
		w.dst = append(w.dst, "true"...)
	case lib0.AnyFalse:
		w.dst = append(w.dst, "false"...)
	case lib0.AnyNull:
		w.dst = append(w.dst, "null"...)
	case lib0.AnyUndefined:
		w.undefined()
	case lib0.AnyInteger:
		magnitude, negative, rest, _ := lib0.VarInt(w.src)
		w.src = rest
		if negative && magnitude > 0 {
			w.dst = append(w.dst, '-')
		}
		w.dst = strconv.AppendUint(w.dst, magnitude, 10)
	case lib0.AnyFloat32:
		w.dst = ecma.AppendJSONNumber(w.dst, float64(math.Float32frombits(binary.BigEndian.Uint32(w.take(4)))))
	case lib0.AnyFloat64:
		w.dst = ecma.AppendJSONNumber(w.dst, math.Float64frombits(binary.BigEndian.Uint64(w.take(8))))
	case lib0.AnyString:
		w.dst = ecma.AppendQuoted(w.dst, w.bytes())
	case lib0.AnyBytes:
		w.byteArray(w.bytes())
	case lib0.AnyArray, lib0.AnyObject:
		f := anyFrame{left: w.uvarint(), object: tag == lib0.AnyObject}
		w.frames = append(w.frames, f)
		w.dst = append(w.dst, bracket(f.object, false))
		return true
	default: // AnyBigInt
		w.fault = faultNoJSON
	}
	return false
}

func bracket(object, closing bool) byte {
	switch {
	case object && closing:
		return '}'
	case object:
		return '{'
	case closing:
		return ']'
	default:
		return '['
	}
}

// undefined is null in an array, and no property at all in an object.
func (w *anyWriter) undefined() {
	if f := &w.frames[len(w.frames)-1]; f.object {
		w.dst = w.dst[:f.properties[len(f.properties)-1].from]
	} else {
		w.dst = append(w.dst, "null"...)
	}
}

// byteArray writes a Uint8Array, which JSON.stringify takes for an object.
func (w *anyWriter) byteArray(b []byte) {
	w.dst = append(w.dst, '{')
	for i, v := range b {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		w.dst = append(w.dst, '"')
		w.dst = strconv.AppendInt(w.dst, int64(i), 10)
		w.dst = append(w.dst, '"', ':')
		w.dst = strconv.AppendUint(w.dst, uint64(v), 10)
	}
	w.dst = append(w.dst, '}')
}

// closeFrames ends the value that was written, and all that end with it. It
// returns true when the outermost has ended.
func (w *anyWriter) closeFrames(opened bool) (done bool) {
	for n := len(w.frames); n > 0; n = len(w.frames) {
		f := &w.frames[n-1]
		if !opened {
			w.endElement(f)
		}
		opened = false
		if f.left > 0 {
			f.left--
			return false
		}
		if f.object {
			w.dst, _ = arrange(w.dst, f.properties)
		}
		if last := len(w.dst) - 1; w.dst[last] == ',' {
			w.dst = w.dst[:last]
		}
		w.dst = append(w.dst, bracket(f.object, true))
		w.frames = w.frames[:n-1]
	}
	return true
}

// endElement puts a comma behind an element. A property whose value is undefined
// has been taken back already; __proto__ sets a prototype and is no property.
func (w *anyWriter) endElement(f *anyFrame) {
	if !f.object {
		w.dst = append(w.dst, ',')
		return
	}
	p := &f.properties[len(f.properties)-1]
	if string(p.key) == ecma.Prototype {
		w.dst = w.dst[:p.from]
	}
	if len(w.dst) > p.from {
		w.dst = append(w.dst, ',')
	}
	p.to = len(w.dst)
}
