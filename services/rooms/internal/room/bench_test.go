package room_test

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/awareness"
)

// BenchmarkStep takes one typed letter through a room: the update, then storage's
// answer, and so the broadcast and the ack. What it costs must not depend on how
// many sessions an attachment has. The letter's own bytes are one allocation.
func BenchmarkStep(b *testing.B) {
	for _, sessions := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) {
			r := room.New(room.Config{
				Kind: room.Durable, MaxUnsavedBytes: 1 << 20, MaxHeldBytes: 1 << 20, MaxAnswerBytes: 1 << 20,
				MaxUpdateBytes: 1 << 20, MaxDocumentBytes: 1 << 30, MaxPendingBytes: 1 << 20, MaxSessions: 1000, SnapshotRecords: 1 << 40, SnapshotBytes: 1 << 40,
			})
			now := time.Unix(0, 0)
			const attachment = 1
			r.Step(now,
				room.Event{Kind: room.Loaded, Load: &room.Load{Document: yjs.NewDocument(), Epoch: 1}},
				room.Event{Kind: room.Attach, Session: room.SessionID{Attachment: attachment}})
			for n := range sessions {
				r.Step(now, room.Event{Kind: room.Join, Session: room.SessionID{Attachment: attachment, Number: uint64(n) + 1}, Grants: writer})
			}
			author := room.SessionID{Attachment: attachment, Number: 1}
			seq := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				ready := r.Step(now, room.Event{Kind: room.Update, Session: author, Data: insert(7, seq, "x"), Ticket: seq + 1})
				seq++
				if ready.Append == nil {
					b.Fatal("nothing to store")
				}
				if ready = r.Step(now, room.Event{Kind: room.Stored, Seq: seq}); len(ready.Frames) != 2 {
					b.Fatalf("%d frames, want broadcast and ack", len(ready.Frames))
				}
			}
		})
	}
}

// BenchmarkStepVolatile is BenchmarkStep in a volatile room, where all happens at once.
func BenchmarkStepVolatile(b *testing.B) {
	r := room.New(room.Config{
		Kind: room.Volatile, MaxUnsavedBytes: 1 << 20, MaxHeldBytes: 1 << 20, MaxAnswerBytes: 1 << 20,
		MaxUpdateBytes: 1 << 20, MaxDocumentBytes: 1 << 30, MaxPendingBytes: 1 << 20, MaxSessions: 1000, SnapshotRecords: 1 << 40, SnapshotBytes: 1 << 40,
	})
	author := room.SessionID{Attachment: 1, Number: 1}
	r.Step(noon,
		room.Event{Kind: room.Loaded, Load: &room.Load{Document: yjs.NewDocument()}},
		room.Event{Kind: room.Attach, Session: room.SessionID{Attachment: 1}},
		room.Event{Kind: room.Join, Session: author, Grants: writer})
	clock := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		if len(r.Step(noon, room.Event{Kind: room.Update, Session: author, Data: insert(7, clock, "x"), Ticket: clock + 1}).Frames) != 2 {
			b.Fatal("want broadcast and ack")
		}
		clock++
	}
}

// BenchmarkCursors moves the cursors of a hundred users in one step, as under load.
func BenchmarkCursors(b *testing.B) {
	const users = 100
	r := room.New(room.Config{Kind: room.Volatile, MaxAnswerBytes: 1 << 20, MaxPendingBytes: 1 << 20, MaxSessions: 10_000, MaxPresent: 1000, MaxPresentOfOne: 1, MaxStateBytes: 1000})
	now := time.Unix(0, 0)
	r.Step(now,
		room.Event{Kind: room.Loaded, Load: &room.Load{Document: yjs.NewDocument()}},
		room.Event{Kind: room.Attach, Session: room.SessionID{Attachment: 1}})
	events := make([]room.Event, users)
	for i := range events {
		session := room.SessionID{Attachment: 1, Number: uint64(i) + 1}
		r.Step(now, room.Event{Kind: room.Join, Session: session, Grants: writer})
		events[i] = room.Event{Kind: room.Awareness, Session: session}
	}
	clock := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		clock++
		for i := range events {
			events[i].Data = awareness.Append(nil, awareness.Entry{
				Client: uint64(i) + 1, Clock: clock, State: []byte(`{"cursor":{"anchor":{"item":{"client":7,"clock":42}}}}`),
			})
		}
		if ready := r.Step(now, events...); len(ready.Frames) != 1 {
			b.Fatalf("%d frames, want one for all", len(ready.Frames))
		}
	}
}

