package room

import "github.com/fjord-sync/fjord/yjs"

// EventKind says what happened.
type EventKind int

// What can happen to a room.
const (
	// Loaded: the document is here. Needs Load.
	Loaded EventKind = iota + 1
	// LoadFailed: it couldn't be had. Needs Err.
	LoadFailed
	// Attach: a link takes hold. Needs Session.Attachment; Resume if the link
	// held the room before, Crowded if much waits for it.
	Attach
	// Detach: a link lets go; its sessions have left.
	Detach
	// PutOff: an attachment has said more than its room could take in time, and is
	// to come back.
	PutOff
	// Join: a session comes in. Needs Session, Grants.
	Join
	// Regrant: what a session may do has changed. Needs Grants.
	Regrant
	// Leave: a session goes.
	Leave
	// Step1: a session asks for what it lacks. Data is its state vector; empty
	// means that it has nothing.
	Step1
	// Update: a session changes the document. Data is the update; Ticket, Step2.
	Update
	// Awareness: a session announces presence. Data is the awareness update.
	Awareness
	// QueryAwareness: a session asks who is here.
	QueryAwareness
	// RelayData: a session sends Data to the others, as it is.
	RelayData
	// Stored: storage has the append that Ready asked for. Needs Seq.
	Stored
	// Fenced: storage refuses what we write: most likely another process owns the
	// room. Needs Err.
	Fenced
	// Deleted: the document was deleted while the room was open. Needs Err.
	Deleted
	// Broke: the room's state can't be trusted any more. Needs Err.
	Broke
	// Compacted: the snapshot that Ready asked for is encoded, or the copy compacted,
	// and this is the document without what is deleted. Needs Document; nil if a
	// copy couldn't be compacted.
	Compacted
	// SnapshotStored: storage has the snapshot that Ready asked for.
	SnapshotStored
	// SnapshotFailed: it hasn't; a later one will be asked for.
	SnapshotFailed
	// Tick: time has passed.
	Tick
	// Crowded: much waits to be sent over an attachment's link, and what can wait
	// here had better. Relieved: no longer.
	Crowded
	Relieved
	// Drain: the process is going. Everybody is to come back later.
	Drain
	// Reconsider: Config.Judge may think otherwise of those who are here.
	Reconsider
)

// Event is one thing that happened. Fields that its kind doesn't need are zero.
// The room owns Data from then on.
type Event struct {
	Kind    EventKind
	Session SessionID
	Data    []byte
	Ticket  uint64
	Seq     uint64
	Resume  *uint64
	Grants  *Grants
	Crowded bool
	Step2   bool
	Load    *Load
	// Document is the room's from then on.
	Document *yjs.Document
	Err      error
}

// Load is what a room begins with. The room owns the document from then on.
type Load struct {
	Document *yjs.Document
	// Epoch and Seq say where the room's log stands.
	Epoch, Seq uint64
	// Records and Bytes measure the log since its last snapshot.
	Records, Bytes int
}
