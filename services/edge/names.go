package edge

import (
	"net/http"

	"github.com/fjord-sync/fjord/internal/roomname"
)

// RoomNames is a rule for the names of rooms. A room's name is the URL's path
// after its first slash, percent-decoded; it may contain slashes.
type RoomNames uint8

const (
	// AnyName is roomname.Default: 1 to 255 bytes of UTF-8 without control
	// characters. Other names are refused with 400.
	AnyName RoomNames = iota
	// ELVANames is roomname.ELVA: 10 to 250 letters, digits, - and _. Other
	// names are refused with 403, as ELVA's server does.
	ELVANames
)

// check returns nil if name follows the rule, or else the HTTP status that
// refuses it and the rule in words.
func (r RoomNames) check(name string) (status int, err error) {
	if r == ELVANames {
		return http.StatusForbidden, roomname.ELVA(name)
	}
	return http.StatusBadRequest, roomname.Default(name)
}
