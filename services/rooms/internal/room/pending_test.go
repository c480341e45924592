package room_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

// A snapshot of a document that waits for an update holds what waits: when the
// update comes at last, nothing is missing, though the log is gone.
func TestSnapshotKeepsWhatWaits(t *testing.T) {
	first := []byte{1, 1, 7, 0, 4, 1, 1, 't', 1, 'a', 0}
	second := []byte{1, 1, 7, 1, 0x84, 7, 0, 1, 'b', 0}
	third := []byte{1, 1, 7, 2, 0x84, 7, 1, 1, 'c', 0}
	r := room.New(room.Config{
		Kind: room.Durable, MaxUnsavedBytes: 1 << 20, MaxHeldBytes: 1 << 20, MaxAnswerBytes: 1 << 20, MaxUpdateBytes: 1 << 20,
		MaxDocumentBytes: 1 << 20, MaxPendingBytes: 1 << 20, MaxSessions: 10, MaxPresent: 10, MaxPresentOfOne: 1, MaxStateBytes: 100,
		SnapshotRecords: 1, SnapshotBytes: 1 << 20,
	})
	now := time.Unix(0, 0)
	session := room.SessionID{Attachment: 1, Number: 1}
	r.Step(now, room.Event{Kind: room.Loaded, Load: &room.Load{Document: yjs.NewDocument(), Epoch: 1}},
		room.Event{Kind: room.Attach, Session: room.SessionID{Attachment: 1}},
		room.Event{Kind: room.Join, Session: session, Grants: &room.Grants{Level: room.Write, Create: true}})
	var snapshot *room.Snapshot
	for seq, update := range [][]byte{first, third, third} { // the second is missing
		if r.Step(now, room.Event{Kind: room.Update, Session: session, Data: update}).Append == nil {
			t.Fatalf("update %d isn't stored", seq+1)
		}
		if s := r.Step(now, room.Event{Kind: room.Stored, Seq: uint64(seq + 1)}).Snapshot; s != nil {
			snapshot = s
		}
	}
	if snapshot == nil || r.Status().Pending == 0 {
		t.Fatalf("snapshot %v with %d structs that wait: the test shows nothing", snapshot, r.Status().Pending)
	}
	data, _, err := snapshot.Encode()
	if err != nil {
		t.Fatal(err)
	}
	state, err := room.ReadSnapshot(data)
	if err != nil {
		t.Fatal(err)
	}
	d := yjs.NewDocument()
	if err := d.Load(state); err != nil {
		t.Fatal(err)
	}
	if err := d.ApplyUpdate(second); err != nil {
		t.Fatal(err)
	}
	if got := d.StateVector(); !bytes.Equal(got, []byte{1, 7, 3}) {
		t.Errorf("with the missing update the document has % x, want all three letters", got)
	}
}
