package storage

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// testModel runs random calls, of owners that are current, stale or ahead of
// their time, against the store and against a model of it that is too simple to
// be wrong, and compares every answer and, now and then, everything.
func testModel(run runner) {
	for seed := uint64(1); seed <= 6; seed++ {
		run(fmt.Sprintf("model/seed %d", seed), func(t *try) {
			m := &modelRun{try: t, rand: rand.New(rand.NewPCG(seed, 0)), model: map[string]*modelRoom{}}
			for range 400 {
				m.step()
			}
			m.compareAll()
			t.reopened()
			m.compareAll()
		})
	}
}

// modelRoom is a room as the contract describes it.
type modelRoom struct {
	epoch, last uint64
	records     map[uint64]modelRecord
	snapshotSeq uint64
	snapshot    []byte
	deleted     bool
}

type modelRecord struct {
	epoch uint64
	data  []byte
}

type modelRun struct {
	*try
	rand  *rand.Rand
	model map[string]*modelRoom
}

var modelRooms = []string{"a", "a\x00", "ab", "b"}

// step makes one random call. Appends are the most, and mostly the right ones, so
// that logs grow; the rest is what goes wrong.
func (m *modelRun) step() {
	name := modelRooms[m.rand.IntN(len(modelRooms))]
	r := m.model[name]
	if r == nil {
		r = &modelRoom{records: map[uint64]modelRecord{}}
		m.model[name] = r
	}
	switch n := m.rand.IntN(100); {
	case n < 8 || r.epoch == 0:
		m.claim(name, r)
	case n < 65:
		m.appendOne(name, r)
	case n < 82:
		m.putSnapshot(name, r)
	case n < 86:
		m.delete(name, r)
	case n < 98:
		m.load(name, r)
	default:
		m.reopened()
		m.compareAll()
	}
}

// epoch is mostly the right one, else a stale one or one from the future.
func (m *modelRun) epoch(r *modelRoom) uint64 {
	switch n := m.rand.IntN(10); {
	case n < 3 && r.epoch > 1:
		return 1 + m.rand.Uint64N(r.epoch-1)
	case n == 9:
		return r.epoch + 1
	}
	return r.epoch
}

func (m *modelRun) data() []byte {
	size := 1 + m.rand.IntN(30)
	if m.rand.IntN(60) == 0 {
		size = 200<<10 + m.rand.IntN(400<<10)
	}
	return pattern(size, m.rand.Uint64())
}

func (m *modelRun) claim(name string, r *modelRoom) {
	r.epoch++
	r.deleted = false
	if got, want := m.claimed(name), r.position(); got != want {
		m.Fatalf("Claim(%q) = %+v, want %+v", name, got, want)
	}
}

func (r *modelRoom) position() Position {
	return Position{Epoch: r.epoch, Last: r.last, SnapshotSeq: r.snapshotSeq}
}

// owner is what the contract says of a call with this epoch, Stored if it may.
func (r *modelRoom) owner(epoch uint64) Outcome {
	switch {
	case epoch < r.epoch:
		return Fenced
	case epoch > r.epoch:
		return Conflict
	case r.deleted:
		return Deleted
	}
	return Stored
}

func (m *modelRun) appendOne(name string, r *modelRoom) {
	item := Item{Room: name, Epoch: m.epoch(r), Seq: r.last + 1, Data: m.data()}
	switch n := m.rand.IntN(10); {
	case n == 0:
		item.Seq += 1 + m.rand.Uint64N(3)
	case n < 4 && r.last > 0: // an old place, mostly with what it holds
		item.Seq = 1 + m.rand.Uint64N(r.last)
		if old, ok := r.records[item.Seq]; ok && m.rand.IntN(3) > 0 {
			item.Data = old.data
		}
	}
	want := r.owner(item.Epoch)
	if want == Stored && item.Seq != r.last+1 {
		old, ok := r.records[item.Seq]
		if !ok || old.epoch != item.Epoch || !bytes.Equal(old.data, item.Data) {
			want = Conflict
		}
	}
	if want == Stored && item.Seq == r.last+1 {
		r.last = item.Seq
		r.records[item.Seq] = modelRecord{epoch: item.Epoch, data: item.Data}
	}
	m.is(m.append(item), Result{Outcome: want, HeadEpoch: r.epoch, HeadLast: r.last}, item)
}

