package room_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// A snapshot that failed is tried again when the log has grown by a tenth of the
// document, however many records that takes; once one is stored, as if none had failed.
func TestFailedSnapshotWaits(t *testing.T) {
	const record = 200 // more than one takes here
	c := newCollecting(t, load(t, insert(7, 0, strings.Repeat("x", 100_000))), func(c *room.Config) { c.KeepDeleted = true })
	clock := uint64(100_000)
	// grown is by how many bytes the log grows until there is a snapshot.
	grown := func() (bytes int) {
		t.Helper()
		for ; bytes < 1<<20; clock += 100 {
			text := room.Event{Kind: room.Update, Session: somebody, Data: insert(7, clock, strings.Repeat("y", 100))}
			bytes += len(c.room.Step(noon, text).Append.Record)
			c.seq++
			if c.room.Step(noon, room.Event{Kind: room.Stored, Seq: c.seq}).Snapshot != nil {
				clock += 100
				return bytes
			}
		}
		t.Fatal("no snapshot")
		return 0
	}
	if got := grown(); got > record {
		t.Fatalf("the first after %d bytes, want after one record", got)
	}
	for range 3 {
		tenth := c.room.Status().DocumentBytes / 10
		c.room.Step(noon, room.Event{Kind: room.SnapshotFailed})
		if got := grown(); got < tenth || got > tenth+record {
			t.Errorf("the next after %d bytes, want after %d", got, tenth)
		}
	}
	c.room.Step(noon, room.Event{Kind: room.SnapshotStored})
	got := grown()
	if half := c.room.Status().DocumentBytes / 2; got < half || got > half+record {
		t.Errorf("the next after %d bytes, want after half the document, %d", got, half)
	}
}

// BenchmarkEncodeSnapshot makes what is stored of a document, beside its room: of one
// in which there is nothing to collect, and of one whose paragraphs come and go.
func BenchmarkEncodeSnapshot(b *testing.B) {
	for name, state := range map[string]func() []byte{
		"letters/1MiB":    func() []byte { return largeState(b, 1<<20) },
		"letters/30MiB":   func() []byte { return largeState(b, 30<<20) },
		"paragraphs/300":  func() []byte { return encoded(b, paragraphs(b, 300)) },
		"paragraphs/5000": func() []byte { return encoded(b, paragraphs(b, 5000)) },
	} {
		for how, compact := range map[string]func(*yjs.Document){"collect": room.Collect, "drop": room.DropDeleted} {
			b.Run(name+"/"+how, func(b *testing.B) {
				s := room.Snapshot{State: state(), Compact: compact}
				stored := 0
				b.ReportAllocs()
				for b.Loop() {
					data, _, err := s.Encode()
					if err != nil {
						b.Fatal(err)
					}
					stored = len(data)
				}
				b.ReportMetric(float64(len(s.State)), "given-B")
				b.ReportMetric(float64(stored), "stored-B")
			})
		}
	}
}

// BenchmarkSnapshot takes the step in which a large document's snapshot begins:
// nothing of the room is served meanwhile.
func BenchmarkSnapshot(b *testing.B) {
	for _, size := range []int{1 << 20, 30 << 20} {
		b.Run(fmt.Sprintf("%dMiB", size>>20), func(b *testing.B) {
			state := largeState(b, size)
			now := time.Unix(0, 0)
			session := room.SessionID{Attachment: 1, Number: 1}
			for b.Loop() {
				b.StopTimer()
				document := yjs.NewDocument()
				if err := document.Load(state); err != nil {
					b.Fatal(err)
				}
				r := room.New(room.Config{
					Kind: room.Durable, MaxUnsavedBytes: 1 << 20, MaxHeldBytes: 1 << 20, MaxAnswerBytes: 1 << 20, MaxUpdateBytes: 1 << 20,
					MaxDocumentBytes: 1 << 30, MaxPendingBytes: 1 << 20, MaxSessions: 10, MaxPresent: 10, MaxPresentOfOne: 1, MaxStateBytes: 100,
					SnapshotRecords: 1, SnapshotBytes: 1 << 40,
				})
				// One record more, and the log is ripe.
				r.Step(now, room.Event{Kind: room.Loaded, Load: &room.Load{Document: document, Epoch: 1, Seq: 9, Records: 1, Bytes: size}},
					room.Event{Kind: room.Attach, Session: room.SessionID{Attachment: 1}},
					room.Event{Kind: room.Join, Session: session, Grants: &room.Grants{Level: room.Write, Create: true}})
				ready := r.Step(now, room.Event{Kind: room.Update, Session: session, Data: insert(1<<30, 0, "x")})
				if ready.Append == nil {
					b.Fatal("the update isn't stored")
				}
				b.StartTimer()
				if r.Step(now, room.Event{Kind: room.Stored, Seq: 10}).Snapshot == nil {
					b.Fatal("no snapshot")
				}
			}
		})
	}
}

// largeState is a document of structs of 20 letters that can't be joined, of each
// client every other one deleted.
func largeState(tb testing.TB, size int) []byte {
	tb.Helper()
	const letters, structs = 20, 5_000
	d := yjs.NewDocument()
	for client := uint64(1); d.Size() < size; client++ {
		u := lib0.AppendVarUint([]byte{1}, structs)
		u = lib0.AppendVarUint(u, client)
		u = append(u, 0)
		deletes := lib0.AppendVarUint([]byte{1}, client)
		deletes = lib0.AppendVarUint(deletes, structs/2)
		for n := range uint64(structs) {
			if n == 0 {
				u = append(u, 4, 1, 1, 't')
			} else { // all behind the first letter
				u = append(u, 0x84)
				u = lib0.AppendVarUint(u, client)
				u = append(u, 0)
			}
			u = lib0.AppendVarString(u, "twenty letters, say.")
			if n%2 == 0 {
				deletes = lib0.AppendVarUint(deletes, n*letters)
				deletes = lib0.AppendVarUint(deletes, letters)
			}
		}
		if err := d.Load(append(u, deletes...)); err != nil {
			tb.Fatal(err)
		}
	}
	state, err := d.EncodeStateAsUpdate(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return state
}
