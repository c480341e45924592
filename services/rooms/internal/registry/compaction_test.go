package registry_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

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

func (w weighty) Open(context.Context, string) (*room.Load, error) {
	const size = 2 << 20
	d := yjs.NewDocument()
	update := append([]byte{1, 1, 7, 0, 4, 1, 1, 't', 0x80, 0x80, 0x80, 1}, strings.Repeat("x", size)...)
	update = append(update, 1, 7, 1, 0, 0x80, 0x80, 0x80, 1) // and deletes them
	if err := d.Load(update); err != nil {
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
