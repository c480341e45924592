package yjs

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// jsonReader writes JSON text as an any, as lib0 writes what JSON.parse returns.
// The text was checked, so it nests no deeper than MaxDepth. The zero value is ready;
// using it again spares the stacks.
type jsonReader struct {
	src    []byte
	pos    int
	dst    []byte
	frames []jsonFrame
	starts pile[int] // of the properties of all objects that are being written
}

// jsonFrame is an array or object that is being written.
type jsonFrame struct {
	object bool
	count  uint64
	at     int // where in the output the count belongs; a byte is kept for it
	first  int // where its properties are in starts
}

// appendAny appends JSON text as an any.
func (r *jsonReader) appendAny(dst, text []byte) []byte {
	r.src, r.pos, r.dst = text, 0, dst
	for {
		r.dst = double(r.dst)
		switch c := r.token(); c {
		case '{', '[':
			r.open(c == '{')
		case '}', ']':
			r.close()
		default:
			r.scalar(c)
		}
		if r.between() {
			return r.dst
		}
	}
}

// valueRoom is for how many bytes room is made before each value: what is longer is as
// long in the input.
const valueRoom = 16

// double returns bytes with room for a value: twice as much as before. append makes a
// quarter more, and so takes more on the way.
func double(dst []byte) []byte {
	if cap(dst)-len(dst) >= valueRoom {
		return dst
	}
	return append(make([]byte, 0, 2*cap(dst)+valueRoom), dst...)
}

// token skips white space and returns the byte that comes next.
func (r *jsonReader) token() byte {
	for {
		switch c := r.src[r.pos]; c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c
		}
	}
}

// between gets ready for the next value after one has ended or a container has
// begun. It returns true when the outermost has ended.
func (r *jsonReader) between() (done bool) {
	for n := len(r.frames); n > 0; n = len(r.frames) {
		f := &r.frames[n-1]
		switch r.token() {
		case '}', ']':
			r.close()
			continue
		case ',':
			r.pos++
		}
		f.count++
		if f.object {
			r.key()
		}
		return false
	}
	return true
}

func (r *jsonReader) open(object bool) {
	r.pos++
	tag := byte(lib0.AnyArray)
	if object {
		tag = lib0.AnyObject
	}
	r.dst = append(r.dst, tag, 0)
	r.frames = append(r.frames, jsonFrame{object: object, at: len(r.dst) - 1, first: r.starts.count})
}

// close ends the innermost container.
func (r *jsonReader) close() {
	r.pos++
	f := r.frames[len(r.frames)-1]
	if f.object {
		var count int
		r.dst, count = arrange(r.dst, &r.starts, f.first, keyOfAny)
		f.count = uint64(count)
		r.starts.drop(f.first)
	}
	r.dst = insertCount(r.dst, f.at, f.count)
	r.frames = r.frames[:len(r.frames)-1]
}

func (r *jsonReader) key() {
	r.token()
	r.starts.push(len(r.dst))
	r.dst = lib0.AppendVarBytes(r.dst, r.str())
	r.token() // :
	r.pos++
}

func (r *jsonReader) scalar(c byte) {
	switch c {
	case '"':
		r.dst = append(r.dst, lib0.AnyString)
		r.dst = lib0.AppendVarBytes(r.dst, r.str())
	case 't':
		r.dst = append(r.dst, lib0.AnyTrue)
		r.pos += len("true")
	case 'f':
		r.dst = append(r.dst, lib0.AnyFalse)
		r.pos += len("false")
	case 'n':
		r.dst = append(r.dst, lib0.AnyNull)
		r.pos += len("null")
	default:
		r.number()
	}
}

// number appends a number.
func (r *jsonReader) number() {
	from := r.pos
	for r.pos < len(r.src) && isNumberByte(r.src[r.pos]) {
		r.pos++
	}
	// Out of range is ±Inf, in JavaScript as here.
	f, _ := strconv.ParseFloat(string(r.src[from:r.pos]), 64)
	r.dst = lib0.AppendAnyNumber(r.dst, f)
}

func isNumberByte(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// str consumes a string and returns it in UTF-8. Half of a surrogate pair, which
// only an escape can spell, becomes U+FFFD as when JavaScript writes it.
func (r *jsonReader) str() []byte {
	r.pos++
	from := r.pos
	for r.src[r.pos] != '"' && r.src[r.pos] != '\\' {
		r.pos++
	}
	if r.src[r.pos] == '"' {
		r.pos++
		return r.src[from : r.pos-1]
	}
	s := append([]byte(nil), r.src[from:r.pos]...)
	for {
		c := r.src[r.pos]
		r.pos++
		switch c {
		case '"':
			return s
		case '\\':
			s = r.escape(s)
		default:
			s = append(s, c)
		}
	}
}

func (r *jsonReader) escape(s []byte) []byte {
	c := r.src[r.pos]
	r.pos++
	switch c {
	case 'b':
		return append(s, '\b')
	case 'f':
		return append(s, '\f')
	case 'n':
		return append(s, '\n')
	case 'r':
		return append(s, '\r')
	case 't':
		return append(s, '\t')
	case 'u':
		return r.unicode(s)
	default:
		return append(s, c)
	}
}

func (r *jsonReader) unicode(s []byte) []byte {
	u := r.hex(r.pos)
	r.pos += 4
	if utf16.IsSurrogate(u) && r.src[r.pos] == '\\' && r.src[r.pos+1] == 'u' {
		if pair := utf16.DecodeRune(u, r.hex(r.pos+2)); pair != utf8.RuneError {
			r.pos += 6
			u = pair
		}
	}
	return utf8.AppendRune(s, u) // U+FFFD for a half
}

func (r *jsonReader) hex(at int) rune {
	n, _ := strconv.ParseUint(string(r.src[at:at+4]), 16, 16)
	return rune(n)
}
