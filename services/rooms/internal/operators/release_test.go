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

// TestOnlyRoomsAreRestored: no document takes the place of a damaged log that is no
// room's.
func TestOnlyRoomsAreRestored(t *testing.T) {
	w := &ward{patient: &journal.Patient{Damaged: true}}
	request := &roomsv1.ReleaseRequest{Room: roomname.Revocations, Id: "1", Action: roomsv1.ReleaseAction_RELEASE_ACTION_RESTORE}
	_, err := NewHandler(nil, nil, w, refuser{}).Release(t.Context(), connect.NewRequest(request))
	if connect.CodeOf(err) != connect.CodeInvalidArgument || w.discarded+w.rebuilt != 0 {
		t.Errorf("%v, and %d were discarded and %d rebuilt; want invalid_argument and none", err, w.discarded, w.rebuilt)
	}
}

// deafWard is a ward whose Export says that it was reached, and then nothing more.
type deafWard struct {
	*ward
	reached chan struct{}
}

func (w deafWard) Export(ctx context.Context, _, _ string) (*journal.Patient, error) {
	w.reached <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestOneRestoreAtATime: who comes while storage keeps a Release waiting may wait as
// long as it likes, and has its turn when the first caller has gone.
func TestOneRestoreAtATime(t *testing.T) {
	w := &ward{patient: &journal.Patient{Damaged: true}}
	deaf := deafWard{w, make(chan struct{})}
	h := NewHandler(nil, nil, deaf, refuser{})
	restore := func(ctx context.Context) error {
		_, err := h.Release(ctx, connect.NewRequest(&roomsv1.ReleaseRequest{Room: "a", Id: "1", Action: roomsv1.ReleaseAction_RELEASE_ACTION_RESTORE}))
		return err
	}
	first, goFirst := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- restore(first) }()
	<-deaf.reached
	impatient, leave := context.WithCancel(t.Context())
	leave()
	if err := restore(impatient); connect.CodeOf(err) != connect.CodeDeadlineExceeded {
		t.Errorf("while another is under way: %v, want deadline_exceeded", err)
	}
	goFirst()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the first, whose caller went: %v, want canceled", err)
	}
	h.quarantine = w
	if err := restore(t.Context()); err != nil || w.rebuilt != 1 {
		t.Errorf("the next: %v, rebuilt %d times", err, w.rebuilt)
	}
}
