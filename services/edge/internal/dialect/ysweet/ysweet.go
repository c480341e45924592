// Package ysweet speaks the dialect of the npm package @y-sweet/client: that of
// y-websocket, and one message more.
//
//	66 varBytes(anything)   the client asks whether all before it is saved; the
//	                        same frame says yes
//
// Clients give up 3 s after an unanswered one. Their URLs have the form
// /d/<document>/ws/<document>?token=….
//
// Source: https://github.com/jamsocket/y-sweet, js-pkg/client/src/provider.ts.
package ysweet

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/ywebsocket"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// Dialect is the y-sweet dialect. Its zero value is ready.
type Dialect struct{ ywebsocket.Dialect }

var _ dialect.Dialect = Dialect{}

// messageSyncStatus is the first byte of what y-websocket doesn't have.
const messageSyncStatus = 102

var errEmpty = errors.New("empty frame: want at least one message")

// Name returns "y-sweet".
func (Dialect) Name() string { return "y-sweet" }

// Opens reports false: clients open as y-websocket does.
func (Dialect) Opens([]byte) bool { return false }

// Room returns the document of a path of the form d/<document>/ws/<document>.
func (Dialect) Room(path string) (room string, ok bool) {
	rest, ok := strings.CutPrefix(path, "d/")
	if !ok {
		return "", false
	}
	// A document's name may hold slashes, and "/ws/": the two must be equal.
	half := (len(rest) - len("/ws/")) / 2
	if half < 1 || rest != rest[:half]+"/ws/"+rest[:half] {
		return "", false
	}
	return rest[:half], true
}

// Decode reads a frame to its last byte. See dialect.Dialect.
func (Dialect) Decode(dst []dialect.Message, frame []byte) ([]dialect.Message, error) {
	if len(frame) == 0 {
		return dst, errEmpty
	}
	out, rest := dst, frame
	for len(rest) > 0 {
		var m dialect.Message
		var err error
		if rest[0] == messageSyncStatus {
			m.Kind = dialect.Barrier
			if m.Body, rest, err = lib0.VarBytes(rest[1:]); err != nil {
				err = fmt.Errorf("sync status: %w", err)
			}
		} else {
			m, rest, err = ywebsocket.Message(rest)
		}
		if err != nil {
			return dst, err
		}
		out = append(out, m)
	}
	return out, nil
}

// Append appends the frame that says m. See dialect.Dialect.
func (d Dialect) Append(dst []byte, m dialect.Message) []byte {
	if m.Kind == dialect.Barrier {
		return lib0.AppendVarBytes(append(dst, messageSyncStatus), m.Body)
	}
	return d.Dialect.Append(dst, m)
}
