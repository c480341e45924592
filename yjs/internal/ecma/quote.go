package ecma

import (
	"strings"
	"unicode/utf8"
)

// WellFormed puts U+FFFD where s isn't UTF-8, which JavaScript's decoder throws on.
func WellFormed(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// AppendQuoted appends UTF-8 text in quotes, as JSON.stringify writes it (25.5.2.3).
func AppendQuoted[S ~string | ~[]byte](dst []byte, s S) []byte {
	const short = "btn\x00fr" // from 8 on; there is none for 11
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		case c >= '\b' && c <= '\r' && c != '\v':
			dst = append(dst, '\\', short[c-'\b'])
		default:
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, '"')
}
