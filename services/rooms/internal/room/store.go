package room

// cut asks storage to keep what waits, if it isn't busy with an earlier batch,
// and asks for a snapshot when the log has outgrown the document.
func (r *Room) cut() {
	if r.dead || !r.loaded {
		return
	}
	if r.log.inFlight == nil && len(r.log.waiting.updates) > 0 {
		b := r.log.waiting
		r.log.inFlight = &b
		r.log.waiting = batch{}
		record := AppendRecord(make([]byte, 0, b.bytes+16+4*len(b.updates)), b.updates)
		r.ready.Append = &Append{Epoch: r.epoch, Seq: r.log.seq + 1, Record: record}
		b.bytes = len(record)
		r.log.inFlight.bytes = len(record)
		// The effects keep the updates alive; the list itself isn't needed.
		r.log.inFlight.updates = nil
	}
	if r.outgrown() {
		r.log.snapshotting = true
		r.log.snapshotRecords = r.log.records
		r.log.snapshotBytes = r.log.bytes
		// The state may hold updates beyond seq that are on their way. That is
		// safe: their records stay, and an update applied twice changes nothing.
		state := r.encodeState()
		r.ready.Snapshot = &Snapshot{
			Epoch: r.epoch,
			Seq:   r.log.seq,
			Data:  AppendSnapshot(make([]byte, 0, 1+len(state)), state),
		}
	}
}

// outgrown reports whether a snapshot would be worth its bytes. The log may grow
// to twice the document and some more before it: so the bytes written to
// snapshots stay a fraction of those written to the log.
func (r *Room) outgrown() bool {
	if r.config.Kind != Durable || r.log.snapshotting || r.log.records == 0 || r.log.records < r.log.snapshotNotBefore {
		return false
	}
	return r.log.bytes > r.config.SnapshotBytes+2*r.document.Size() ||
		(r.log.records > r.config.SnapshotRecords && r.log.bytes > r.document.Size()/2)
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
	for _, e := range b.effects {
		switch {
		case e.all:
			r.sendAll(e.frame)
		case r.attachments[e.to] != nil:
			r.send(e.to, e.frame)
		}
	}
}

func (r *Room) onSnapshotStored() {
	r.log.snapshotting = false
	r.log.snapshotNotBefore = 0
	r.log.records -= r.log.snapshotRecords
	r.log.bytes -= r.log.snapshotBytes
}

// onSnapshotFailed puts the next try off until the log has grown some more: what
// failed now would fail at once again.
func (r *Room) onSnapshotFailed() {
	r.log.snapshotting = false
	r.log.snapshotNotBefore = r.log.records + 1 + r.config.SnapshotRecords/10
}
