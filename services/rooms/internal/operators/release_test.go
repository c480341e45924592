package operators

import (
	"context"
	"errors"
	"testing"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/services/rooms/internal/journal"
)

// ward is a quarantine with one patient, and counts what is done to it.
type ward struct {
	Quarantine // panics over what isn't here

	patient            *journal.Patient
	rebuilt, discarded int
}

func (w *ward) Export(context.Context, string, string) (*journal.Patient, error) {
	return w.patient, nil
}

func (w *ward) Rebuild(context.Context, string, string, *journal.Patient) (uint64, error) {
	w.rebuilt++
	return 0, nil
}

func (w *ward) Discard(context.Context, string, string) error {
	w.discarded++
	return nil
}

// refuser is a rooms service that takes no update.
type refuser struct{}

func (refuser) ApplyUpdate(context.Context, *connect.Request[roomsv1.ApplyUpdateRequest]) (*connect.Response[roomsv1.ApplyUpdateResponse], error) {
	return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("refused, as the test says"))
}

// A log that is no room's, and is damaged, can't be made a room: to try would empty
// it before the room refuses what was in it.
func TestOnlyRoomsAreRestored(t *testing.T) {
	w := &ward{patient: &journal.Patient{Damaged: true}}
	request := &roomsv1.ReleaseRequest{Room: roomname.Revocations, Id: "1", Action: roomsv1.ReleaseAction_RELEASE_ACTION_RESTORE}
	_, err := NewHandler(nil, nil, w, refuser{}).Release(t.Context(), connect.NewRequest(request))
	if connect.CodeOf(err) != connect.CodeInvalidArgument || w.discarded+w.rebuilt != 0 {
		t.Errorf("%v, and %d were discarded and %d rebuilt; want invalid_argument and none", err, w.discarded, w.rebuilt)
	}
}
