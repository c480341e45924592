package registry_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/registry"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

// brittle is a journal in whose hands the room "doc" breaks.
type brittle struct {
	heldJournal
	open bool // break while loading, else while appending
}

func (j *brittle) Open(ctx context.Context, name string) (*room.Load, error) {
	if j.open && name == "doc" {
		panic("a record that nobody thought of")
	}
	return j.heldJournal.Open(ctx, name)
}

func (j *brittle) Append(name string, _ room.Append, done func(error)) {
	if name == "doc" {
		panic("an update that nobody thought of")
	}
	done(nil)
}

func brittleRegistry(j registry.Journal) (*registry.Registry, *bytes.Buffer, *prometheus.Registry) {
	var logged bytes.Buffer
	metrics := prometheus.NewRegistry()
	config := testConfig(room.Durable)
	config.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	config.Metrics = metrics
	return registry.New(config, j), &logged, metrics
}

// value returns what a metric without labels says, or with one label in use.
func value(t *testing.T, metrics *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			m := family.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	t.Errorf("no metric %s", name)
	return 0
}

func say(a *registry.Attachment) {
	session := room.SessionID{Number: 1}
	a.Post(room.Event{Kind: room.Join, Session: session, Grants: writer})
	a.Post(room.Event{Kind: room.Update, Session: session, Data: letter, Ticket: 1})
}

func wantDetached(t *testing.T, f *roomsv1.RoomFrame, reason roomsv1.DetachReason) {
	t.Helper()
	if f.GetDetached().GetReason() != reason {
		t.Errorf("got %v, want Detached %v", f, reason)
	}
}

// Promise 3: what makes one room panic ends that room. Its sessions are told to
// come back and find what was stored; nothing else was acknowledged.
func TestPanicEndsItsRoomOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const broken = roomsv1.DetachReason_DETACH_REASON_BROKEN
		j := &brittle{}
		r, logged, metrics := brittleRegistry(j)
		other, quiet := attach(t, r, "other")
		<-quiet
		a, frames := attach(t, r, "doc")
		_, friends := attach(t, r, "doc")
		<-frames
		<-friends
		say(a)
		synctest.Wait()
		wantDetached(t, <-frames, broken)
		wantDetached(t, <-friends, broken)
		if len(frames) > 0 {
			t.Errorf("got %v after Detached", <-frames)
		}

		// Clients that say it again at once don't make the room break at once: it
		// stays away for a second, then for two.
		for _, away := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			_, frames = attach(t, r, "doc")
			wantDetached(t, <-frames, broken)
			time.Sleep(away - 100*time.Millisecond)
			_, frames = attach(t, r, "doc")
			wantDetached(t, <-frames, broken)
			time.Sleep(200 * time.Millisecond)
			a, frames = attach(t, r, "doc")
			if f := <-frames; f.GetAttached() == nil {
				t.Fatalf("got %v after %v, want the room again", f, away)
			}
			say(a)
			wantDetached(t, <-frames, broken)
		}
		time.Sleep(11 * time.Minute)
		a, frames = attach(t, r, "doc")
		<-frames
		say(a)
		wantDetached(t, <-frames, broken)
		time.Sleep(1100 * time.Millisecond)
		_, frames = attach(t, r, "doc")
		if f := <-frames; f.GetAttached() == nil {
			t.Errorf("got %v, want a room that was well for long to be away for a second", f)
		}

		say(other)
		if f := <-quiet; f.GetBroadcast() == nil {
			t.Errorf("the other room says %v, want the update", f)
		}
		for _, want := range []string{"an update that nobody thought of", "room=doc", "broken_test.go"} {
			if !strings.Contains(logged.String(), want) {
				t.Errorf("the log lacks %q", want)
			}
		}
		if got := value(t, metrics, "fjord_rooms_panics_total"); got != 5 {
			t.Errorf("%v panics counted, want 5", got)
		}
		drain(t, r)
	})
}

