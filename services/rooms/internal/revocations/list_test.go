package revocations_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/types/known/timestamppb"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/revocation"
	"github.com/fjord-sync/fjord/services/rooms/internal/revocations"
)

func revoke(t *testing.T, l *revocations.List, subject string) {
	t.Helper()
	if _, err := l.Revoke(t.Context(), &roomsv1.Revocation{Subject: subject}); err != nil {
		t.Fatal(err)
	}
}

func wantRevoked(t *testing.T, l *revocations.List, want bool, subjects ...string) {
	t.Helper()
	for _, subject := range subjects {
		if got := l.Find("doc", subject, "") == revocation.Access; got != want {
			t.Errorf("%s is revoked: %t, want %t", subject, got, want)
		}
	}
}

// A process that begins anew knows what was revoked, whatever the log has gone
// through; what has ended by itself, it forgets.
func TestRevocationsSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		storage := serveShelf(t, s)
		l, end := open(t, storage)
		<-l.Loaded()
		for i := range 300 { // the log is compacted on the way
			revoke(t, l, fmt.Sprint(i))
		}
		if s.base == 0 {
			t.Error("the log was never compacted")
		}
		for i := range 50 {
			if existed, err := l.Restore(t.Context(), revocation.Key{Subject: fmt.Sprint(i)}); err != nil || !existed {
				t.Fatal(existed, err)
			}
		}
		_, err := l.Revoke(t.Context(), &roomsv1.Revocation{Subject: "soon", Until: timestamppb.New(time.Now().Add(10 * time.Second))})
		if err != nil {
			t.Fatal(err)
		}
		end()
		l, end = open(t, storage)
		<-l.Loaded()
		wantRevoked(t, l, true, "50", "299", "soon")
		wantRevoked(t, l, false, "0", "49", "300")
		end()
		time.Sleep(10 * time.Second)
		l, _ = open(t, storage)
		<-l.Loaded()
		wantRevoked(t, l, false, "soon")
		if page, _ := l.Page(revocation.Key{}, revocation.Key{}, 1000); len(page) != 250 {
			t.Errorf("%d are left, want 250", len(page))
		}
	})
}

// Two processes that revoke at the same time lose nothing, and hear of one another
// within a second.
func TestProcessesShareWhatIsRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		storage := serveShelf(t, s)
		one, _ := open(t, storage)
		two, _ := open(t, storage)
		<-one.Loaded()
		<-two.Loaded()
		watch := two.Watch()
		defer watch.Close()
		if first := watch.Take(); !first.GetAll() || len(first.GetRevoked()) != 0 {
			t.Errorf("%v", first)
		}
		s.set(func() { s.meanwhile = func() { revoke(t, two, "meanwhile") } })
		revoke(t, one, "ann")
		wantRevoked(t, one, true, "ann", "meanwhile")
		start := time.Now()
		for two.Find("doc", "ann", "") != revocation.Access {
			<-watch.C
			watch.Take()
		}
		if took := time.Since(start); took > 600*time.Millisecond {
			t.Errorf("the other process knew after %s", took)
		}
	})
}

// A List that rests asks nobody by itself, and revokes when it is told to.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		storage := serveShelf(t, s)
		resting, _ := open(t, storage)
		other, _ := open(t, storage)
		<-resting.Loaded()
		<-other.Loaded()
		resting.Rest()
		revoke(t, other, "ann")
		time.Sleep(10 * time.Second)
		wantRevoked(t, resting, false, "ann")
		revoke(t, resting, "bob")
		wantRevoked(t, resting, true, "ann", "bob")
	})
}

