package room

import roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"

// cut asks storage to keep what waits, if it isn't busy with an earlier batch,
// and asks for a snapshot when the log has outgrown the document; in a volatile
// room for a compaction.
func (r *Room) cut() {
	if r.dead || !r.loaded {
		return
	}
	if r.log.inFlight == nil && len(r.log.waiting.updates) > 0 {
		b := r.log.waiting
		r.log.inFlight = &b
		r.log.waiting = batch{}
		record := AppendRecord(make([]byte, 0, b.bytes+16), b.updates)
		r.ready.Append = &Append{Epoch: r.epoch, Seq: r.log.seq + 1, Record: record}
		b.bytes = len(record)
		// The effects keep the updates alive; the list itself isn't needed.
		b.updates = nil
	}
	switch {
	case !r.outgrown():
	case r.config.Kind == Volatile:
		r.makeCopy()
	default:
		r.makeSnapshot()
	}
}

// makeSnapshot copies the document as it is now and has it stored when all that
// it rests on is: a snapshot that ran ahead of its records would, after a crash
// between the two, leave updates in the document that no seq tells of, and so
// nobody who resumes would hear of them. Nothing waits for a later record now
// (outgrown), so that the snapshot holds its last record whole.
//
// Only a copy is made here. Whoever stores it compacts that first, while the room
// goes on with the document as it is (onCompacted).
func (r *Room) makeSnapshot() {
	r.log.snapshotting = true
	s := &Snapshot{
		Epoch: r.epoch,
		Seq:   r.log.restsOn(),
		State: r.encodedState(),
	}
	s.Compact = r.compactor()
	r.log.compaction = compaction{running: s.Compact != nil}
	r.log.copied = len(s.State)
	if b := r.log.inFlight; b != nil {
		b.snapshot = s
		return
	}
	r.putSnapshot(s)
}

func (r *Room) putSnapshot(s *Snapshot) {
	if r.farewell != nil {
		r.endSnapshot() // nobody should have to wait for it
		return
	}
	r.log.snapshotRecords = r.log.records
	r.log.snapshotBytes = r.log.bytes
	s.Replaces = r.log.bytes
	r.ready.Snapshot = s
}

// outgrown reports whether a snapshot would be worth its bytes. The log may grow
// to twice the document and some more before it: so the bytes written to
// snapshots stay a fraction of those written to the log.
func (r *Room) outgrown() bool {
	l := &r.log
	if l.snapshotting || l.records == 0 || l.records < l.retryRecords || l.bytes < l.retryBytes {
		return false
	}
	if len(l.waiting.updates) > 0 || r.farewell != nil {
		return false // soon; or by the room's next owner
	}
	if r.config.Kind == Volatile && r.config.KeepDeleted {
		return false // there is nothing to do
	}
	if !r.outgrows(r.weight.size) {
		return false
	}
	r.weight.weigh(r.document) // it has grown too
	return r.outgrows(r.weight.size)
}

func (r *Room) outgrows(size int) bool {
	l := &r.log
	return l.bytes > r.config.SnapshotBytes+2*size ||
		(l.records > r.config.SnapshotRecords && l.bytes > size/2)
}

// onStored releases what waited for the record: broadcasts, acks and replies, in
// the order in which they came to be (law 3).
func (r *Room) onStored(seq uint64) {
	b := r.log.inFlight
	if r.dead || b == nil || seq != r.log.seq+1 {
		return // an answer to an append that is no longer ours
	}
	r.log.inFlight = nil
	r.log.seq = seq
	r.log.records++
	r.log.bytes += b.bytes
	r.given += b.answers
	b.number(seq)
	for _, e := range b.effects {
		switch {
		case e.all:
			r.sendAll(e.frame)
		case r.attachments[e.to] != nil:
			r.send(e.to, e.frame)
		}
	}
	if b.snapshot != nil {
		r.putSnapshot(b.snapshot)
	}
}

// endSnapshot forgets the one that is under way.
func (r *Room) endSnapshot() {
	r.log.snapshotting = false
	r.log.compaction = compaction{}
	r.log.copied = 0
}

func (r *Room) onSnapshotStored() {
	r.endSnapshot()
	r.log.retryRecords, r.log.retryBytes = 0, 0
	r.log.records -= r.log.snapshotRecords
	r.log.bytes -= r.log.snapshotBytes
}

// onSnapshotFailed puts the next try off until the log has grown some more: what
// failed now would fail at once again. By a share of the document too: where records
// are stored and snapshots aren't, a large document would be compacted and sent, for
// nothing, every few keystrokes.
func (r *Room) onSnapshotFailed() {
	const share = 10
	r.endSnapshot()
	r.log.retryRecords = r.log.records + 1 + r.config.SnapshotRecords/share
	r.weight.weigh(r.document)
	r.log.retryBytes = r.log.bytes + r.weight.size/share
}

// sendWhenStored has a frame delivered when everything applied so far is stored:
// now, if it is already. bytes is what the frame holds in memory meanwhile.
func (r *Room) sendWhenStored(to AttachmentID, frame *roomsv1.RoomFrame, bytes int) {
	if b := r.log.last(); b != nil {
		b.hold(effect{to: to, frame: frame}, bytes)
		return
	}
	r.send(to, frame)
}

// heldUp reports whether so many frames wait for storage that nobody may cause
// another one. Each is small, but a flood of what is refused, or says nothing new,
// would fill the memory of a process whose storage is away.
func (r *Room) heldUp() bool { return r.log.held() > r.config.MaxHeldBytes }
