package room_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

var errStale = errors.New("epoch 1 is stale")

// step has the room take events and checks all that it wants done.
func (w *world) step(events ...room.Event) {
	w.t.Helper()
	w.leaving = w.room.Farewell() != nil
	w.carryOut(w.room.Step(w.now, events...))
	for range 100 {
		if !w.room.Asked() && len(w.later) == 0 {
			break
		}
		later := w.later
		w.later = nil
		w.carryOut(w.room.Step(w.now, later...))
	}
	if w.room.Asked() {
		w.t.Fatal("somebody waits in line although everything may be answered")
	}
	status := w.room.Status()
	if w.room.Idle() && !w.room.Dead() && (w.append != nil || w.snapshot != nil || status.UnsavedBytes > 0) {
		w.t.Fatal("idle with something that storage was asked to keep")
	}
	if !w.room.Idle() && w.room.Dead() {
		w.t.Fatal("dead and not idle")
	}
	if status.Present > 4 {
		w.t.Fatalf("%d are present; want at most 4", status.Present)
	}
}

func (w *world) carryOut(ready room.Ready) {
	w.t.Helper()
	w.lacked = w.lacked || w.room.Status().Pending > 0
	if ready.Append != nil {
		if w.append != nil || ready.Append.Seq != w.seq+1 {
			w.t.Fatalf("append %d while %v is under way and %d is stored", ready.Append.Seq, w.append, w.seq)
		}
		w.append = ready.Append
	}
	if ready.Snapshot != nil {
		w.wantSnapshot(ready.Snapshot)
	}
	counts := make(map[room.AttachmentID]int)
	for _, f := range ready.Frames {
		e := w.byID[f.To]
		if e == nil {
			if w.gone[f.To] {
				w.t.Fatalf("%v to who let go before", f.Message)
			}
			continue // it let go in this step
		}
		if counts[f.To]++; e.cut >= 0 && counts[f.To] > e.cut {
			continue
		}
		w.deliver(e, f.Message)
	}
	// Who let go hears nothing from the next step on.
	for _, e := range w.edges {
		if e.holds && e.cut >= 0 {
			e.cut = -1
			event, _ := w.detach(e, room.Detach)
			w.carryOut(w.room.Step(w.now, event))
		}
	}
	for id := range w.next {
		if id++; w.byID[id] == nil {
			w.gone[id] = true
		}
	}
}

// wantSnapshot: it holds exactly the records that it replaces.
func (w *world) wantSnapshot(s *room.Snapshot) {
	w.t.Helper()
	data, compacted, err := s.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	update, err := room.ReadSnapshot(data)
	if err != nil {
		w.t.Fatal(err)
	}
	copied := yjs.NewDocument()
	if err := copied.Load(update); err != nil {
		w.t.Fatal(err)
	}
	all, err := w.stored.EncodeStateAsUpdate(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	// Which deletes follow from which, the log doesn't say.
	collected := yjs.NewDocument()
	if err := collected.Load(all); err != nil {
		w.t.Fatal(err)
	}
	room.Collect(collected)
	if w.snapshot != nil || s.Seq != w.seq || !collected.Contains(update) || !copied.Contains(all) {
		w.t.Fatalf("snapshot up to %d isn't what is stored up to %d", s.Seq, w.seq)
	}
	w.snapshot, w.compacted = s, compacted
}

// deliver checks one frame to an edge and notes what it says.
func (w *world) deliver(e *edge, f *roomsv1.RoomFrame) {
	w.t.Helper()
	if seq := seqOf(f); seq > w.seq {
		w.t.Fatalf("%v rests on seq %d; %d is stored", f, seq, w.seq)
	}
	if !e.holds {
		w.t.Fatalf("%v after Detached", f)
	}
	switch body := f.Body.(type) {
	case *roomsv1.RoomFrame_Attached:
		if e.attached && !w.lacked {
			w.t.Fatal("asked again though nothing was missing")
		}
		if w.leaving {
			w.t.Fatal("let in although everybody was told to go")
		}
		w.attached(e, body.Attached)
		return
	case *roomsv1.RoomFrame_Detached:
		e.holds, e.attached = false, false
		delete(w.byID, e.id)
		return
	}
	if !e.attached {
		w.t.Fatalf("%v before Attached", f)
	}
	switch body := f.Body.(type) {
	case *roomsv1.RoomFrame_Broadcast:
		w.tell(e, body.Broadcast.GetUpdate())
		if seq := body.Broadcast.GetSeq(); f.GetSession() == 0 {
			if seq != 0 && seq < e.broadcast {
				w.t.Fatalf("broadcast of seq %d behind %d", seq, e.broadcast)
			}
			e.broadcast, e.resume = max(e.broadcast, seq), max(e.resume, seq)
		}
	case *roomsv1.RoomFrame_SyncReply:
		w.tell(e, body.SyncReply.GetUpdate())
		e.synced = e.synced || f.GetSession() == syncer
	case *roomsv1.RoomFrame_Result:
		if ticket := body.Result.GetTicket(); ticket <= e.answered {
			w.t.Fatalf("ticket %d answered behind %d", ticket, e.answered)
		} else {
			e.answered = ticket
		}
	}
}

func (w *world) attached(e *edge, f *roomsv1.Attached) {
	e.attached = true
	if e.known {
		e.resume = min(e.resume, f.GetSeq())
	} else {
		e.known, e.resume = true, f.GetSeq()
	}
	if e.synced {
		return
	}
	session := room.SessionID{Attachment: e.id, Number: syncer}
	w.later = append(w.later, room.Event{Kind: room.Join, Session: session, Grants: writer}, room.Event{Kind: room.Step1, Session: session})
}

// tell notes an update that an edge was shown: it must be stored (law 4).
func (w *world) tell(e *edge, update []byte) {
	w.t.Helper()
	if !w.stored.Contains(update) {
		w.t.Fatalf("edge %d is shown %x, which isn't stored", e.name, update)
	}
	if err := e.told.ApplyUpdate(bytes.Clone(update)); err != nil {
		w.t.Fatal(err)
	}
}

// FuzzRoom keeps the laws of a room against any order of events.
func FuzzRoom(f *testing.F) {
	for seed := range uint64(150) {
		random := rand.New(rand.NewPCG(seed, 0))
		script := make([]byte, 400)
		if seed >= 50 { // long enough for snapshots
			script = make([]byte, 4000)
		}
		for i := range script {
			script[i] = byte(random.Uint32())
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) { newWorld(t, script).run() })
}