// BenchmarkStepBesideSnapshot takes one typed letter through a room, as BenchmarkStep
// does, while snapshots of large documents are made all the time. What is told too is
// how long the slowest hundredth of the letters took.
func BenchmarkStepBesideSnapshot(b *testing.B) {
	state := encoded(b, paragraphs(b, 20_000))
	for name, compact := range map[string]func(*yjs.Document){"none": nil, "drop": room.DropDeleted, "collect": room.Collect} {
		b.Run(name, func(b *testing.B) {
			var running sync.WaitGroup
			var stop atomic.Bool
			if compact != nil {
				running.Go(func() {
					for !stop.Load() {
						s := room.Snapshot{State: state, Compact: compact}
						if _, _, err := s.Encode(); err != nil {
							b.Error(err)
						}
					}
				})
			}
			r := room.New(room.Config{
				Kind: room.Durable, MaxUnsavedBytes: 1 << 20, MaxHeldBytes: 1 << 20, MaxAnswerBytes: 1 << 20,
				MaxUpdateBytes: 1 << 20, MaxDocumentBytes: 1 << 30, MaxPendingBytes: 1 << 20, MaxSessions: 1000, SnapshotRecords: 1 << 40, SnapshotBytes: 1 << 40,
			})
			author := room.SessionID{Attachment: 1, Number: 1}
			r.Step(noon,
				room.Event{Kind: room.Loaded, Load: &room.Load{Document: yjs.NewDocument(), Epoch: 1}},
				room.Event{Kind: room.Attach, Session: room.SessionID{Attachment: 1}},
				room.Event{Kind: room.Join, Session: author, Grants: writer})
			seq := uint64(0)
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if r.Step(noon, room.Event{Kind: room.Update, Session: author, Data: insert(7, seq, "x"), Ticket: seq + 1}).Append == nil {
					b.Fatal("nothing to store")
				}
				seq++
				if len(r.Step(noon, room.Event{Kind: room.Stored, Seq: seq}).Frames) != 2 {
					b.Fatal("want broadcast and ack")
				}
				took = append(took, time.Since(began))
			}
			stop.Store(true)
			running.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)-1-len(took)/100]), "p99-ns")
		})
	}
}

// BenchmarkStepOfMany types a letter in a document that many have written in, as one
// of years: each time that a page is opened is another client.
func BenchmarkStepOfMany(b *testing.B) {
	for _, clients := range []uint64{1, 10_000} {
		b.Run(strconv.FormatUint(clients, 10), func(b *testing.B) {
			d := yjs.NewDocument()
			for client := range clients {
				if err := d.ApplyUpdate(insert(client+1, 0, "what each of them wrote")); err != nil {
					b.Fatal(err)
				}
			}
			r := room.New(room.Config{Kind: room.Volatile, MaxAnswerBytes: 1 << 20, MaxUpdateBytes: 1 << 20, MaxDocumentBytes: 1 << 30, MaxPendingBytes: 1 << 20, MaxSessions: 1000, SnapshotRecords: 1 << 40, SnapshotBytes: 1 << 40})
			author := room.SessionID{Attachment: 1, Number: 1}
			r.Step(noon,
				room.Event{Kind: room.Loaded, Load: &room.Load{Document: d}},
				room.Event{Kind: room.Attach, Session: room.SessionID{Attachment: 1}},
				room.Event{Kind: room.Join, Session: author, Grants: writer})
			clock, cost := uint64(0), 0
			b.ReportAllocs()
			for b.Loop() {
				if len(r.Step(noon, room.Event{Kind: room.Update, Session: author, Data: insert(1<<40, clock, "x"), Ticket: clock + 1}).Frames) != 2 {
					b.Fatal("want broadcast and ack")
				}
				cost = r.Cost() // as its process does after each step
				clock++
			}
			if cost == 0 {
				b.Fatal("the room takes nothing")
			}
		})
	}
}
