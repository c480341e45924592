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
// nests no deeper than MaxDepth. The zero value is ready; using it again spares the
// stacks.
type anyWriter struct {
	dst    []byte
	src    []byte // what follows
	frames []anyFrame
	starts pile[int] // of the properties of all objects that are being written
	fault  fault
}

// anyFrame is an array or object that is being written.
type anyFrame struct {
	left   uint64 // elements to come
	object bool
	first  int // where its properties are in starts
}

// appendJSON appends an any as JSON text. There is no JSON for undefined by itself or
// for a bigint.
func (w *anyWriter) appendJSON(dst, src []byte) ([]byte, fault) {
	if src[0] == lib0.AnyUndefined {
		return dst, faultNoJSON
	}
	w.dst, w.src = dst, src
	for {
		if n := len(w.frames); n > 0 && w.frames[n-1].object {
			w.key()
		}
		w.dst = double(w.dst)
		opened := w.value()
		if w.fault != noFault || w.closeFrames(opened) {
			return w.dst, w.fault
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

func (w *anyWriter) key() {
	w.starts.push(len(w.dst))
	w.dst = append(ecma.AppendQuoted(w.dst, w.bytes()), ':')
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
		f := anyFrame{left: w.uvarint(), object: tag == lib0.AnyObject, first: w.starts.count}
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

// undefined is null in an array. A property that has no value is left out when the
// object ends.
func (w *anyWriter) undefined() {
	if !w.frames[len(w.frames)-1].object {
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
		if last := w.dst[len(w.dst)-1]; !opened && last != ':' { // else there was no value
			w.dst = append(w.dst, ',')
		}
		opened = false
		if f.left > 0 {
			f.left--
			return false
		}
		if f.object {
			w.dst, _ = arrange(w.dst, &w.starts, f.first, keyOfJSON)
			w.starts.drop(f.first)
		}
		if last := len(w.dst) - 1; w.dst[last] == ',' {
			w.dst = w.dst[:last]
		}
		w.dst = append(w.dst, bracket(f.object, true))
		w.frames = w.frames[:n-1]
	}
	return true
}
