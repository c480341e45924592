package registry_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/registry"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// A room that nobody writes to is let go of too, soon after another process took it
// or its document was deleted; the others stay.
func TestLostRoomIsLetGo(t *testing.T) {
	for name, c := range map[string]struct {
		deleted bool
		reason  roomsv1.DetachReason
	}{
		"fenced":  {false, roomsv1.DetachReason_DETACH_REASON_FENCED},
		"deleted": {true, roomsv1.DetachReason_DETACH_REASON_DELETED},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := &heldJournal{}
				r := newRegistry(j, room.Durable)
				defer drain(t, r)
				_, frames := attach(t, r, "doc")
				_, others := attach(t, r, "other")
				<-frames
				<-others
				time.Sleep(5 * time.Second)
				j.mu.Lock()
				if len(j.checked) != 2 || j.checked[0].Epoch == 0 {
					t.Errorf("storage was asked about %+v, want both rooms", j.checked)
				}
				j.lapses = []room.Lapse{{Room: "doc", Deleted: c.deleted, Err: errors.New("as the test says")}}
				j.mu.Unlock()
				time.Sleep(3500 * time.Millisecond)
				wantDetached(t, <-frames, c.reason)
				if len(others) > 0 {
					t.Errorf("the other room says %v", <-others)
				}
				j.mu.Lock()
				if len(j.checked) != 1 {
					t.Errorf("storage is asked about %+v, want the other room only", j.checked)
				}
				j.lapses = nil
				j.mu.Unlock()
			})
		})
	}
}

// A room that has its name from one that was lost isn't asked about in its place.
func TestVolatileRoomsAskNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegistry(nil, room.Volatile)
		defer drain(t, r)
		_, frames := attach(t, r, "doc")
		<-frames
		time.Sleep(time.Minute)
		if len(frames) > 0 {
			t.Errorf("got %v", <-frames)
		}
	})
}

var _ registry.Journal = (*heldJournal)(nil)
