package store

// Head is a room's single entry: where its log stands and who may write it. The
// zero Head is that of a room which was never claimed. Its methods are the rules
// that every store keeps; they decide, and change nothing themselves.
type Head struct {
	// Epoch is the highest one handed out.
	Epoch Epoch
	// Last is the newest record's seq, or the newest that there ever was if the
	// room has been deleted since; 0 if there never was one.
	Last Seq
	// Base is the seq up to which there are no records: a snapshot stands for
	// them, or they were deleted. Records are Base+1 … Last.
	Base Seq
	// SnapshotSeq is Base if a snapshot stands for the records up to it, else 0.
	SnapshotSeq Seq
	// SnapshotSize is the snapshot's length in bytes, 0 without one.
	SnapshotSize uint64
	// Deleted marks a tombstone: empty until the next Claim, and still a fence.
	Deleted bool
}

// Holds reports whether the room holds anything: whether it is listed.
func (h Head) Holds() bool {
	return !h.Deleted && (h.SnapshotSeq > 0 || h.Last > h.Base)
}

// Claim returns the head after a Claim.
func (h Head) Claim() Head {
	h.Epoch++
	h.Deleted = false
	return h
}

// Owner says whether epoch may write the room; nil means that it may.
func (h Head) Owner(epoch Epoch) error {
	switch {
	case epoch == 0:
		return Errorf(Invalid, h, "epoch 0 owns nothing: Claim hands out epochs from 1")
	case epoch < h.Epoch:
		return Errorf(Fenced, h, "epoch %d is over: the room was claimed with epoch %d since; let go of it", epoch, h.Epoch)
	case epoch > h.Epoch:
		// Only a store that lost its newest writes, or another store's client,
		// gets here. Going on would number two logs alike.
		return Errorf(Conflict, h, "epoch %d was never handed out: the room stands at epoch %d; claim it again", epoch, h.Epoch)
	case h.Deleted:
		return Errorf(Deleted, h, "the room was deleted in epoch %d: claim it to begin a new log", epoch)
	}
	return nil
}

// Append says whether a record may take (epoch, seq), and returns the head after
// it. Again means that seq holds a record already: the caller must compare epoch
// and bytes, and the head stays as it is.
func (h Head) Append(epoch Epoch, seq Seq) (next Head, again bool, err error) {
	if err := h.Owner(epoch); err != nil {
		return h, false, err
	}
	switch {
	case seq == 0:
		return h, false, Errorf(Invalid, h, "seq 0 is no position: the next one is %d", h.Last+1)
	case seq <= h.Base:
		// Its bytes are gone, so a retry can't be told from a caller that lost
		// count; calling it stored would be a guess about somebody's edit.
		return h, false, Errorf(Conflict, h, "seq %d is not above %d, where the log begins: the next one is %d; load again", seq, h.Base, h.Last+1)
	case seq <= h.Last:
		return h, true, nil
	case seq > h.Last+1:
		return h, false, Errorf(Conflict, h, "seq %d leaves a hole: the next one is %d; load again", seq, h.Last+1)
	}
	h.Last = seq
	return h, false, nil
}

// Taken is the error for a seq that holds another record than the one offered.
func (h Head) Taken(seq Seq) error {
	return Errorf(Conflict, h, "seq %d holds another record: the next one is %d; load again", seq, h.Last+1)
}

// Snapshot says whether s may replace records, and returns the head after it and
// how many records it replaces. Again means that a snapshot of this seq and size
// is there: the caller must compare their bytes.
func (h Head) Snapshot(s Snapshot) (next Head, trimmed uint64, again bool, err error) {
	if err := h.Owner(s.Epoch); err != nil {
		return h, 0, false, err
	}
	switch {
	case s.Seq == 0:
		return h, 0, false, Errorf(Invalid, h, "a snapshot at seq 0 stands for no record: give it the seq of the newest record in it")
	case s.Seq > h.Last:
		return h, 0, false, Errorf(Conflict, h, "snapshot at seq %d is ahead of the log, which ends at %d; load again", s.Seq, h.Last)
	case s.Seq == h.SnapshotSeq && s.Size == h.SnapshotSize:
		return h, 0, true, nil
	case s.Seq <= h.Base:
		return h, 0, false, Errorf(Conflict, h, "snapshot at seq %d is not above %d, where the log begins", s.Seq, h.Base)
	}
	trimmed = uint64(s.Seq - h.Base)
	h.Base, h.SnapshotSeq, h.SnapshotSize = s.Seq, s.Seq, s.Size
	return h, trimmed, false, nil
}

// OtherSnapshot is the error for a snapshot whose seq has one with other bytes.
func (h Head) OtherSnapshot(seq Seq) error {
	return Errorf(Conflict, h, "seq %d has a snapshot with other bytes: the next one must be above it", seq)
}

// Delete returns the head after a Delete, and whether there was anything to
// delete; epoch 0 is an operator's. A room that holds nothing stays as it is: its
// owner, if it has one, goes on.
func (h Head) Delete(epoch Epoch) (next Head, existed bool, err error) {
	if epoch != 0 && !(h.Deleted && epoch == h.Epoch) {
		if err := h.Owner(epoch); err != nil {
			return h, false, err
		}
	}
	if !h.Holds() {
		return h, false, nil
	}
	return Head{Epoch: h.Epoch, Last: h.Last, Base: h.Last, Deleted: true}, true, nil
}

// Unmoved says whether the room still holds what it held when its head was seen.
// Claims change nothing of that, and who comes to a damaged room makes them all the
// time.
func (h Head) Unmoved(seen Head) error {
	seen.Epoch = h.Epoch
	if h != seen {
		return Errorf(Conflict, h, "the room was written, rebuilt or emptied since its damage was seen (seq %d then, %d now): look at it again", seen.Last, h.Last)
	}
	return nil
}

// Rebuild returns the head of a damaged room after all that it holds was replaced
// by a snapshot of size bytes. Nobody owns it then.
func (h Head) Rebuild(size uint64) Head {
	at := h.Last + 1
	return Head{Epoch: h.Epoch + 1, Last: at, Base: at, SnapshotSeq: at, SnapshotSize: size}
}

// Read says whether a Load with this epoch may read the room; 0 always may.
func (h Head) Read(epoch Epoch) error {
	if epoch == 0 {
		return nil
	}
	return h.Owner(epoch)
}
