package roomname_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/internal/roomname"
)

func TestRules(t *testing.T) {
	for _, test := range []struct {
		name    string
		rule    roomname.Rule
		room    string
		allowed bool
	}{
		{"one byte", roomname.Default, "a", true},
		{"slashes and blanks", roomname.Default, "team a/notes/2026", true},
		{"any script", roomname.Default, "fjörd-峡湾-🏔", true},
		{"longest", roomname.Default, strings.Repeat("x", 255), true},
		{"empty", roomname.Default, "", false},
		{"too long", roomname.Default, strings.Repeat("x", 256), false},
		{"too long in bytes only", roomname.Default, strings.Repeat("ö", 128), false},
		{"not UTF-8", roomname.Default, "a\xff", false},
		{"C0", roomname.Default, "a\nb", false},
		{"DEL", roomname.Default, "a\x7f", false},
		{"C1", roomname.Default, "a\u0085", false},
		{"elva", roomname.ELVA, "abcDEF-_01", true},
		{"elva short", roomname.ELVA, "abcDEF-_0", false},
		{"elva slash", roomname.ELVA, "abcDEF-_01/x", false},
		{"elva newline", roomname.ELVA, "abcDEF-_01\n", false},
		{"elva long", roomname.ELVA, strings.Repeat("x", 251), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.rule(test.room)
			if (err == nil) != test.allowed {
				t.Errorf("%q: %v, want allowed = %t", test.room, err, test.allowed)
			}
			if err != nil && !errors.Is(err, roomname.ErrInvalid) {
				t.Errorf("%v doesn't wrap ErrInvalid", err)
			}
		})
	}
}

// What rooms keeps beside documents can be nobody's room.
func TestInternalNamesAreNoRooms(t *testing.T) {
	if !roomname.Internal(roomname.Revocations) || roomname.Internal("revocations") {
		t.Error("which names are internal?")
	}
	for _, rule := range []roomname.Rule{roomname.Default, roomname.ELVA} {
		if rule(roomname.Revocations) == nil {
			t.Errorf("%q is taken for a room", roomname.Revocations)
		}
	}
}
