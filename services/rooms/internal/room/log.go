package room

import roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"

// log is the room's view of its own log in storage: what is stored, what is on
// its way, and what waits. Relay and volatile rooms never use it.
//
//	stored ≤ seq │ inFlight (seq+1) │ waiting (the next record)
type log struct {
	// seq is the last stored record.
	seq uint64
	// inFlight is the batch that storage has been asked to keep; at most one, so
	// that what arrives meanwhile gathers.
	inFlight *batch
	waiting  batch

	// records and bytes measure the log since the last snapshot.
	records, bytes int
	// snapshotting is set while a snapshot is under way; snapshotRecords and
	// snapshotBytes are what it will have replaced.
	snapshotting                   bool
	snapshotRecords, snapshotBytes int
	// snapshotNotBefore is how many records the log must have for another try
	// after one that failed.
	snapshotNotBefore int
}

// batch is the updates of one record, and what must wait for it.
type batch struct {
	updates [][]byte
	bytes   int
	effects []effect
}

// effect is a frame that rests on a batch: to one attachment, or to all that
// are attached when the batch is stored.
type effect struct {
	to    AttachmentID
	all   bool
	frame *roomsv1.RoomFrame
}

// unsavedBytes returns the bytes of updates that aren't known to be stored.
func (l *log) unsavedBytes() int {
	n := l.waiting.bytes
	if l.inFlight != nil {
		n += l.inFlight.bytes
	}
	return n
}

// settled reports whether storage has everything and owes no answer.
func (l *log) settled() bool {
	return l.inFlight == nil && len(l.waiting.updates) == 0 && !l.snapshotting
}

// last returns the batch that the document's present state rests on, or nil if
// all of it is stored.
func (l *log) last() *batch {
	if len(l.waiting.updates) > 0 {
		return &l.waiting
	}
	return l.inFlight
}

// restsOn returns the seq of the record that the present state rests on.
func (l *log) restsOn() uint64 {
	switch {
	case len(l.waiting.updates) > 0 && l.inFlight != nil:
		return l.seq + 2
	case len(l.waiting.updates) > 0 || l.inFlight != nil:
		return l.seq + 1
	default:
		return l.seq
	}
}
