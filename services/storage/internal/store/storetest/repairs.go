package storetest

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/iotest"

	contract "github.com/fjord-sync/fjord/internal/contract/storage"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// Repairs is what every store does when it is told to repair a room that is whole:
// damage has nothing to do with what it compares and whom it fences.
func Repairs(t *testing.T, open func(*testing.T) store.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *ill){
		"Rebuild":     rebuildReplacesAll,
		"Refused":     refusedChangesNothing,
		"Scrap":       scrapEmpties,
		"OwnerWrites": eitherTheOwnerOrTheRebuild,
		"TwoAtOnce":   oneOfTwoRebuilds,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			p := &ill{Store: s, contract: Adapt(s)}
			head, err := s.Claim(t.Context(), "a")
			must(t, err)
			head.Last = 1
			p.seen = head
			must(t, p.append(t, 1))
			test(t, p)
		})
	}
}

// ill is a store whose room a holds one record, written in epoch 1, and the head with
// which that was seen.
type ill struct {
	store.Store
	contract contract.Store
	seen     store.Head
}

func (p *ill) append(t *testing.T, seq store.Seq) error {
	t.Helper()
	return p.Append(t.Context(), []store.Item{{Room: "a", Epoch: 1, Seq: seq, Data: []byte("record")}})[0].Err
}

func (p *ill) rebuild(t *testing.T, size int) (store.Seq, error) {
	t.Helper()
	return p.Rebuild(t.Context(), store.Rebuilt{Room: "a", Seen: p.seen, Size: uint64(size)}, bytes.NewReader(make([]byte, size)))
}

// holds says what is wrong if the room isn't a snapshot of so many bytes, 0 for none,
// and records up to last above it.
func (p *ill) holds(t *testing.T, size, records int, last uint64) {
	t.Helper()
	room, err := p.contract.Load(t.Context(), "a", 0)
	if err != nil || len(room.Snapshot) != size || len(room.Records) != records || room.Last != last {
		t.Errorf("loaded %d bytes of snapshot and %d records up to %d, %v; want %d, %d, %d", len(room.Snapshot), len(room.Records), room.Last, err, size, records, last)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want fails the test if err isn't of that kind.
func want(t *testing.T, what string, err error, kind store.Kind) {
	t.Helper()
	if store.KindOf(err) != kind {
		t.Errorf("%s: %v, want %v", what, err, kind)
	}
}

// sizes are of a snapshot that rides in one transaction with its head, and of one that
// doesn't.
var sizes = []int{5, 900 << 10}

func rebuildReplacesAll(t *testing.T, p *ill) {
	t.Helper()
	for i, size := range sizes {
		_, err := p.Claim(t.Context(), "a") // nobody who only knocks is in its way
		must(t, err)
		seq, err := p.rebuild(t, size)
		if last := p.seen.Last; err != nil || seq != last+1 {
			t.Fatalf("rebuilt at %d, %v; want %d", seq, err, last+1)
		}
		p.holds(t, size, 0, uint64(seq))
		want(t, "the owner before", p.append(t, seq+1), store.Fenced)
		_, err = p.rebuild(t, size)
		want(t, "the same again", err, store.Conflict)
		head, err := p.Claim(t.Context(), "a")
		if err != nil || head.Last != seq || head.Epoch != store.Epoch(4+3*i) {
			t.Fatalf("claimed with %+v, %v", head, err)
		}
		must(t, p.Append(t.Context(), []store.Item{{Room: "a", Epoch: head.Epoch, Seq: seq + 1, Data: []byte("on")}})[0].Err)
		p.holds(t, size, 1, uint64(seq)+1)
		head.Last++
		p.seen = head
	}
}

func refusedChangesNothing(t *testing.T, p *ill) {
	t.Helper()
	broken := errors.New("broken")
	for _, size := range sizes {
		r := store.Rebuilt{Room: "a", Seen: p.seen, Size: uint64(size)}
		for name, c := range map[string]struct {
			body io.Reader
			kind store.Kind // 0 for broken itself
		}{
			"too short": {bytes.NewReader(make([]byte, size-1)), store.Invalid},
			"too long":  {bytes.NewReader(make([]byte, size+1)), store.Invalid},
			"broken":    {io.MultiReader(bytes.NewReader(make([]byte, size-1)), iotest.ErrReader(broken)), 0},
		} {
			_, err := p.Rebuild(t.Context(), r, c.body)
			want(t, name, err, c.kind)
			if c.kind == 0 && !errors.Is(err, broken) {
				t.Errorf("%s: %v, want what the reader said", name, err)
			}
		}
	}
	for _, size := range []uint64{0, Limits.Snapshot + 1} {
		_, err := p.Rebuild(t.Context(), store.Rebuilt{Room: "a", Seen: p.seen, Size: size}, nil)
		want(t, "a size out of bounds", err, store.Invalid)
	}
	_, err := p.Rebuild(t.Context(), store.Rebuilt{Size: 1}, nil)
	want(t, "no room's name", err, store.Invalid)
	must(t, p.append(t, 2)) // whoever owns it still does
	for _, size := range sizes {
		_, err := p.rebuild(t, size)
		want(t, "after a write", err, store.Conflict)
	}
	want(t, "scrapped after a write", p.Scrap(t.Context(), "a", p.seen), store.Conflict)
	p.holds(t, 0, 2, 2)
}

func scrapEmpties(t *testing.T, p *ill) {
	t.Helper()
	must(t, p.Scrap(t.Context(), "a", p.seen))
	want(t, "the owner before", p.append(t, 2), store.Deleted)
	if rooms, _, err := p.List(t.Context(), store.Page{Limit: 1}); err != nil || len(rooms) != 0 {
		t.Errorf("listed after it was scrapped: %v, %v", rooms, err)
	}
	_, err := p.rebuild(t, 5)
	want(t, "rebuilt after it was scrapped", err, store.Conflict)
}

// eitherTheOwnerOrTheRebuild: an owner who writes while the room is rebuilt either
// keeps its write and the room, or is told that it has neither.
func eitherTheOwnerOrTheRebuild(t *testing.T, p *ill) {
	t.Helper()
	size := sizes[1]
	written := make(chan error, 1)
	body := &during{Reader: bytes.NewReader(make([]byte, size)), then: func() {
		go func() { written <- p.append(t, 2) }()
	}}
	seq, err := p.Rebuild(t.Context(), store.Rebuilt{Room: "a", Seen: p.seen, Size: uint64(size)}, body)
	if err == nil {
		want(t, "the owner's write", <-written, store.Fenced)
		p.holds(t, size, 0, uint64(seq))
		return
	}
	want(t, "the rebuild", err, store.Conflict)
	must(t, <-written)
	p.holds(t, 0, 2, 2)
}

// during calls then once, before the first byte is read.
type during struct {
	io.Reader
	then func()
}

func (d *during) Read(b []byte) (int, error) {
	if d.then != nil {
		d.then()
		d.then = nil
	}
	return d.Reader.Read(b)
}

func oneOfTwoRebuilds(t *testing.T, p *ill) {
	t.Helper()
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, size := range sizes {
		wg.Go(func() { _, errs[i] = p.rebuild(t, size) })
	}
	wg.Wait()
	won := 0
	if errs[0] != nil {
		won = 1
	}
	must(t, errs[won])
	want(t, "the other one", errs[1-won], store.Conflict)
	p.holds(t, sizes[won], 0, 2)
}
