package room_test

import (
	"slices"
	"testing"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/awareness"
)

// world is a room with a storage and some edges, moved by a string of bytes. It
// checks the room's laws at every step.
type world struct {
	t     *testing.T
	room  *room.Room
	now   time.Time
	edges [3]*edge
	byID  map[room.AttachmentID]*edge
	next  room.AttachmentID

	// stored is the document that the log holds, seq its last record.
	stored   *yjs.Document
	seq      uint64
	append   *room.Append
	snapshot *room.Snapshot
	// compacted is what the room is to go on with, if it isn't told otherwise first.
	compacted *yjs.Document
	loaded    bool
	leaving   bool // since an earlier step
	lacked    bool // the document has waited for something
	// gone are attachments that let go in an earlier step.
	gone map[room.AttachmentID]bool
	// later is what edges say when they are let in.
	later []room.Event

	// script is what is left of the bytes.
	script []byte
}

// edge is one link's way with the room: it keeps what it was told through breaks,
// and has a client that synchronises once.
type edge struct {
	id       room.AttachmentID
	name     int
	holds    bool // Attach was said, and neither side has ended it
	attached bool
	known    bool
	// resume is what it has for sure.
	resume    uint64
	told      *yjs.Document
	synced    bool
	broadcast uint64
	tickets   uint64
	answered  uint64
	// cut is after how many frames of the next step the link breaks; -1 for none.
	cut int
}

// syncer is the session that asks for the document when an edge is let in.
const syncer = 9

func newWorld(t *testing.T, script []byte) *world {
	w := &world{t: t, now: time.Unix(0, 0), byID: make(map[room.AttachmentID]*edge), gone: make(map[room.AttachmentID]bool), stored: yjs.NewDocument(), script: script}
	w.room = room.New(room.Config{
		Kind: room.Durable, MaxUnsavedBytes: 120, MaxHeldBytes: 4000, MaxAnswerBytes: 30, MaxUpdateBytes: 60,
		MaxDocumentBytes: 600, MaxPendingBytes: 200, MaxSessions: 1000, MaxPresent: 4, MaxPresentOfOne: 2, MaxStateBytes: 20, SnapshotRecords: 1, SnapshotBytes: 1000, MaxCollectBytes: 1 << 20,
	})
	for i := range w.edges {
		w.edges[i] = &edge{name: i, told: yjs.NewDocument(), cut: -1}
	}
	return w
}

func (w *world) byte() int {
	if len(w.script) == 0 {
		return 0
	}
	b := w.script[0]
	w.script = w.script[1:]
	return int(b)
}

// run plays the script, then lets everything settle.
func (w *world) run() {
	for len(w.script) > 0 {
		var events []room.Event
		for n := w.byte()%3 + 1; n > 0; n-- {
			if e, ok := w.event(); ok {
				events = append(events, e)
			}
		}
		w.step(events...)
	}
	w.settle()
}

// event reads what happens next.
func (w *world) event() (room.Event, bool) {
	e := w.edges[w.byte()%len(w.edges)]
	session := room.SessionID{Attachment: e.id, Number: uint64(w.byte()%2) + 1}
	switch w.byte() % 24 {
	case 0, 1:
		return w.attach(e)
	case 2:
		return w.detach(e, room.Detach)
	case 3:
		grants := writer
		if w.byte()%4 == 0 {
			grants = &room.Grants{Level: room.Read, Presence: true, Create: true}
		}
		return room.Event{Kind: room.Join, Session: session, Grants: grants}, e.holds
	case 4:
		return room.Event{Kind: room.Leave, Session: session}, e.holds
	case 5:
		return room.Event{Kind: room.Step1, Session: session, Data: w.vector()}, e.holds
	case 6, 7, 8, 9:
		e.tickets++
		session.Number = 1
		return room.Event{Kind: room.Update, Session: session, Data: w.update(), Ticket: e.tickets, Step2: w.byte()%2 == 0}, e.holds
	case 10, 11:
		return room.Event{Kind: room.Awareness, Session: session, Data: w.presence()}, e.holds
	case 12:
		return room.Event{Kind: room.QueryAwareness, Session: session}, e.holds
	case 13:
		return room.Event{Kind: room.RelayData, Session: session, Data: []byte("x")}, e.holds
	case 14, 15, 16:
		return w.answer()
	case 17:
		w.now = w.now.Add(time.Duration(w.byte()) * time.Second)
		return room.Event{Kind: room.Tick}, true
	case 18:
		if w.byte()%2 == 0 {
			return room.Event{Kind: room.Crowded, Session: room.SessionID{Attachment: e.id}}, e.holds
		}
		return room.Event{Kind: room.Relieved, Session: room.SessionID{Attachment: e.id}}, e.holds
	case 19:
		return w.rare(e)
	default:
		// The link breaks behind some of the frames of this step, and comes back.
		if !e.holds {
			return w.attach(e)
		}
		e.cut = w.byte() % 6
		return w.answer()
	}
}

func (w *world) rare(e *edge) (room.Event, bool) {
	switch w.byte() % 16 {
	case 0:
		return room.Event{Kind: room.Drain}, true
	case 1:
		refused := w.append != nil
		w.append = nil
		return room.Event{Kind: room.Fenced, Err: errStale}, refused
	case 2:
		return room.Event{Kind: room.LoadFailed, Err: errStale}, !w.loaded
	case 3:
		return w.detach(e, room.PutOff)
	case 4:
		return room.Event{Kind: room.Stored, Seq: uint64(w.byte())}, w.append == nil
	default:
		return room.Event{}, false
	}
}

