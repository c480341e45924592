package registry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/services/rooms/internal/registry"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// heldJournal lets the test decide when storage answers, and what.
type heldJournal struct {
	mu      sync.Mutex
	opens   int
	openErr error
	gate    chan struct{} // a load waits for it, if it isn't nil
	appends chan func(error)

	checked  []room.Holding
	lapses   []room.Lapse
	suspects []room.Suspect
}

func (j *heldJournal) Open(ctx context.Context, _ string) (*room.Load, error) {
	j.mu.Lock()
	j.opens++
	err, gate := j.openErr, j.gate
	epoch := uint64(j.opens)
	j.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	return &room.Load{Document: yjs.NewDocument(), Epoch: epoch}, nil
}

func (j *heldJournal) Append(_ string, _ room.Append, done func(error)) { j.appends <- done }

func (j *heldJournal) PutSnapshot(_ string, _ room.Snapshot, _ func(*yjs.Document), done func(error)) {
	done(nil)
}

func (j *heldJournal) Quarantine(_ string, s room.Suspect) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.suspects = append(j.suspects, s)
}

func (j *heldJournal) Check(_ context.Context, holdings []room.Holding) ([]room.Lapse, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.checked = holdings
	return j.lapses, nil
}

func (j *heldJournal) opened() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.opens
}

type inbox chan *roomsv1.RoomFrame

func (i inbox) Deliver(f *roomsv1.RoomFrame) { i <- f }

func (i inbox) Crowded(func()) bool { return false }

func newRegistry(j registry.Journal, kind room.Kind) *registry.Registry {
	return registry.New(testConfig(kind), j)
}

func testConfig(kind room.Kind) registry.Config {
	return registry.Config{
		Room: room.Config{
			Kind: kind, MaxUnsavedBytes: 1 << 20, MaxHeldBytes: 1 << 20, MaxAnswerBytes: 1 << 20, MaxUpdateBytes: 1 << 20, MaxDocumentBytes: 1 << 20, MaxPendingBytes: 1 << 20, MaxSessions: 100, MaxPresent: 10, MaxPresentOfOne: 10, MaxStateBytes: 100,
			SnapshotRecords: 1000, SnapshotBytes: 1 << 20,
		},
		IdleAfter:     time.Minute,
		KeepVolatile:  time.Hour,
		MaxRooms:      20,
		MaxInboxBytes: 4 << 10,
		CheckEvery:    2 * time.Second,
		MaxMemory:     1 << 30,
		Logger:        slog.New(slog.DiscardHandler),
		Metrics:       prometheus.NewRegistry(),
	}
}

func attach(t *testing.T, r *registry.Registry, name string) (*registry.Attachment, inbox) {
	t.Helper()
	frames := make(inbox, 100)
	a, err := r.Attach(t.Context(), name, nil, frames)
	if err != nil {
		t.Fatal(err)
	}
	return a, frames
}

func drain(t *testing.T, r *registry.Registry) {
	t.Helper()
	if err := r.Drain(t.Context()); err != nil {
		t.Errorf("drain: %v", err)
	}
}

var letter = []byte{1, 1, 7, 0, 4, 1, 1, 't', 1, 'a', 0} // client 7 types "a"

func TestManyJoinersLoadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &heldJournal{gate: make(chan struct{})}
		r := newRegistry(j, room.Durable)
		var all []inbox
		for range 50 {
			_, frames := attach(t, r, "doc")
			all = append(all, frames)
		}
		synctest.Wait()
		close(j.gate)
		for _, frames := range all {
			if f := <-frames; f.GetAttached().GetEpoch() != 1 {
				t.Fatalf("got %v, want Attached with epoch 1", f)
			}
		}
		if j.opened() != 1 {
			t.Errorf("%d loads, want one for all", j.opened())
		}
		drain(t, r)
	})
}

// Who comes back at once after a failed load is turned away: a crowd of clients
// must not have a damaged room loaded over and over.
func TestFailedLoadIsToldAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &heldJournal{openErr: errors.New("bits have rotted")}
		r := newRegistry(j, room.Durable)
		for range 5 {
			_, frames := attach(t, r, "doc")
			if f := <-frames; f.GetDetached().GetReason() != roomsv1.DetachReason_DETACH_REASON_LOAD_FAILED {
				t.Fatalf("got %v, want Detached LOAD_FAILED", f)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if j.opened() != 1 {
			t.Errorf("%d loads in half a second, want one", j.opened())
		}
		j.mu.Lock()
		j.openErr = nil
		j.mu.Unlock()
		time.Sleep(time.Second)
		if r.Len() != 0 {
			t.Fatalf("%d rooms are open, want none after a failed load", r.Len())
		}
		_, frames := attach(t, r, "doc")
		if f := <-frames; f.GetAttached() == nil {
			t.Fatalf("got %v, want Attached once the load works", f)
		}
		drain(t, r)
	})
}

func TestIdleRoomClosesOnlyWhenAllIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &heldJournal{appends: make(chan func(error), 1)}
		r := newRegistry(j, room.Durable)
		a, frames := attach(t, r, "doc")
		<-frames
		a.Post(room.Event{Kind: room.Join, Session: room.SessionID{Number: 1}, Grants: writer})
		a.Post(room.Event{Kind: room.Update, Session: room.SessionID{Number: 1}, Data: letter})
		done := <-j.appends
		a.Detach()
		time.Sleep(time.Hour)
		if r.Len() != 1 {
			t.Fatal("the room closed with an update that isn't stored")
		}
		done(nil)
		time.Sleep(59 * time.Second)
		if r.Len() != 1 {
			t.Error("the room closed before it was idle for a minute")
		}
		time.Sleep(2 * time.Second)
		if r.Len() != 0 {
			t.Error("the room is still open after a minute without anybody")
		}
		drain(t, r)
	})
}

