package auth

import (
	"fmt"
	"log/slog"
)

// Token is a secret that somebody sent. It prints, logs and marshals as
// "[secret]", also inside other values: the string is behind a pointer, since
// package fmt looks into unexported fields without asking for their methods.
// The zero Token is none.
type Token struct{ secret *string }

// Secret returns s as a Token, "" as none.
func Secret(s string) Token {
	if s == "" {
		return Token{}
	}
	return Token{&s}
}

// Reveal returns what was sent, "" if nothing was. The result must go to nobody
// but who has to check it.
func (t Token) Reveal() string {
	if t.secret == nil {
		return ""
	}
	return *t.secret
}

// Empty reports whether nothing was sent.
func (t Token) Empty() bool { return t.secret == nil }

// hidden is what a Token prints as.
const hidden = "[secret]"

// String hides the token.
func (t Token) String() string {
	if t.Empty() {
		return ""
	}
	return hidden
}

// Format hides the token from every verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(t.String())) }

// LogValue hides the token from logs.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText hides the token from encoders.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
