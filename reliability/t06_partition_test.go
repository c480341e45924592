package reliability_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/reliability/check"
	"github.com/fjord-sync/fjord/reliability/fleet"
	"github.com/fjord-sync/fjord/reliability/tap"
	"github.com/fjord-sync/fjord/reliability/typist"
)

// TestT6Partition breaks each of the three networks in each way, and freezes each
// process. Whatever was echoed is stored, and all agree once it has healed.
func TestT6Partition(t *testing.T) {
	t.Parallel()
	y := yjs(t)
	f := open(t, fleet.Config{})
	c := gather(t, f, "parted", 24, 6)
	c.typeOn(50 * time.Millisecond)
	ctx := within(t, 10*patience)
	_, err := c.recovered(ctx, time.Now())
	must(t, err)
	lasts := time.Duration(times(1, 20)) * time.Second
	var healed totals
	for _, fault := range faults(f) {
		_, err := c.echoed(ctx, enough)
		must(t, err)
		must(t, fault.begin())
		select {
		case <-time.After(lasts):
		case <-ctx.Done():
		}
		must(t, fault.end())
		took, err := c.recovered(ctx, time.Now())
		if err != nil {
			t.Fatalf("%s: %v", fault.name, err)
		}
		healed.recovery = append(healed.recovery, took)
		healed.faults++
		if *soak {
			t.Logf("%s: healed after %v", fault.name, took.Round(time.Millisecond))
		}
	}
	must(t, c.judge(y))
	healed.add(c)
	healed.report(t, fmt.Sprintf("faults of %v", lasts))
}

// fault is something that goes wrong until it ends.
type fault struct {
	name       string
	begin, end func() error
}

func faults(f *fleet.Fleet) []fault {
	var all []fault
	for _, network := range []struct {
		name  string
		proxy *fleet.Proxy
	}{{"clients and edge", f.Front[0]}, {"edge and rooms", f.Back[0]}, {"rooms and storage", f.Deep}} {
		p := network.proxy
		heal := func() error { p.Heal(); return nil }
		// In a fixed order: a seed draws from it.
		for _, way := range []struct {
			what  string
			begin func()
		}{
			{"silence", func() { p.Hold(fleet.Up, fleet.Down) }},
			{"silence upwards", func() { p.Hold(fleet.Up) }},
			{"silence downwards", func() { p.Hold(fleet.Down) }},
			{"200 ms more", func() { p.Slow(200*time.Millisecond, 0) }},
			{"5 % lost", func() { p.Slow(0, 0.05) }},
			{"refused and reset", p.Refuse},
			{"reset while silent", func() { p.Hold(fleet.Up, fleet.Down); p.Cut() }},
		} {
			all = append(all, fault{way.what + " between " + network.name, func() error { way.begin(); return nil }, heal})
		}
	}
	for _, p := range f.All {
		all = append(all, fault{"a frozen " + p.Name, p.Freeze, p.Thaw})
	}
	return all
}

// takeOver writes to a room through a process that doesn't own it, or that owned it
// once and learns by this very write that it has to let go: that is unavailable, and
// said again it claims the room.
func takeOver(ctx context.Context, documents roomsv1connect.DocumentsServiceClient, room string, update []byte) error {
	for {
		_, err := documents.ApplyUpdate(ctx, connect.NewRequest(&roomsv1.ApplyUpdateRequest{Room: room, Update: update}))
		if connect.CodeOf(err) != connect.CodeUnavailable || ctx.Err() != nil {
			return err
		}
	}
}

// TestT6Fencing freezes the owner of rooms under load, lets another process take
// them over, and thaws it: what it still wants to write is refused, the edges
// follow, and the history has one owner at a time.
func TestT6Fencing(t *testing.T) {
	t.Parallel()
	y := yjs(t)
	f := open(t, fleet.Config{Rooms: 2})
	c := gather(t, f, "fenced", 24, 6)
	c.typeOn(30 * time.Millisecond)
	ctx := within(t, 5*patience)
	for n := range times(4, 100) {
		_, err := c.recovered(ctx, time.Now())
		must(t, err)
		frozen, other := f.Rooms[n%2], 1-n%2
		must(t, frozen.Freeze())
		time.Sleep(200 * time.Millisecond) // so that it finds work when it thaws
		for _, room := range c.rooms {
			// Who is to write has to own the room, and claims it.
			update := typist.Insert(uint64(1000+n), 0, "taken over")
			if err := takeOver(ctx, f.Documents(other), room, update); err != nil {
				t.Fatal(errors.Join(err, frozen.Thaw()))
			}
			c.others[room] = append(c.others[room], check.Author{
				Name: "another service", Said: [][]byte{update}, Echoed: []bool{true},
			})
		}
		must(t, frozen.Thaw())
		_, err = c.echoed(ctx, 50)
		must(t, err)
	}
	_, err := c.recovered(ctx, time.Now())
	must(t, err)
	fenced := 0
	for _, op := range f.Tap.Ops() {
		if op.Kind == tap.Append && op.Status == storagev1.AppendStatus_APPEND_STATUS_FENCED {
			fenced++
		}
	}
	if fenced == 0 {
		t.Error("no late owner tried to write: the test shows nothing")
	}
	must(t, c.judge(y))
	said, _, _ := c.totals()
	t.Logf("%d appends of late owners were refused; %d updates, 0 lost", fenced, said)
}
