package room

import (
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

// log is the room's view of its own log in storage: what is stored, what is on
// its way, and what waits. Relay rooms never use it, and volatile ones as if each
// update were a record that is stored at once, and a compaction a snapshot.
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
	// changed is when a volatile room's document last did.
	changed time.Time
	// snapshotting is set while a snapshot is under way; snapshotRecords and
	// snapshotBytes are what it will have replaced.
	snapshotting                   bool
	snapshotRecords, snapshotBytes int
	// compaction is of the copy that becomes the snapshot, copied its bytes.
	compaction compaction
	copied     int
	// retryRecords and retryBytes are what the log must have grown to for another
	// snapshot after one that failed.
	retryRecords, retryBytes int
}

// batch is the updates of one record, and what must wait for it.
type batch struct {
	updates [][]byte
	bytes   int
	effects []effect
	// held is what the effects take in memory, answers the bytes of those that
	// answer a question (answers.go).
	held, answers int
	// snapshot is to be put when the batch is stored; nil if there is none.
	snapshot *Snapshot
}

// effectCost is about what a held frame takes in memory beside its bytes.
const effectCost = 256

// hold keeps an effect, which holds bytes that the batch doesn't count already,
// until the batch is stored.
func (b *batch) hold(e effect, bytes int) {
	b.effects = append(b.effects, e)
	b.held += effectCost + bytes
}

// number tells the batch's seq in its last broadcast: who has heard that one has
// the record whole. Those who are let in before it, and are told what they have
// missed, have the record's beginning only, and the link may break before they
// have the rest: theirs is one less.
func (b *batch) number(seq uint64) {
	more := false
	for i := len(b.effects) - 1; i >= 0; i-- {
		e := &b.effects[i]
		attached, broadcast := e.frame.GetAttached(), e.frame.GetBroadcast()
		switch {
		case e.all && !more:
			more = true
			broadcast.Seq = seq
		case attached != nil && more:
			attached.Seq = seq - 1
		case broadcast.GetSeq() != 0 && more:
			broadcast.Seq = seq - 1
		}
	}
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

// held returns what waits in memory, beside the updates, for storage.
func (l *log) held() int {
	n := l.waiting.held
	if l.inFlight != nil {
		n += l.inFlight.held
	}
	return n
}

// answers returns the bytes of answers that wait for storage.
func (l *log) answers() int {
	n := l.waiting.answers
	if l.inFlight != nil {
		n += l.inFlight.answers
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
