package yjs

// checkJSON reports whether JavaScript's JSON.parse accepts s, which must be
// UTF-8, and whether it nests no deeper than MaxDepth. It neither recurses nor
// allocates. encoding/json isn't used because its limit is 10 000 levels, which
// JSON.stringify in a browser may not survive.
func checkJSON(s []byte) fault {
	j := jsonText{s: s}
	return j.check()
}

// jsonText is JSON text that is being checked.
type jsonText struct {
	s       []byte
	i       int
	depth   int
	objects [MaxDepth + 1]bool // is the container at this depth an object?
}

func (j *jsonText) check() fault {
	for {
		j.space()
		if j.i == len(j.s) {
			return faultJSON
		}
		opened := false
		switch c := j.s[j.i]; c {
		case '{', '[':
			if j.depth == MaxDepth {
				return faultDepth
			}
			j.i++
			j.depth++
			j.objects[j.depth] = c == '{'
			opened = true
		default:
			if !j.scalar(c) {
				return faultJSON
			}
		}
		if done, ok := j.between(opened); !ok {
			return faultJSON
		} else if done {
			return noFault
		}
	}
}

// between consumes what stands between two values: closing brackets, a comma,
// the next key. opened says that a container has just begun. done means that the
// text ends here.
func (j *jsonText) between(opened bool) (done, ok bool) {
	for {
		j.space()
		if j.depth == 0 {
			return true, j.i == len(j.s)
		}
		if j.i == len(j.s) {
			return false, false
		}
		object := j.objects[j.depth]
		c := j.s[j.i]
		if (object && c == '}') || (!object && c == ']') {
			j.i++
			j.depth--
			opened = false
			continue
		}
		if !opened {
			if c != ',' {
				return false, false
			}
			j.i++
		}
		return false, !object || j.key()
	}
}

func (j *jsonText) key() bool {
	j.space()
	if j.i == len(j.s) || j.s[j.i] != '"' || !j.str() {
		return false
	}
	j.space()
	if j.i == len(j.s) || j.s[j.i] != ':' {
		return false
	}
	j.i++
	return true
}

func (j *jsonText) space() {
	for j.i < len(j.s) {
		switch j.s[j.i] {
		case ' ', '\t', '\n', '\r':
			j.i++
		default:
			return
		}
	}
}

func (j *jsonText) scalar(c byte) bool {
	switch c {
	case '"':
		return j.str()
	case 't':
		return j.word("true")
	case 'f':
		return j.word("false")
	case 'n':
		return j.word("null")
	default:
		return j.number()
	}
}

func (j *jsonText) word(w string) bool {
	if len(j.s)-j.i < len(w) || string(j.s[j.i:j.i+len(w)]) != w {
		return false
	}
	j.i += len(w)
	return true
}

func (j *jsonText) str() bool {
	for j.i++; j.i < len(j.s); j.i++ {
		switch c := j.s[j.i]; {
		case c == '"':
			j.i++
			return true
		case c < 0x20:
			return false
		case c == '\\':
			if j.i++; !j.escape() {
				return false
			}
		}
	}
	return false
}

// escape leaves j.i on the last byte of the escape.
func (j *jsonText) escape() bool {
	if j.i == len(j.s) {
		return false
	}
	switch j.s[j.i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		if len(j.s)-j.i < 5 {
			return false
		}
		for _, c := range j.s[j.i+1 : j.i+5] {
			if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
				return false
			}
		}
		j.i += 4
		return true
	default:
		return false
	}
}

func (j *jsonText) number() bool {
	if j.peek() == '-' {
		j.i++
	}
	if j.peek() == '0' {
		j.i++
	} else if !j.digits() {
		return false
	}
	if j.peek() == '.' {
		j.i++
		if !j.digits() {
			return false
		}
	}
	if c := j.peek(); c == 'e' || c == 'E' {
		j.i++
		if c := j.peek(); c == '+' || c == '-' {
			j.i++
		}
		return j.digits()
	}
	return true
}

func (j *jsonText) digits() bool {
	from := j.i
	for c := j.peek(); c >= '0' && c <= '9'; c = j.peek() {
		j.i++
	}
	return j.i > from
}

// peek returns the next byte, or 0 at the end: no number goes on with 0.
func (j *jsonText) peek() byte {
	if j.i == len(j.s) {
		return 0
	}
	return j.s[j.i]
}