// An update that makes the engine panic costs its sender the session and nobody
// anything else: it goes into quarantine, and the others find the room again.
func TestPanicIsolatesItsUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &heldJournal{appends: make(chan func(error), 10)}
		config := testConfig(room.Durable)
		poison := []byte("poison")
		config.Room.Apply = func(d *yjs.Document, update []byte) error {
			if bytes.Equal(update, poison) {
				panic("index out of range")
			}
			return d.ApplyUpdate(update)
		}
		r := registry.New(config, j)
		defer drain(t, r)
		for range 3 { // it is away for a second each time, never for longer
			a, frames := attach(t, r, "doc")
			_, friends := attach(t, r, "doc")
			if f := <-frames; f.GetAttached() == nil {
				t.Fatalf("got %v, want the room", f)
			}
			<-friends
			session := room.SessionID{Number: 5}
			a.Post(room.Event{Kind: room.Join, Session: session, Grants: writer})
			a.Post(room.Event{Kind: room.Update, Session: session, Data: poison, Ticket: 1})
			if f := <-frames; f.GetSession() != 5 || f.GetEnded().GetRefusal() != roomsv1.Refusal_REFUSAL_MALFORMED {
				t.Errorf("the sender got %v, want Ended", f)
			}
			wantDetached(t, <-frames, roomsv1.DetachReason_DETACH_REASON_BROKEN)
			wantDetached(t, <-friends, roomsv1.DetachReason_DETACH_REASON_BROKEN)
			time.Sleep(1100 * time.Millisecond)
		}
		if len(j.suspects) != 3 {
			t.Fatalf("%d updates went into quarantine, want 3", len(j.suspects))
		}
		s := j.suspects[0]
		if !bytes.Equal(s.Update, poison) || !strings.Contains(s.Reason, "index out of range") || !strings.Contains(s.Who, "session 5") {
			t.Errorf("in quarantine: %+v", s)
		}
	})
}

// Operators who ask for a room that breaks in the same moment, or is broken, are
// answered.
func TestBrokenRoomAnswersOperators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := brittleRegistry(&brittle{})
		a, _ := attach(t, r, "doc")
		say(a)
		for range 2 {
			seen := 0
			err := r.Inspect(t.Context(), "", "", func(string, room.Status) bool { seen++; return true })
			if err != nil || seen != 1 {
				t.Errorf("%d rooms (%v), want the broken one", seen, err)
			}
		}
		drain(t, r)
	})
}

func TestPanicWhileLoadingFailsTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := brittleRegistry(&brittle{open: true})
		_, frames := attach(t, r, "doc")
		wantDetached(t, <-frames, roomsv1.DetachReason_DETACH_REASON_LOAD_FAILED)
		_, frames = attach(t, r, "other")
		if f := <-frames; f.GetAttached() == nil {
			t.Errorf("got %v, want another room to open", f)
		}
		drain(t, r)
	})
}

// narrow is a sink that is crowded at first.
type narrow struct {
	inbox
	first    *sync.Once
	relieved chan func()
}

func (n narrow) Crowded(relieved func()) (crowded bool) {
	n.first.Do(func() {
		n.relieved <- relieved
		crowded = true
	})
	return crowded
}

// Who resumes on a crowded link is let in when the link can take the document.
func TestCrowdedLinkIsSparedAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := brittleRegistry(&brittle{})
		n := narrow{make(inbox, 10), new(sync.Once), make(chan func(), 1)}
		seen := uint64(7)
		if _, err := r.Attach(t.Context(), "other", &seen, n); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(n.inbox) > 0 {
			t.Fatalf("got %v, want nothing yet", <-n.inbox)
		}
		(<-n.relieved)()
		synctest.Wait()
		if f := <-n.inbox; f.GetAttached() == nil {
			t.Errorf("got %v, want Attached", f)
		}
		if f := <-n.inbox; f.GetBroadcast() == nil {
			t.Errorf("got %v, want what was missed", f)
		}
		drain(t, r)
	})
}
