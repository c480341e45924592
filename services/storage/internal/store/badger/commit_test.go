package badger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

// held makes all commits wait from now on, and counts them.
type held struct {
	waiting chan struct{} // closed when a commit waits
	release func()        // lets it and all others go; the test's end does too
	commits atomic.Int64
}

func hold(t *testing.T, s *Store) *held {
	released := make(chan struct{})
	h := &held{waiting: make(chan struct{}), release: sync.OnceFunc(func() { close(released) })}
	t.Cleanup(h.release) // before the store's Close, which would wait for the commit
	waits := sync.OnceFunc(func() { close(h.waiting) })
	s.commit = func(txn *badger.Txn) error {
		h.commits.Add(1)
		waits()
		<-released
		return txn.Commit()
	}
	return h
}

// slowDisk is how long a test waits for what takes a few syncs.
const slowDisk = 2 * time.Minute

// waitFor polls until ok, for at most slowDisk.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(slowDisk); !ok(); {
		if time.Now().After(deadline) {
			t.Fatal("waited too long for: " + what)
		}
		select {
		case <-t.Context().Done():
			t.Fatal("the test ended")
		case <-time.After(time.Millisecond):
		}
	}
}

func TestGroupCommit(t *testing.T) {
	var batches []int
	opt := testOptions(t.TempDir())
	opt.Committed = func(c Commit) { batches = append(batches, c.Records) }
	s := openStore(t, opt)
	const calls = 200 // fewer than callBacklog
	for i := range calls {
		mustClaim(t, s, crashRoom(i))
	}
	batches = nil // the committer is idle: each claim was waited for
	h := hold(t, s)
	var all sync.WaitGroup
	all.Go(func() { mustAppendOne(t, s, "alone") })
	<-h.waiting
	for i := range calls {
		all.Go(func() {
			r := s.Append(context.Background(), []store.Item{{Room: crashRoom(i), Epoch: 1, Seq: 1, Data: []byte("r")}})
			if r[0].Err != nil {
				t.Error(r[0].Err)
			}
		})
	}
	waitFor(t, "calls to gather", func() bool { return len(s.calls) == calls })
	h.release()
	all.Wait()
	// The claim that "alone" waits with, its append with or after the others.
	if got := h.commits.Load(); got > 3 {
		t.Errorf("%d commits for %d calls that came during one: %v", got, calls, batches)
	}
}

func mustAppendOne(t *testing.T, s *Store, room string) {
	head, err := s.Claim(context.Background(), room)
	if err != nil {
		t.Error(err)
		return
	}
	r := s.Append(context.Background(), []store.Item{{Room: room, Epoch: head.Epoch, Seq: head.Last + 1, Data: []byte("r")}})
	if r[0].Err != nil {
		t.Error(r[0].Err)
	}
}

// TestBatchBounds: a call with more, or with more bytes, than a transaction may
// have takes several, and every item is stored.
func TestBatchBounds(t *testing.T) {
	var mu sync.Mutex // guards batches
	var batches []Commit
	opt := testOptions(t.TempDir())
	opt.Committed = func(c Commit) {
		mu.Lock()
		defer mu.Unlock()
		if c.Records > 0 {
			batches = append(batches, c)
		}
	}
	s := openStore(t, opt)
	for name, size := range map[string]int{"many": 30, "large": 200 << 10} {
		n := 1300
		if size > 1000 {
			n = 25
		}
		items := make([]store.Item, n)
		for i := range items {
			room := fmt.Sprintf("%s %d", name, i)
			items[i] = store.Item{Room: room, Epoch: mustClaim(t, s, room), Seq: 1, Data: crashData(i, 1, size)}
		}
		mu.Lock()
		batches = nil
		mu.Unlock()
		for i, r := range s.Append(t.Context(), items) {
			if r.Err != nil {
				t.Fatalf("%s: item %d: %v", name, i, r.Err)
			}
		}
		mu.Lock()
		for _, c := range batches {
			if c.Records > maxBatchOps || c.Bytes > maxBatchBytes {
				t.Errorf("%s: a transaction of %d records and %d bytes", name, c.Records, c.Bytes)
			}
		}
		if want := max((n+maxBatchOps-1)/maxBatchOps, n*size/maxBatchBytes+1); len(batches) != want {
			t.Errorf("%s: %d transactions, want %d", name, len(batches), want)
		}
		mu.Unlock()
	}
}

