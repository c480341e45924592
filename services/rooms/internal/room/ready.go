package room

import roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"

// Ready is what Step wants done. Frames may be sent as soon as it returns: what
// had to wait for storage is not among them.
type Ready struct {
	// Frames are to be delivered in order.
	Frames []Frame
	// Append is to be stored, with retries until the outcome is known; the room
	// asks for the next one only after Stored. Nil if there is none.
	Append *Append
	// Snapshot is to be encoded and stored, once, beside the loop: Compacted may
	// follow, then SnapshotStored or SnapshotFailed does.
	Snapshot *Snapshot
	// Compact is to be compacted beside the loop: Compacted follows.
	Compact *Copy
	// Denied counts what sessions tried and may not.
	Denied Denied
	// Reached names a limit each time that somebody went over it.
	Reached []string
}

// keepFrames is how many frames' place is kept for the next step.
const keepFrames = 4096

func (r *Ready) reset() {
	clear(r.Frames)
	if r.Frames = r.Frames[:0]; cap(r.Frames) > keepFrames {
		r.Frames = nil
	}
	r.Append = nil
	r.Snapshot = nil
	r.Compact = nil
	r.Denied = Denied{}
	r.Reached = r.Reached[:0]
}

// Frame is one message to one attachment. The message's attachment number is
// left to whoever knows how the attachment is called on its link. Messages of
// one broadcast share their bodies: nobody may change one.
type Frame struct {
	To      AttachmentID
	Message *roomsv1.RoomFrame
}

// Append is one record to be stored.
type Append struct {
	Epoch, Seq uint64
	// Record is in the format of AppendRecord.
	Record []byte
}
