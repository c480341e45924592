package registry_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/services/rooms/internal/registry"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

// weighty is a journal whose document holds 2 MiB, all deleted, and whose log is
// ripe for a snapshot. It leaves the snapshot to the test.
type weighty struct {
	*heldJournal
	snapshots chan put
}

type put struct {
	room.Snapshot
	compacted func(*yjs.Document)
	done      func(error)
}

const size = 2 << 20

// weight is what client 7 has written and deleted.
func weight() []byte {
	update := append([]byte{1, 1, 7, 0, 4, 1, 1, 't', 0x80, 0x80, 0x80, 1}, strings.Repeat("x", size)...)
	return append(update, 1, 7, 1, 0, 0x80, 0x80, 0x80, 1)
}

func (w weighty) Open(context.Context, string) (*room.Load, error) {
	d := yjs.NewDocument()
	if err := d.Load(weight()); err != nil {
		return nil, fmt.Errorf("the test's document: %w", err)
	}
	return &room.Load{Document: d, Epoch: 1, Seq: 1, Records: 2000, Bytes: 5 * size}, nil
}

func (w weighty) PutSnapshot(_ string, s room.Snapshot, compacted func(*yjs.Document), done func(error)) {
	w.snapshots <- put{s, compacted, done}
}

// While a snapshot is compacted and on its way the room echoes edits as ever. It
// then goes on with the compacted document, in which they are too.
func TestEditsDuringCompaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := weighty{&heldJournal{appends: make(chan func(error), 1)}, make(chan put, 1)}
		config := testConfig(room.Durable)
		config.Room.MaxDocumentBytes = 8 << 20
		r := registry.New(config, j)
		a, frames := attach(t, r, "doc")
		a.Post(room.Event{Kind: room.Join, Session: room.SessionID{Number: 1}, Grants: &room.Grants{Level: room.Write, Create: true}})
		<-frames // attached
		snapshot := <-j.snapshots
		for n := range byte(20) {
			a.Post(room.Event{Kind: room.Update, Session: room.SessionID{Number: 1}, Data: typed(n)})
			(<-j.appends)(nil)
			if f := <-frames; f.GetBroadcast() == nil {
				t.Fatalf("%v, want the edit's echo", f)
			}
		}
		before := status(t, r)
		if before.DocumentBytes < 2<<20 {
			t.Fatalf("the document has %d bytes before it is compacted", before.DocumentBytes)
		}
		_, compacted, err := snapshot.Encode()
		if err != nil {
			t.Fatal(err)
		}
		snapshot.compacted(compacted)
		snapshot.done(nil)
		synctest.Wait()
		if after := status(t, r); after.DocumentBytes > 1000 {
			t.Errorf("the document has %d bytes afterwards, want it compacted", after.DocumentBytes)
		}
		a.Post(room.Event{Kind: room.Step1, Session: room.SessionID{Number: 1}})
		reply := (<-frames).GetSyncReply()
		if want := []byte{2, 8, 20, 7, 0x80, 0x80, 0x80, 1}; string(reply.GetStateVector()) != string(want) {
			t.Errorf("state vector % x, want % x: what was said meanwhile too", reply.GetStateVector(), want)
		}
		a.Detach()
		drain(t, r)
	})
}

// volatileConfig is of rooms that have said much when 20 updates have come.
func volatileConfig() (registry.Config, *prometheus.Registry) {
	config, metrics := testConfig(room.Volatile), prometheus.NewRegistry()
	config.Metrics = metrics
	config.Room.MaxUpdateBytes, config.Room.MaxDocumentBytes = 8<<20, 8<<20
	config.Room.MaxCollectBytes, config.Room.SnapshotRecords = 8<<20, 20
	return config, metrics
}

// A volatile room's memory falls when it is compacted, beside its loop, while edits
// come. None of them is lost.
func TestVolatileRoomCompacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, metrics := volatileConfig()
		r := registry.New(config, nil)
		a, frames := attach(t, r, "doc")
		me := room.SessionID{Number: 1}
		a.Post(room.Event{Kind: room.Join, Session: me, Grants: &room.Grants{Level: room.Write, Create: true}})
		a.Post(room.Event{Kind: room.Update, Session: me, Data: weight()})
		synctest.Wait()
		if n := value(t, metrics, "fjord_rooms_memory_bytes"); n < size {
			t.Fatalf("the room takes %v bytes before it is compacted", n)
		}
		for n := range byte(50) { // one by one, so that they come before and after
			a.Post(room.Event{Kind: room.Update, Session: me, Data: typed(n)})
			for f := <-frames; f.GetBroadcast() == nil || len(f.GetBroadcast().GetUpdate()) > 20; {
				f = <-frames
			}
		}
		a.Post(room.Event{Kind: room.Step1, Session: me})
		synctest.Wait()
		if n := value(t, metrics, "fjord_rooms_compactions_total"); n == 0 {
			t.Error("nothing was compacted")
		}
		reply := (<-frames).GetSyncReply()
		if want := []byte{2, 8, 50, 7, 0x80, 0x80, 0x80, 1}; string(reply.GetStateVector()) != string(want) {
			t.Errorf("state vector % x, want % x: all that was said", reply.GetStateVector(), want)
		}
		if n := status(t, r).DocumentBytes; n > 1000 {
			t.Errorf("the document has %d bytes afterwards", n)
		}
		time.Sleep(time.Minute) // what was encoded for the reply isn't kept
		synctest.Wait()
		if n := value(t, metrics, "fjord_rooms_memory_bytes"); n > 20_000 {
			t.Errorf("the room takes %v bytes afterwards", n)
		}
		a.Detach()
		drain(t, r)
	})
}

// When nobody is in a volatile room any more, what is deleted is dropped a minute
// later. The document stays for an hour, and not for longer because of that.
func TestVolatileRoomCompactsAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, metrics := volatileConfig()
		r := registry.New(config, nil)
		defer drain(t, r)
		a, frames := attach(t, r, "doc")
		me := room.SessionID{Number: 1}
		a.Post(room.Event{Kind: room.Join, Session: me, Grants: &room.Grants{Level: room.Write, Create: true}})
		a.Post(room.Event{Kind: room.Update, Session: me, Data: weight()})
		<-frames
		a.Detach()
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if n := value(t, metrics, "fjord_rooms_memory_bytes"); n < size {
			t.Fatalf("the room takes %v bytes before a minute is over", n)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := value(t, metrics, "fjord_rooms_memory_bytes"); n > 20_000 {
			t.Errorf("the room takes %v bytes afterwards", n)
		}
		time.Sleep(config.KeepVolatile - 65*time.Second)
		synctest.Wait()
		if !r.Has("doc") {
			t.Error("the room is closed before its time")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if r.Has("doc") {
			t.Error("the room is open after its time")
		}
	})
}

// typed is one letter of client 8, at the clock n.
func typed(n byte) []byte {
	if n == 0 {
		return []byte{1, 1, 8, 0, 4, 1, 1, 't', 1, 'y', 0}
	}
	return []byte{1, 1, 8, n, 0x84, 8, n - 1, 1, 'y', 0}
}

// status is what an operator sees of the one room.
func status(t *testing.T, r *registry.Registry) (seen room.Status) {
	t.Helper()
	if err := r.Inspect(t.Context(), "", "", func(_ string, s room.Status) bool { seen = s; return true }); err != nil {
		t.Fatal(err)
	}
	return seen
}
