package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
)

// testOwners lets several owners, none of whom knows of the others, write the
// same rooms at once: they claim, append, compact, delete and go on with epochs
// that were over long ago. At the end every record that was acknowledged, and not
// deleted since, must be there once: as a record or in the snapshot.
//
// It is the test that tells a fence from a unique key: with the latter, a stale
// owner's record finds its place free again after a compaction.
func testOwners(run runner) {
	for seed := uint64(1); seed <= 2; seed++ {
		run(fmt.Sprintf("owners/seed %d", seed), func(t *try) {
			l := &ledger{acked: map[string]map[uint64]uint64{}, wiped: map[string]uint64{}}
			t.together(6, func(i int) error {
				o := &owner{try: t, ledger: l, rand: rand.New(rand.NewPCG(seed, uint64(i))), id: uint64(i+1) << 32, rooms: map[string]*ownerRoom{}}
				for range 200 {
					if err := o.step(); err != nil {
						return err
					}
				}
				return nil
			})
			l.check(t)
			t.reopened()
			l.check(t)
		})
	}
}

// ledger is what the owners were told.
type ledger struct {
	mu    sync.Mutex                   // guards what follows
	acked map[string]map[uint64]uint64 // room → id → the epoch it was stored in
	wiped map[string]uint64            // room → the highest epoch that was deleted
}

func (l *ledger) ack(room string, id, epoch uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acked[room] == nil {
		l.acked[room] = map[uint64]uint64{}
	}
	l.acked[room][id] = epoch
}

// wipe notes a deletion in epoch: what was stored up to it is gone, and nothing
// can be stored in it any more.
func (l *ledger) wipe(room string, epoch uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wiped[room] = max(l.wiped[room], epoch)
}

func (l *ledger) check(t *try) {
	t.Helper()
	total := 0
	for _, room := range slices.Sorted(maps.Keys(l.acked)) {
		held := map[uint64]bool{}
		for _, id := range ids(t.loaded(room, 0)) {
			if held[id] {
				t.Errorf("room %q holds %x twice", room, id)
			}
			held[id] = true
		}
		for id, epoch := range l.acked[room] {
			if epoch <= l.wiped[room] {
				continue
			}
			if total++; !held[id] {
				t.Errorf("room %q lost %x, acknowledged in epoch %d", room, id, epoch)
			}
		}
	}
	if total == 0 {
		t.Error("nothing was acknowledged: the test shows nothing")
	}
}

// ids returns what a room holds, in order: each record is one id, a snapshot all
// that it stands for.
func ids(r Room) []uint64 {
	data := slices.Clone(r.Snapshot)
	for _, rec := range r.Records {
		data = append(data, rec.Data...)
	}
	out := make([]uint64, 0, len(data)/8)
	for ; len(data) >= 8; data = data[8:] {
		out = append(out, binary.BigEndian.Uint64(data))
	}
	return out
}

// owner is one process that believes it owns rooms.
type owner struct {
	*try
	ledger *ledger
	rand   *rand.Rand
	id     uint64 // of the next record
	rooms  map[string]*ownerRoom
}

// ownerRoom is what an owner knows of a room: all of it, as of its Load and by
// what it has stored since.
type ownerRoom struct {
	epoch, last uint64
	text        []byte
}

func (o *owner) step() error {
	name := []string{"x", "y", "z"}[o.rand.IntN(3)]
	r := o.rooms[name]
	if r == nil {
		return o.open(name)
	}
	switch n := o.rand.IntN(100); {
	case n < 70:
		return o.store(name, r)
	case n < 90:
		return o.compact(name, r)
	case n < 92:
		return o.delete(name, r)
	case n < 96:
		return o.open(name)
	}
	delete(o.rooms, name)
	return nil
}

func (o *owner) open(name string) error {
	pos, err := o.Claim(o.Context(), name)
	if err != nil {
		return err
	}
	room, err := o.Load(o.Context(), name, pos.Epoch)
	if lost(err) {
		return nil
	}
	if err != nil {
		return err
	}
	r := &ownerRoom{epoch: pos.Epoch, last: room.Last, text: slices.Clone(room.Snapshot)}
	for _, rec := range room.Records {
		r.text = append(r.text, rec.Data...)
	}
	o.rooms[name] = r
	return nil
}

// store appends one record. An owner that is fenced mostly doesn't believe it,
// and tries again later.
func (o *owner) store(name string, r *ownerRoom) error {
	o.id++
	data := binary.BigEndian.AppendUint64(nil, o.id)
	got, err := o.Append(o.Context(), Item{Room: name, Epoch: r.epoch, Seq: r.last + 1, Data: data})
	if err != nil {
		return err
	}
	switch got[0].Outcome {
	case Stored:
		o.ledger.ack(name, o.id, r.epoch)
		r.last++
		r.text = append(r.text, data...)
	case Fenced, Deleted:
		if o.rand.IntN(3) == 0 {
			delete(o.rooms, name)
		}
	default:
		return fmt.Errorf("append to %q, epoch %d, seq %d: %+v", name, r.epoch, r.last+1, got[0])
	}
	return nil
}

func (o *owner) compact(name string, r *ownerRoom) error {
	_, err := o.PutSnapshot(o.Context(), Snapshot{Room: name, Epoch: r.epoch, Seq: r.last, Data: r.text})
	if e, ok := errors.AsType[*Error](err); ok && (e.Outcome == Conflict || e.Outcome == Invalid) {
		return nil // there was nothing new to compact
	}
	if lost(err) {
		return nil
	}
	return err
}

func (o *owner) delete(name string, r *ownerRoom) error {
	existed, err := o.Delete(o.Context(), name, r.epoch)
	if lost(err) {
		return nil
	}
	if existed {
		o.ledger.wipe(name, r.epoch)
	}
	return err
}

func lost(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Outcome == Fenced || e.Outcome == Deleted)
}