// TestFailedCommit: nobody is told anything but Unknown, and trying again after a
// restart finds out, whether the transaction reached the disk or not.
func TestFailedCommit(t *testing.T) {
	for name, reached := range map[string]bool{"before it reached the disk": false, "after it reached the disk": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, testOptions(dir))
			for _, room := range []string{"a", "b", "stale"} {
				mustAppend(t, s, room, mustClaim(t, s, room), 1, []byte("one"))
			}
			mustClaim(t, s, "stale")
			broken := errors.New("msync: input/output error")
			s.commit = func(txn *badger.Txn) error {
				if reached {
					if err := txn.Commit(); err != nil {
						t.Error(err)
					}
				}
				return broken
			}
			items := []store.Item{
				{Room: "a", Epoch: 1, Seq: 2, Data: []byte("two")},
				{Room: "stale", Epoch: 1, Seq: 2, Data: []byte("two")},
				{Room: "b", Epoch: 1, Seq: 2, Data: crashData(0, 2, 300<<10)},
			}
			for i, r := range s.Append(t.Context(), items) {
				if store.KindOf(r.Err) != store.Unknown {
					t.Errorf("item %d: %v, want unknown", i, r.Err)
				}
			}
			checkRefusesAll(t, s, broken)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openStore(t, testOptions(dir))
			results := s.Append(t.Context(), items)
			if results[0].Err != nil || results[2].Err != nil || store.KindOf(results[1].Err) != store.Fenced {
				t.Errorf("tried again: %+v", results)
			}
			other := s.Append(t.Context(), []store.Item{{Room: "a", Epoch: 1, Seq: 2, Data: []byte("TWO")}})
			if store.KindOf(other[0].Err) != store.Conflict {
				t.Errorf("other bytes: %v", other[0].Err)
			}
			if room, err := storetest.Adapt(s).Load(t.Context(), "a", 0); err != nil || len(room.Records) != 2 {
				t.Errorf("loaded %+v, %v", room, err)
			}
			waitSwept(t, s)
		})
	}
}

func checkRefusesAll(t *testing.T, s *Store, cause error) {
	t.Helper()
	select {
	case <-s.Failed():
	default:
		t.Error("Failed is not closed")
	}
	if err := s.Err(); !errors.Is(err, cause) {
		t.Errorf("Err() = %v, want %v", err, cause)
	}
	_, claimErr := s.Claim(t.Context(), "c")
	_, deleteErr := s.Delete(t.Context(), "a", 0)
	_, _, listErr := s.List(t.Context(), store.Page{Limit: 1})
	_, snapErr := s.PutSnapshot(t.Context(), store.Snapshot{Room: "a", Epoch: 1, Seq: 1, Size: 1}, nil)
	for name, err := range map[string]error{
		"Claim": claimErr, "Delete": deleteErr, "List": listErr, "PutSnapshot": snapErr,
		"Load": s.Load(t.Context(), "a", 0, discard{}),
	} {
		if store.KindOf(err) != store.Unknown {
			t.Errorf("%s after a failed commit: %v, want unknown", name, err)
		}
	}
}

// TestLeftAlone: a caller that leaves while its record is being committed doesn't
// know, and the record is stored.
func TestLeftAlone(t *testing.T) {
	s := openStore(t, testOptions(t.TempDir()))
	epoch := mustClaim(t, s, "a")
	h := hold(t, s)
	ctx, leave := context.WithCancel(t.Context())
	got := make(chan []store.Result)
	item := store.Item{Room: "a", Epoch: epoch, Seq: 1, Data: []byte("one")}
	go func() { got <- s.Append(ctx, []store.Item{item}) }()
	<-h.waiting
	leave()
	if r := <-got; store.KindOf(r[0].Err) != store.Unknown || !errors.Is(r[0].Err, context.Canceled) {
		t.Errorf("left alone: %v", r[0].Err)
	}
	h.release()
	mustAppend(t, s, "a", epoch, 1, []byte("one"))
	mustAppend(t, s, "a", epoch, 2, []byte("two"))
}