func (m *modelRun) putSnapshot(name string, r *modelRoom) {
	s := Snapshot{Room: name, Epoch: m.epoch(r), Seq: r.last, Data: m.data()}
	if m.rand.IntN(3) == 0 {
		s.Seq = 1 + m.rand.Uint64N(r.last+2)
	}
	want := r.owner(s.Epoch)
	repeated := r.snapshotSeq > 0 && s.Seq == r.snapshotSeq && bytes.Equal(s.Data, r.snapshot)
	_, there := r.records[s.Seq]
	if want == Stored && !there && !repeated {
		want = Conflict // ahead of the log, or not above where it begins
		if s.Seq == 0 {
			want = Invalid
		}
	}
	trimmed, err := m.PutSnapshot(m.Context(), s)
	if want != Stored {
		m.fails(fmt.Sprintf("PutSnapshot(%q, epoch %d, seq %d)", name, s.Epoch, s.Seq), err, want, Position{Epoch: r.epoch, Last: r.last})
		return
	}
	before := len(r.records)
	if !repeated {
		r.snapshotSeq, r.snapshot = s.Seq, s.Data
		maps.DeleteFunc(r.records, func(seq uint64, _ modelRecord) bool { return seq <= s.Seq })
	}
	if err != nil || trimmed != uint64(before-len(r.records)) {
		m.Fatalf("PutSnapshot(%q, seq %d) = %d, %v; want %d trimmed", name, s.Seq, trimmed, err, before-len(r.records))
	}
}

func (m *modelRun) delete(name string, r *modelRoom) {
	epoch := m.epoch(r)
	if m.rand.IntN(2) == 0 {
		epoch = 0
	}
	want := Stored
	if epoch > 0 {
		if want = r.owner(epoch); want == Deleted {
			want = Stored // it is deleted already, by whomever
		}
	}
	existed, err := m.Delete(m.Context(), name, epoch)
	if want != Stored {
		m.fails(fmt.Sprintf("Delete(%q, %d)", name, epoch), err, want, Position{Epoch: r.epoch, Last: r.last})
		return
	}
	if err != nil || existed != r.holds() {
		m.Fatalf("Delete(%q, %d) = %v, %v; want %v", name, epoch, existed, err, r.holds())
	}
	if existed {
		r.records, r.snapshot, r.snapshotSeq, r.deleted = map[uint64]modelRecord{}, nil, 0, true
	}
}

func (r *modelRoom) holds() bool { return len(r.records) > 0 || r.snapshotSeq > 0 }

func (m *modelRun) load(name string, r *modelRoom) {
	epoch := m.epoch(r)
	if m.rand.IntN(3) == 0 {
		epoch = 0
	}
	if want := r.owner(epoch); epoch > 0 && want != Stored {
		_, err := m.Load(m.Context(), name, epoch)
		m.fails(fmt.Sprintf("Load(%q, %d)", name, epoch), err, want, Position{Epoch: r.epoch, Last: r.last})
		return
	}
	m.compare(name, r, m.loaded(name, epoch))
}

func (m *modelRun) compare(name string, r *modelRoom, got Room) {
	if got.Position != r.position() {
		m.Fatalf("Load(%q) has the head %+v, want %+v", name, got.Position, r.position())
	}
	m.same("snapshot of "+name, got.Snapshot, r.snapshot)
	seqs := slices.Sorted(maps.Keys(r.records))
	if len(got.Records) != len(seqs) {
		m.Fatalf("Load(%q) has %d records, want %d", name, len(got.Records), len(seqs))
	}
	for i, seq := range seqs {
		if got.Records[i].Seq != seq {
			m.Fatalf("Load(%q) has record %d in place %d, want %d", name, got.Records[i].Seq, i, seq)
		}
		m.same(fmt.Sprintf("record %d of %q", seq, name), got.Records[i].Data, r.records[seq].data)
	}
}

func (m *modelRun) compareAll() {
	var listed []string
	for _, name := range slices.SortedFunc(maps.Keys(m.model), strings.Compare) {
		r := m.model[name]
		m.compare(name, r, m.loaded(name, 0))
		if r.holds() {
			listed = append(listed, name)
		}
	}
	m.lists(listed, "", "", 100, false)
}