// A change that storage doesn't confirm is an error, and holds if it was stored.
func TestStorageIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{away: true}
		storage := serveShelf(t, s)
		l, _ := open(t, storage)
		time.Sleep(10 * time.Second)
		if l.Ready() == nil {
			t.Error("ready, though nobody knows what is revoked")
		}
		select {
		case <-l.Loaded():
			t.Error("loaded from nowhere")
		default:
		}
		s.set(func() { s.away = false })
		<-l.Loaded()
		if err := l.Ready(); err != nil {
			t.Error(err)
		}
		s.set(func() { s.away = true })
		if _, err := l.Revoke(t.Context(), &roomsv1.Revocation{Subject: "ann"}); !errors.Is(err, revocations.ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
		wantRevoked(t, l, false, "ann")
		s.set(func() { s.away, s.lossy = false, true })
		if _, err := l.Revoke(t.Context(), &roomsv1.Revocation{Subject: "bob"}); !errors.Is(err, revocations.ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
		time.Sleep(time.Second)
		wantRevoked(t, l, true, "bob")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.Revoke(ctx, &roomsv1.Revocation{Subject: "cy"}); !errors.Is(err, revocations.ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
	})
}

// An outage of storage is told once when it begins and once when it is over, and
// apart from bytes that can't be used.
func TestOutagesAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		var log strings.Builder
		l := revocations.New(revocations.Config{
			Storage: serveShelf(t, s), Max: 1, Changed: func(string) {}, Metrics: prometheus.NewRegistry(),
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		defer l.Close()
		told := func(what string, want ...string) {
			t.Helper()
			time.Sleep(time.Minute)
			synctest.Wait()
			var levels []string
			for line := range strings.Lines(log.String()) {
				_, rest, _ := strings.Cut(line, " level=")
				level, _, _ := strings.Cut(rest, " ")
				levels = append(levels, level)
			}
			if !slices.Equal(levels, want) {
				t.Errorf("%s: %v, want %v\n%s", what, levels, want, log.String())
			}
			log.Reset()
		}
		told("at first")
		s.set(func() { s.away = true })
		told("away", "WARN")
		s.set(func() { s.away = false })
		told("back", "INFO")
		s.set(func() { s.away = true })
		told("away once more", "WARN")
		s.set(func() { s.away, s.records = false, [][]byte{{2}} })
		told("back, and damaged", "ERROR")
		s.set(func() { s.records = nil })
		told("mended", "INFO")
	})
}

// A log that can't be understood lets nobody in.
func TestDamagedLog(t *testing.T) {
	for name, s := range map[string]*shelf{
		"empty record":       {records: [][]byte{{}}},
		"unknown version":    {records: [][]byte{{2}}},
		"no message":         {records: [][]byte{{1, 0xff}}},
		"unknown snapshot":   {base: 1, snapshot: []byte{9}},
		"snapshot of nobody": {base: 1, snapshot: []byte{1, 0xff}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, _ := open(t, serveShelf(t, s))
				time.Sleep(10 * time.Second)
				if l.Ready() == nil {
					t.Error("ready")
				}
			})
		})
	}
}

// Whoever doesn't listen for long is told all of it.
func TestWatch(t *testing.T) {
	l, _ := open(t, nil)
	w := l.Watch()
	defer w.Close()
	if all := w.Take(); !all.GetAll() || w.Take() != nil {
		t.Errorf("%v", all)
	}
	revoke(t, l, "a")
	if c := w.Take(); c.GetAll() || len(c.GetRevoked()) != 1 {
		t.Errorf("%v", c)
	}
	revoke(t, l, "b")
	if _, err := l.Restore(t.Context(), revocation.Key{Subject: "a"}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Restore(t.Context(), revocation.Key{Subject: "b"}); err != nil {
		t.Fatal(err)
	}
	revoke(t, l, "b")
	if c := w.Take(); c.GetAll() || len(c.GetRevoked()) != 1 || len(c.GetRestored()) != 1 {
		t.Errorf("%v", c)
	}
	for range 1001 {
		revoke(t, l, "c")
	}
	if c := w.Take(); !c.GetAll() || len(c.GetRevoked()) != 2 {
		t.Errorf("%v", c)
	}
}
