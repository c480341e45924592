// Package room is the pure heart of the rooms service: what one room does with
// what happens to it. No socket, disk, clock or goroutine is in here: events go
// in, instructions come out, and the loop around it carries them out.
//
//	        events                          Ready
//	link ──────────────┐            ┌──▶ frames, per attachment
//	journal ── stored ─┤──▶ Room ───┤──▶ one append at a time
//	clock ─────────────┘            └──▶ a snapshot to put, or a copy to compact
//
// The nouns: a *room* holds one document and its presence. An *attachment* is
// one link's hold on the room; a *session* is one client behind it. A *batch* is
// the updates that one record will hold. An *effect* is a frame that must wait
// until a batch is stored.
//
// The laws of a room. Each is a story in testdata, told by TestTranscripts:
//
//  1. One loop goroutine per open room; only it touches the document.
//  2. At most one process holds an epoch; storage refuses the others.
//  3. Broadcast order is seq order.
//  4. Nothing leaves (broadcast, ack or sync reply) that rests on an update that
//     is not stored.
//  5. A room closes only with no sessions and nothing pending or in flight.
//  6. A failed load is an error to the joiner, never an empty document.
//  7. A peer can change only the presence of the clients that it owns.
//  8. A refused update reaches nobody, and its sender is told.
package room

import (
	"fmt"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/awareness"
)

// Kind says what a room keeps.
type Kind int

// The three kinds of room.
const (
	// Relay keeps nothing: any bytes go to the others as they came.
	Relay Kind = iota + 1
	// Volatile keeps the document in memory.
	Volatile
	// Durable keeps the document in storage.
	Durable
)

// ParseKind reads the spelling that operators use.
func ParseKind(s string) (Kind, error) {
	switch s {
	case "relay":
		return Relay, nil
	case "volatile":
		return Volatile, nil
	case "durable":
		return Durable, nil
	default:
		return 0, fmt.Errorf("unknown kind of room %q; want durable, volatile or relay", s)
	}
}

// Proto returns the kind as the wire spells it.
func (k Kind) Proto() roomsv1.RoomKind {
	switch k {
	case Relay:
		return roomsv1.RoomKind_ROOM_KIND_RELAY
	case Volatile:
		return roomsv1.RoomKind_ROOM_KIND_VOLATILE
	case Durable:
		return roomsv1.RoomKind_ROOM_KIND_DURABLE
	default:
		return roomsv1.RoomKind_ROOM_KIND_UNSPECIFIED
	}
}

// Config is what an owner decides about a room.
type Config struct {
	Kind Kind
	// MaxUnsavedBytes bounds the updates that wait for storage. An attachment
	// whose update would exceed it is put off and comes back when it can.
	MaxUnsavedBytes int
	// MaxHeldBytes bounds the memory of what waits for storage beside the updates:
	// acks, refusals, echoes.
	MaxHeldBytes int
	// MaxAnswerBytes bounds the answers given at once, see answers.go.
	MaxAnswerBytes int
	// MaxUpdateBytes bounds one update, MaxDocumentBytes the encoded document.
	MaxUpdateBytes   int
	MaxDocumentBytes int
	// MaxPendingBytes bounds what the document holds of updates that wait for
	// others.
	MaxPendingBytes int
	// MaxSessions bounds the sessions of all attachments.
	MaxSessions int
	// MaxPresent bounds the clients whose presence is known at once,
	// MaxPresentOfOne those of one session.
	MaxPresent      int
	MaxPresentOfOne int
	// MaxStateBytes bounds one client's presence state.
	MaxStateBytes int
	// Judge returns the most that somebody may do now, whatever they were granted:
	// Nothing if it was taken back. It is asked when they come in, when their
	// grants change, and at Reconsider. nil: Admin.
	Judge func(Grants) Level
	// SnapshotRecords and SnapshotBytes say when the log has outgrown the
	// document: so many records, or so many bytes beyond twice its size. In a
	// volatile room updates are counted like records.
	SnapshotRecords int
	SnapshotBytes   int
	// KeepDeleted keeps the content of what is deleted, which snapshots drop
	// otherwise, as Yjs does, and volatile rooms too.
	KeepDeleted bool
	// MaxCollectBytes bounds what the documents take in memory of which they drop all
	// that Yjs drops, see Collect. From larger ones DropDeleted drops the most of it.
	MaxCollectBytes int
	// Apply adds an update to a document; nil means the engine. Tests have others.
	Apply func(*yjs.Document, []byte) error
}

// AttachmentID names an attachment within this process; the loop's owner
// chooses it and never uses it twice.
type AttachmentID uint64

// SessionID names a session: the attachment that it sits behind, and the number
// that the edge gave it there.
type SessionID struct {
	Attachment AttachmentID
	Number     uint64
}

