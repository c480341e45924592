// Package transfer takes documents from ELVA's files into rooms and writes rooms
// as such files. Both ways nothing is taken away: what a room or a file has stays,
// and what it lacks is added. So either may be done again, after a failure or for
// what has come since.
//
//	DIR/<room>.y ─ elvafile ─► Import ─ what the room lacks ─► DocumentsService
//	DIR/<room>.y ◄─ elvafile ─ Export ◄─ what the file lacks ── DocumentsService
package transfer

import (
	"errors"
	"fmt"
	"io"

	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
)

// Place is where rooms are, and where to tell what became of them.
type Place struct {
	Documents roomsv1connect.DocumentsServiceClient
	// Storage lists the rooms, if Export isn't told which.
	Storage storagev1connect.StorageServiceClient
	// Out gets a line for each document, and the sum; Refused a line for each
	// that wasn't taken.
	Out, Refused io.Writer
}

// ErrSome means that some documents were refused, and the others taken.
var ErrSome = errors.New("not everything was taken")

// tally counts what became of documents, each once.
type tally struct {
	place                              *Place
	created, grown, same, empty, wrong int
}

// addf says what became of one, and counts it in n.
func (t *tally) addf(n *int, name, format string, values ...any) {
	*n++
	_, _ = fmt.Fprintf(t.place.Out, "%s: %s\n", name, fmt.Sprintf(format, values...))
}

func (t *tally) refuse(name string, err error) {
	t.wrong++
	_, _ = fmt.Fprintf(t.place.Refused, "%s: %v\n", name, err)
}

// end prints the sum, and fails if anything was refused.
func (t *tally) end(what string) error {
	_, _ = fmt.Fprintf(t.place.Out, "%d %s: %d new, %d that grew, %d as before, %d empty, %d refused\n",
		t.created+t.grown+t.same+t.empty+t.wrong, what, t.created, t.grown, t.same, t.empty, t.wrong)
	if t.wrong > 0 {
		return fmt.Errorf("%w: %d of the %s refused, see above", ErrSome, t.wrong, what)
	}
	return nil
}