// Anybody can think of names: a room that holds nothing doesn't stay for long, and
// no more than so many are open.
func TestRoomsThatHoldNothing(t *testing.T) {
	for _, kind := range []room.Kind{room.Durable, room.Volatile, room.Relay} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRegistry(&heldJournal{}, kind)
				for i := range 20 {
					a, frames := attach(t, r, fmt.Sprint("room ", i))
					<-frames
					a.Detach()
				}
				if _, err := r.Attach(t.Context(), "one more", nil, make(inbox, 1)); !errors.Is(err, registry.ErrFull) {
					t.Errorf("%v, want ErrFull", err)
				}
				if _, frames := attach(t, r, "room 7"); len(frames) > 1 {
					t.Error("an open room took nobody else")
				}
				time.Sleep(6 * time.Second)
				if r.Len() != 1 {
					t.Errorf("%d rooms are open, want the one that is in use", r.Len())
				}
				drain(t, r)
			})
		})
	}
}

func TestVolatileDocumentIsKeptForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegistry(&heldJournal{}, room.Volatile)
		a, _ := attach(t, r, "doc")
		say(a)
		a.Detach()
		time.Sleep(59 * time.Minute)
		if r.Len() != 1 {
			t.Error("it is gone before its hour")
		}
		time.Sleep(2 * time.Minute)
		if r.Len() != 0 {
			t.Error("it is still there after an hour")
		}
		drain(t, r)
	})
}

func TestDrainWaitsForStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &heldJournal{appends: make(chan func(error), 1)}
		r := newRegistry(j, room.Durable)
		a, frames := attach(t, r, "doc")
		<-frames
		a.Post(room.Event{Kind: room.Join, Session: room.SessionID{Number: 1}, Grants: writer})
		a.Post(room.Event{Kind: room.Update, Session: room.SessionID{Number: 1}, Data: letter})
		done := <-j.appends
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Drain(ctx); err == nil {
			t.Fatal("drained although an update isn't stored")
		}
		if f := <-frames; f.GetDetached().GetReason() != roomsv1.DetachReason_DETACH_REASON_DRAINING {
			t.Errorf("got %v, want Detached DRAINING", f)
		}
		if _, err := r.Attach(t.Context(), "other", nil, frames); !errors.Is(err, registry.ErrClosed) {
			t.Errorf("attach while draining: %v, want ErrClosed", err)
		}
		done(nil)
		drain(t, r)
	})
}

// What an attachment said before its room's inbox was full still counts, and its
// end comes behind that: after Detached nothing follows.
func TestStuffedInboxPutsOffItsAttachmentOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegistry(&heldJournal{}, room.Volatile)
		a, frames := attach(t, r, "doc")
		_, others := attach(t, r, "doc")
		<-frames
		<-others
		// A sink that takes nothing holds the loop, as no real sink may.
		stuck := make(inbox)
		if _, err := r.Attach(t.Context(), "doc", nil, stuck); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		a.Post(room.Event{Kind: room.Join, Session: room.SessionID{Number: 1}, Grants: writer})
		for range 100 {
			a.Post(room.Event{Kind: room.RelayData, Session: room.SessionID{Number: 1}, Data: make([]byte, 100)})
		}
		if len(frames) > 0 {
			t.Errorf("got %v, want nothing ahead of what waits", <-frames)
		}
		go func() {
			for range stuck {
			}
		}()
		synctest.Wait()
		relayed := 0
		for len(frames) > 1 {
			if f := <-frames; f.GetRelayed() == nil {
				t.Errorf("got %v, want what was said before", f)
			}
			relayed++
		}
		if f := <-frames; f.GetDetached().GetReason() != roomsv1.DetachReason_DETACH_REASON_OVERLOADED {
			t.Errorf("got %v, want Detached OVERLOADED, the last frame", f)
		}
		if relayed == 0 || relayed == 100 || len(others) != relayed {
			t.Errorf("%d relayed, %d to others; want as many, but not all", relayed, len(others))
		}
		drain(t, r)
		close(stuck)
	})
}

func TestBadNameIsRefused(t *testing.T) {
	r := newRegistry(&heldJournal{}, room.Volatile)
	if _, err := r.Attach(t.Context(), "a\x00b", nil, make(inbox, 1)); !errors.Is(err, roomname.ErrInvalid) {
		t.Errorf("%v, want an invalid name", err)
	}
	drain(t, r)
}

// Attaching and leaving from all sides at once must neither lose an attachment
// nor open a room twice.
func TestAttachRacesWithClosing(t *testing.T) {
	j := &heldJournal{}
	r := newRegistry(j, room.Relay)
	var visitors sync.WaitGroup
	for range 8 {
		visitors.Go(func() {
			for range 200 {
				frames := make(inbox, 100)
				a, err := r.Attach(t.Context(), "doc", nil, frames)
				if err != nil {
					t.Error(err)
					return
				}
				if f := <-frames; f.GetAttached() == nil {
					t.Errorf("got %v, want Attached", f)
				}
				a.Detach()
			}
		})
	}
	visitors.Wait()
	drain(t, r)
}

// writer may do what most sessions may.
var writer = &room.Grants{Level: room.Write, Presence: true, Create: true}
