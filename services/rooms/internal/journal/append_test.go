package journal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/journal"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// outcomes collects what became of appends. Each may be told once.
type outcomes map[string]chan error

func (o outcomes) of(name string) func(error) {
	if o[name] == nil {
		o[name] = make(chan error, 1)
	}
	told := o[name]
	return func(err error) {
		select {
		case told <- err:
		default:
			panic("an outcome was told twice")
		}
	}
}

// want checks an outcome that must be known by now.
func (o outcomes) want(t *testing.T, name string, check func(error) bool) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-o[name]:
		if !check(err) {
			t.Errorf("%s: %v", name, err)
		}
	default:
		t.Errorf("%s: no outcome", name)
	}
}

func (o outcomes) open(t *testing.T, name string) {
	t.Helper()
	synctest.Wait()
	if len(o[name]) > 0 {
		t.Errorf("%s: %v, want no outcome yet", name, <-o[name])
	}
}

func isStored(err error) bool { return err == nil }

func wantMessage(text string) func(error) bool {
	return func(err error) bool { return err != nil && strings.Contains(err.Error(), text) }
}

func record(seq uint64) room.Append {
	return room.Append{Epoch: 3, Seq: seq, Record: []byte{1, 0}}
}

// A storage error leaves the outcome unknown: the very same item is sent again.
func TestUnknownOutcomeIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		var seen []*storagev1.AppendItem
		s := &scripted{append: func(_ context.Context, items []*storagev1.AppendItem) ([]*storagev1.AppendResult, error) {
			seen = append(seen, items...)
			switch tries++; tries {
			case 1:
				return nil, connect.NewError(connect.CodeUnavailable, errors.New("restarting"))
			case 2:
				return nil, errors.New("who knows")
			case 3:
				return all(items, unknown), nil
			case 4:
				return all(items, noSpace), nil
			case 5:
				return nil, nil // another number of results
			case 6:
				return all(items, storagev1.AppendStatus(99)), nil // of a newer storage
			default:
				return all(items, stored), nil
			}
		}}
		j, metrics := open(t, s)
		o := outcomes{}
		j.Append("doc", record(7), o.of("doc"))
		time.Sleep(time.Minute)
		o.want(t, "doc", isStored)
		if tries != 7 {
			t.Errorf("%d tries, want 7", tries)
		}
		for _, item := range seen {
			if item.GetRoom() != "doc" || item.GetEpoch() != 3 || item.GetSeq() != 7 || string(item.GetData()) != "\x01\x00" {
				t.Errorf("sent %v, want the same item each time", item)
			}
		}
		for name, want := range map[string]float64{
			"fjord_rooms_appends_total":        1,
			"fjord_rooms_append_retries_total": 6,
		} {
			if got := counter(t, metrics, name); got != want {
				t.Errorf("%s %v, want %v", name, got, want)
			}
		}
	})
}

// A call that hangs has an unknown outcome too.
func TestCallThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		s := &scripted{append: func(ctx context.Context, items []*storagev1.AppendItem) ([]*storagev1.AppendResult, error) {
			if tries++; tries == 1 {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return all(items, stored), nil
		}}
		j, _ := open(t, s)
		o := outcomes{}
		j.Append("doc", record(1), o.of("doc"))
		time.Sleep(14 * time.Second)
		o.open(t, "doc")
		time.Sleep(2 * time.Second)
		o.want(t, "doc", isStored)
	})
}