// TestCloseCarriesOut: what the committer has taken is answered, what comes after
// Close is refused, and nobody waits for ever.
func TestCloseCarriesOut(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, testOptions(dir))
	const rooms = 50
	for i := range rooms {
		mustClaim(t, s, crashRoom(i))
	}
	h := hold(t, s)
	var all sync.WaitGroup
	var stored [rooms]bool
	for i := range rooms {
		if i == 1 {
			<-h.waiting // the first one alone, or a batch of any size would wait
		}
		all.Go(func() {
			r := s.Append(context.Background(), []store.Item{{Room: crashRoom(i), Epoch: 1, Seq: 1, Data: []byte("r")}})
			switch kind := store.KindOf(r[0].Err); {
			case r[0].Err == nil:
				stored[i] = true
			case kind != store.Closed && kind != store.Unknown:
				t.Errorf("room %d: %v", i, r[0].Err)
			}
		})
	}
	waitFor(t, "calls to gather", func() bool { return len(s.calls) == rooms-1 })
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	<-s.closing
	h.release()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if r := s.Append(t.Context(), []store.Item{{Room: crashRoom(0), Epoch: 1, Seq: 2, Data: []byte("r")}}); store.KindOf(r[0].Err) != store.Closed {
		t.Errorf("after Close: %v", r[0].Err)
	}
	if err := s.Load(t.Context(), crashRoom(0), 0, discard{}); store.KindOf(err) != store.Closed {
		t.Errorf("Load after Close: %v", err)
	}
	s = openStore(t, testOptions(dir))
	for i, ok := range stored {
		room, err := storetest.Adapt(s).Load(t.Context(), crashRoom(i), 0)
		if err != nil || ok && len(room.Records) != 1 {
			t.Errorf("room %d was stored: %v, holds %d records, %v", i, ok, len(room.Records), err)
		}
	}
}

// TestKnownHeads: the committer forgets heads when there are too many, and no rule
// with them.
func TestKnownHeads(t *testing.T) {
	b := newBatch(nil)
	for i := range maxKnownHeads + 100 {
		b.remember(fmt.Sprint(i), entry{})
	}
	if len(b.known) != maxKnownHeads {
		t.Errorf("%d heads are known, want %d", len(b.known), maxKnownHeads)
	}
	if _, ok := b.known[fmt.Sprint(maxKnownHeads+99)]; !ok {
		t.Error("the newest head is not known")
	}
}

// overfull writes more than Badger takes in one transaction.
type overfull struct{ err error }

func (o *overfull) size() (entries, bytes int) { return 1, 1 }
func (o *overfull) settle(err error)           { o.err = err }
func (o *overfull) stage(b *batch) error {
	for i := range 4 {
		if err := b.set(fmt.Appendf(nil, "z%d", i), make([]byte, 900<<10)); err != nil {
			return err
		}
	}
	return nil
}

// TestOverfullTransaction: an op that is in the transaction by half, which only a
// mistake in the bounds can bring about, takes the whole batch with it.
func TestOverfullTransaction(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, testOptions(dir))
	mustClaim(t, s, "a")
	claim, wrong := &claimOp{room: "a"}, &overfull{}
	if err := s.submit(t.Context(), claim, wrong); err != nil {
		t.Fatal(err)
	}
	if store.KindOf(claim.err) != store.Unknown || store.KindOf(wrong.err) != store.Unknown || s.Err() == nil {
		t.Fatalf("claim: %v, overfull op: %v, store: %v", claim.err, wrong.err, s.Err())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, testOptions(dir))
	if counts := countKeys(t, s); counts['z'] != 0 {
		t.Errorf("a part of the batch was committed: %v", counts)
	}
	if epoch := mustClaim(t, s, "a"); epoch != 2 {
		t.Errorf("the next claim has epoch %d, want 2", epoch)
	}
}