func (w *world) attach(e *edge) (room.Event, bool) {
	if e.holds {
		return room.Event{}, false
	}
	w.next++
	*e = edge{
		id: w.next, name: e.name, holds: true, known: e.known, resume: e.resume, told: e.told, synced: e.synced, cut: -1,
	}
	w.byID[e.id] = e
	event := room.Event{Kind: room.Attach, Session: room.SessionID{Attachment: e.id}, Crowded: w.byte()%4 == 0}
	if e.known {
		seq := e.resume
		event.Resume = &seq
	}
	return event, true
}

func (w *world) detach(e *edge, how room.EventKind) (room.Event, bool) {
	if !e.holds {
		return room.Event{}, false
	}
	if how == room.Detach {
		e.holds, e.attached = false, false
		delete(w.byID, e.id)
	}
	return room.Event{Kind: how, Session: room.SessionID{Attachment: e.id}}, true
}

// answer is storage's, if it was asked for anything.
func (w *world) answer() (room.Event, bool) {
	switch {
	case !w.loaded:
		w.loaded = true
		return room.Event{Kind: room.Loaded, Load: &room.Load{Document: yjs.NewDocument(), Epoch: 1}}, true
	case w.append != nil && (w.snapshot == nil || w.byte()%2 == 0):
		return w.store(), true
	case w.compacted != nil && w.byte()%4 > 0:
		document := w.compacted
		w.compacted = nil
		return room.Event{Kind: room.Compacted, Document: document}, true
	case w.snapshot != nil:
		w.snapshot, w.compacted = nil, nil
		if w.byte()%3 == 0 {
			return room.Event{Kind: room.SnapshotFailed}, true
		}
		return room.Event{Kind: room.SnapshotStored}, true
	default:
		return room.Event{}, false
	}
}

func (w *world) store() room.Event {
	if err := room.ReadRecord(w.append.Record, w.stored.ApplyUpdate); err != nil {
		w.t.Fatalf("record %d: %v", w.append.Seq, err)
	}
	w.seq = w.append.Seq
	w.append = nil
	return room.Event{Kind: room.Stored, Seq: w.seq}
}

func (w *world) update() []byte {
	client, clock := uint64(w.byte()%3)+1, uint64(w.byte()%5)
	switch w.byte() % 6 {
	case 0:
		return []byte{0, 1, byte(client), 1, byte(clock), 1}
	case 1:
		return []byte{0, 0}
	case 2:
		raw := make([]byte, w.byte()%20)
		for i := range raw {
			raw[i] = byte(w.byte())
		}
		return raw
	default:
		// A client's clocks always say the same, so that none is in conflict.
		text := "abcdefgh"[clock : clock+1+uint64(w.byte()%3)]
		if client == 3 {
			return insertInside(client, clock, text)
		}
		return insert(client, clock, text)
	}
}

// insertInside is insert into an array, which the client's first clock makes and
// which may be deleted with all that is in it.
func insertInside(client, clock uint64, text string) []byte {
	const contentType, array = 7, 0
	var structs [][]byte
	if clock == 0 {
		structs = append(structs, []byte{contentType, 1, 1, 'a', array})
	}
	for i := range text {
		switch at := clock + uint64(i); at {
		case 0:
		case 1:
			structs = append(structs, []byte{8, 0, byte(client), 0, 1, 119, 1, text[i]})
		default:
			structs = append(structs, []byte{0x88, byte(client), byte(at - 1), 1, 119, 1, text[i]})
		}
	}
	u := []byte{1, byte(len(structs)), byte(client), byte(clock)}
	return append(append(u, slices.Concat(structs...)...), 0)
}

func (w *world) vector() []byte {
	switch w.byte() % 4 {
	case 0:
		return nil
	case 1:
		return []byte{0xff}
	default:
		return []byte{1, byte(w.byte()%3) + 1, byte(w.byte() % 6)}
	}
}

func (w *world) presence() []byte {
	var entries []awareness.Entry
	for n := w.byte() % 4; n > 0; n-- {
		state := []string{"null", "{}", `{"a":1}`, "{", " null"}[w.byte()%5]
		entries = append(entries, awareness.Entry{Client: uint64(w.byte() % 8), Clock: uint64(w.byte() % 8), State: []byte(state)})
	}
	return awareness.Append(nil, entries...)
}

// settle lets storage and links answer until everybody is served, and compares
// what the edges were told with what is stored.
func (w *world) settle() {
	for range 200 {
		var events []room.Event
		if e, ok := w.answer(); ok {
			events = append(events, e)
		}
		for _, e := range w.edges {
			e.cut = -1
			if attach, ok := w.attach(e); ok {
				attach.Crowded = false
				events = append(events, attach)
			}
			events = append(events, room.Event{Kind: room.Relieved, Session: room.SessionID{Attachment: e.id}})
		}
		w.step(events...)
	}
	if w.room.Farewell() != nil {
		return
	}
	all, err := w.stored.EncodeStateAsUpdate(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range w.edges {
		if !e.synced || !e.told.Contains(all) {
			w.t.Errorf("edge %d lacks what is stored (synced: %t)", e.name, e.synced)
		}
	}
}

// seqOf returns the seq that a frame rests on; 0 if it rests on none.
func seqOf(f *roomsv1.RoomFrame) uint64 {
	switch body := f.Body.(type) {
	case *roomsv1.RoomFrame_Attached:
		return body.Attached.GetSeq()
	case *roomsv1.RoomFrame_Broadcast:
		return body.Broadcast.GetSeq()
	case *roomsv1.RoomFrame_SyncReply:
		return body.SyncReply.GetSeq()
	case *roomsv1.RoomFrame_Result:
		return body.Result.GetSeq()
	default:
		return 0
	}
}