// Items stand alone: each room hears of its own.
func TestOutcomesAreItemwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		var well atomic.Bool // what was unknown isn't any more
		status := map[string]storagev1.AppendStatus{
			"stored": stored, "fenced": fenced, "unknown": unknown,
			"conflict": storagev1.AppendStatus_APPEND_STATUS_CONFLICT,
			"deleted":  storagev1.AppendStatus_APPEND_STATUS_DELETED,
			"invalid":  storagev1.AppendStatus_APPEND_STATUS_INVALID,
		}
		s := &scripted{append: func(_ context.Context, items []*storagev1.AppendItem) ([]*storagev1.AppendResult, error) {
			if strings.HasPrefix(items[0].GetRoom(), "first") {
				<-gate
			}
			results := all(items, stored)
			for i, item := range items {
				if want, ok := status[item.GetRoom()]; ok && !(want == unknown && well.Load()) {
					results[i].Status = want
				}
			}
			return results, nil
		}}
		j, _ := open(t, s)
		o := outcomes{}
		// Both slots are taken, so that the others gather into one call.
		for i := range 2 {
			j.Append(fmt.Sprint("first ", i), record(1), o.of("first"+fmt.Sprint(i)))
			synctest.Wait()
		}
		for name := range status {
			j.Append(name, record(1), o.of(name))
		}
		synctest.Wait()
		if got := len(s.called()); got != 2 {
			t.Errorf("%d calls are under way, want two", got)
		}
		close(gate)
		o.want(t, "stored", isStored)
		for _, name := range []string{"fenced", "conflict", "invalid"} {
			o.want(t, name, wantMessage(strings.ToUpper(name)))
		}
		o.want(t, "deleted", func(err error) bool { return errors.Is(err, room.ErrDeleted) })
		o.open(t, "unknown")
		if got := len(s.called()); got != 3 || len(s.called()[2]) != len(status) {
			t.Errorf("calls %v, want the last to carry all that gathered", s.called())
		}
		well.Store(true)
		time.Sleep(time.Second)
		o.want(t, "unknown", isStored)
	})
}

// A room whose outcome stays unknown holds up itself only.
func TestUnknownItemsDoNotHoldSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{append: func(_ context.Context, items []*storagev1.AppendItem) ([]*storagev1.AppendResult, error) {
			results := all(items, stored)
			for i, item := range items {
				if strings.HasPrefix(item.GetRoom(), "bad") {
					results[i].Status = unknown
				}
			}
			return results, nil
		}}
		j, _ := open(t, s)
		o := outcomes{}
		for i := range 5 {
			name := fmt.Sprint("bad ", i)
			j.Append(name, record(1), o.of(name))
			synctest.Wait()
		}
		time.Sleep(10 * time.Second)
		before := len(s.called())
		j.Append("good", record(1), o.of("good"))
		o.want(t, "good", isStored)
		o.open(t, "bad 0")
		// They are asked again now and then, not in a loop.
		time.Sleep(10 * time.Second)
		if got := len(s.called()) - before; got > 5*20 {
			t.Errorf("%d calls in ten seconds for five rooms", got)
		}
	})
}

// Of what gathers, a call takes no more than storage can.
func TestCallsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		s := &scripted{append: func(_ context.Context, items []*storagev1.AppendItem) ([]*storagev1.AppendResult, error) {
			<-gate
			return all(items, stored), nil
		}}
		j, _ := open(t, s)
		o := outcomes{}
		for i := range 2 {
			j.Append(fmt.Sprint("first ", i), record(1), func(error) {})
			synctest.Wait()
		}
		large := room.Append{Epoch: 1, Seq: 1, Record: make([]byte, 3<<20)}
		for _, name := range []string{"a", "b"} {
			j.Append(name, large, o.of(name))
		}
		for i := range 1000 {
			j.Append(fmt.Sprint("small ", i), record(1), func(error) {})
		}
		j.Append("last", record(1), o.of("last"))
		close(gate)
		o.want(t, "last", isStored)
		for i, call := range s.called() {
			if len(call) > 512 || (len(call) > 1 && call[0] == "a" && call[1] == "b") {
				t.Errorf("call %d has %d items, beginning with %s", i, len(call), call[0])
			}
		}
	})
}

// Close waits for nobody: what isn't known then is told to be lost, once.
func TestCloseWhileAppendsAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{append: func(ctx context.Context, items []*storagev1.AppendItem) ([]*storagev1.AppendResult, error) {
			if items[0].GetRoom() == "failing" {
				return all(items, unknown), nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		j, _ := open(t, s)
		o := outcomes{}
		for _, name := range []string{"failing", "hanging", "hanging too", "queued"} {
			j.Append(name, record(1), o.of(name))
			synctest.Wait()
		}
		j.Close()
		j.Append("late", record(1), o.of("late"))
		for name := range o {
			o.want(t, name, func(err error) bool { return errors.Is(err, journal.ErrClosed) })
		}
	})
}
