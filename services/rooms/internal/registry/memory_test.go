package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fjord-sync/fjord/services/rooms/internal/registry"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// heavy is a journal whose documents are of 100 KiB.
type heavy struct{ heldJournal }

const heavyBytes = 100 << 10

func (j *heavy) Open(ctx context.Context, name string) (*room.Load, error) {
	load, err := j.heldJournal.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	text := bytes.Repeat([]byte("x"), heavyBytes)
	update := append([]byte{1, 1, 7, 0, 4, 1, 1, 't', 0x80, 0xa0, 6}, text...) // length 102400
	return load, load.Document.ApplyUpdate(append(update, 0))
}

// When documents take too much, unused rooms are closed before their time, the
// coldest first, and others can be opened then. A room in use stays.
func TestMemoryClosesColdRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &heavy{}
		config := testConfig(room.Durable)
		config.MaxMemory = 10 * heavyBytes
		config.IdleAfter = time.Hour
		var mu sync.Mutex
		reached := map[string]int{}
		config.Reached = func(limit string) { mu.Lock(); defer mu.Unlock(); reached[limit]++ }
		r := registry.New(config, j)
		defer drain(t, r)

		used, frames := attach(t, r, "used")
		<-frames
		for i := range 6 {
			a, frames := attach(t, r, fmt.Sprint("cold ", i))
			<-frames
			a.Detach()
			time.Sleep(time.Second)
		}
		if n := r.Len(); n != 7 {
			t.Fatalf("%d rooms are open, want the used one and six that wait to be used again", n)
		}
		var last *registry.Attachment
		for i := range 4 { // each waits for its turn, as an edge does
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
				frames := make(inbox, 100)
				a, err := r.Attach(t.Context(), fmt.Sprint("new ", i), nil, frames)
				if err == nil {
					<-frames
					last = a
					break
				}
				if !errors.Is(err, registry.ErrMemory) || time.Now().After(deadline) {
					t.Fatal(err)
				}
			}
		}
		synctest.Wait()
		if !r.Has("used") || r.Has("cold 0") || r.Has("cold 1") || !r.Has("cold 5") {
			t.Errorf("used %v, coldest %v %v, warmest %v; want the coldest closed and no other", r.Has("used"), r.Has("cold 0"), r.Has("cold 1"), r.Has("cold 5"))
		}
		mu.Lock()
		if reached[registry.LimitMemory] == 0 {
			t.Error("the limit isn't counted")
		}
		mu.Unlock()
		last.Detach()
		used.Detach()
	})
}

// Those who knock all at once have no more rooms closed than one of them has: what
// was asked to close and hasn't yet is as good as gone.
func TestMemoryClosesNoMoreThanNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := testConfig(room.Durable)
		config.MaxMemory = 10 * heavyBytes
		config.IdleAfter = time.Hour
		config.CheckEvery = time.Hour // only those who knock have rooms closed
		r := registry.New(config, &heavy{})
		defer drain(t, r)
		for i := range 8 {
			a, frames := attach(t, r, fmt.Sprint("cold ", i))
			<-frames
			a.Detach()
			time.Sleep(time.Second)
		}
		refused := 0
		for range 100 {
			if a, err := r.Attach(t.Context(), "new", nil, make(inbox, 100)); err == nil {
				a.Detach()
				break
			}
			refused++
		}
		synctest.Wait()
		if refused == 0 || r.Has("cold 0") {
			t.Fatalf("%d were refused, and the coldest room is open: %v; there is no shortage", refused, r.Has("cold 0"))
		}
		for i := 1; i < 8; i++ {
			if !r.Has(fmt.Sprint("cold ", i)) {
				t.Errorf("after %d refusals room %d of 8 is closed too; the coldest would have done", refused, i)
			}
		}
	})
}

// When nothing is unused, no other room is opened; those that are open go on, and
// when one goes there is space again.
func TestMemoryRefusesRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &heavy{}
		config := testConfig(room.Durable)
		config.MaxMemory = 4 * heavyBytes
		r := registry.New(config, j)
		defer drain(t, r)
		var held []*registry.Attachment
		for i := range 10 {
			frames := make(inbox, 100)
			a, err := r.Attach(t.Context(), fmt.Sprint("room ", i), nil, frames)
			if errors.Is(err, registry.ErrMemory) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			<-frames
			synctest.Wait()
			held = append(held, a)
		}
		if len(held) < 2 || len(held) > 4 {
			t.Fatalf("%d rooms of a quarter of the memory each were opened", len(held))
		}
		again, frames := attach(t, r, "room 0") // it is open: one more costs nothing
		<-frames
		again.Detach()
		for _, a := range held {
			a.Detach()
		}
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
			a, err := r.Attach(t.Context(), "another", nil, make(inbox, 100))
			if err == nil {
				a.Detach()
				return
			}
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
	})
}