// Room is one room's state. Its owner, a single goroutine, feeds it with Step.
type Room struct {
	config Config

	// Set by Loaded.
	loaded   bool
	epoch    uint64
	document *yjs.Document
	weight   weight

	// farewell is what everybody was told when the room ended or its process began
	// to go; it is told to those who still come. Nil until then.
	farewell *roomsv1.Detached
	// made is set once somebody has come in who may make the room: from then on it
	// is there, though it is empty.
	made bool
	// dead is set when it failed to load, or was fenced: nothing is left to store.
	dead bool

	attachments map[AttachmentID]*attachment
	// order keeps the attachments in the order in which they came, so that
	// fan-out is the same in every run.
	order []*attachment
	// welcomed are attachments whose early events are to be taken now.
	welcomed []*attachment

	log      log
	presence presence
	// news is what presence has come to in this step, to be told at its end.
	news []awareness.Entry

	// line is who waits for an answer, and given the bytes of answers in this step.
	line    []asker
	given   int
	encoded encoded

	backlog backlog
	lack    lack
	// suspect is the update that is being applied; nil while none is.
	suspect *Event

	// now is the owner's clock in this step.
	now time.Time

	ready Ready
}

type attachment struct {
	id AttachmentID
	// resume is what a link that broke had delivered; nil for a new attachment.
	resume   *uint64
	sessions map[uint64]*session
	// welcomed is set once it has been told Attached. Until then early holds what
	// its sessions say.
	welcomed   bool
	early      []Event
	earlyBytes int
	// crowded is set while much waits for its link.
	crowded bool
}

type session struct {
	id SessionID
	// grants are what its edge says; level is what is left of theirs.
	grants *Grants
	level  Level
	// greeted is set once the session has been told who is here.
	greeted bool
	// question is what it waits in line to know.
	question question
}

// New returns a room that waits for Loaded or LoadFailed. A relay or volatile
// room is to be given Loaded with an empty document at once.
func New(config Config) *Room {
	if config.Apply == nil {
		config.Apply = (*yjs.Document).ApplyUpdate
	}
	return &Room{
		config:      config,
		attachments: make(map[AttachmentID]*attachment),
		presence:    newPresence(config),
	}
}

// Step takes events in the order in which they happened and returns what is to
// be done about them, all at once: updates that came together go to storage
// together. now is the time by the owner's clock; it never goes back.
//
// The Ready is valid until the next Step.
func (r *Room) Step(now time.Time, events ...Event) Ready {
	r.ready.reset()
	r.now, r.given = now, 0
	for i := range events {
		r.step(now, &events[i])
	}
	r.answerLine()
	r.admit(now)
	r.tellNews()
	r.cut()
	return r.ready
}

// Idle reports whether nothing holds the room open: no attachments, nothing
// unsaved, no snapshot under way (law 5). What a volatile room has compacted ends
// with it.
func (r *Room) Idle() bool {
	return len(r.attachments) == 0 && (r.dead || r.config.Kind != Durable || r.log.settled())
}

// Empty reports whether the room holds nothing that was not there before somebody
// thought of its name.
func (r *Room) Empty() bool {
	return r.log.seq == 0 && r.log.settled() && (r.document == nil || hasNothing(r.document.StateVector()) && r.document.Pending().Structs == 0)
}

// Dead reports whether the room can serve nobody any more: it failed to load,
// broke, or another process owns it.
func (r *Room) Dead() bool { return r.dead }

// Farewell returns what everybody was told who was here when the room died or its
// process began to go, nil before.
func (r *Room) Farewell() *roomsv1.Detached { return r.farewell }

// NeedsClock reports whether Tick events are needed: to notice silent clients, to
// ask for what is missing, to forget what nobody asks for, and to compact what
// nobody uses.
func (r *Room) NeedsClock() bool {
	return r.rests() || r.presence.present() > 0 || r.encoded.state != nil || len(r.attachments) > 0 && r.lack.waits()
}

// Status is what an operator sees of a room.
type Status struct {
	Kind          Kind
	Epoch, Seq    uint64
	Attachments   int
	Sessions      int
	Present       int
	UnsavedBytes  int
	DocumentBytes int
	Pending       int
	PendingBytes  int
	// Exists: see Room.Exists.
	Exists bool
}

// Status returns the room's state as it is now.
func (r *Room) Status() Status {
	s := Status{
		Kind:         r.config.Kind,
		Epoch:        r.epoch,
		Seq:          r.log.seq,
		Attachments:  len(r.attachments),
		Present:      r.presence.present(),
		Exists:       r.Exists(),
		UnsavedBytes: r.log.unsavedBytes(),
	}
	for _, a := range r.attachments {
		s.Sessions += len(a.sessions)
	}
	if r.document != nil {
		s.DocumentBytes = r.document.Size()
		pending := r.document.Pending()
		s.Pending, s.PendingBytes = pending.Structs, pending.Bytes
	}
	return s
}

// crowd returns how many sessions are in the room.
func (r *Room) crowd() (sessions int) {
	for _, a := range r.order {
		sessions += len(a.sessions)
	}
	return sessions
}

// Cost is about how many bytes the room takes in memory: the document, its encoded
// form if that is kept, and what waits for storage or is on its way there.
func (r *Room) Cost() int {
	return r.weight.memory + r.weight.since + len(r.encoded.state) + len(r.encoded.vector) + r.log.unsavedBytes() + r.log.held() + r.log.copied
}
