package store

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestRules walks through the rules that the contract suite can reach only one at
// a time: all calls on all kinds of heads.
func TestRules(t *testing.T) {
	heads := map[string]Head{
		"never":    {},
		"claimed":  {Epoch: 2},
		"written":  {Epoch: 2, Last: 5},
		"snapshot": {Epoch: 2, Last: 5, Base: 3, SnapshotSeq: 3, SnapshotSize: 9},
		"deleted":  {Epoch: 2, Last: 5, Base: 5, Deleted: true},
		"reborn":   {Epoch: 3, Last: 5, Base: 5},
	}
	for name, h := range heads {
		for epoch := range Epoch(5) {
			for seq := range Seq(8) {
				checkAppend(t, name, h, epoch, seq)
				checkSnapshot(t, name, h, epoch, seq)
			}
		}
		if next := h.Claim(); next.Epoch != h.Epoch+1 || next.Last != h.Last || next.Base != h.Base || next.Deleted {
			t.Errorf("%s: claimed to %+v", name, next)
		}
		checkDelete(t, name, h)
	}
}

// owner is what the contract says of epoch, 0 if it may write.
func owner(h Head, epoch Epoch) Kind {
	switch {
	case epoch == 0:
		return Invalid
	case epoch < h.Epoch:
		return Fenced
	case epoch > h.Epoch:
		return Conflict
	case h.Deleted:
		return Deleted
	}
	return 0
}

func checkAppend(t *testing.T, name string, h Head, epoch Epoch, seq Seq) {
	t.Helper()
	next, again, err := h.Append(epoch, seq)
	want := owner(h, epoch)
	if want == 0 && seq == 0 {
		want = Invalid
	} else if want == 0 && (seq <= h.Base || seq > h.Last+1) {
		want = Conflict
	}
	if KindOf(err) != want {
		t.Errorf("%s: append (%d, %d): %v, want %v", name, epoch, seq, err, want)
	}
	switch {
	case err != nil || seq <= h.Last:
		if next != h || again != (err == nil) {
			t.Errorf("%s: append (%d, %d) moved the head to %+v, again %v", name, epoch, seq, next, again)
		}
	default:
		moved := h
		moved.Last = seq
		if next != moved || again {
			t.Errorf("%s: append (%d, %d) moved the head to %+v, again %v", name, epoch, seq, next, again)
		}
	}
	if err != nil && HeadOf(err) != h {
		t.Errorf("%s: append (%d, %d): the error carries %+v", name, epoch, seq, HeadOf(err))
	}
}

func checkSnapshot(t *testing.T, name string, h Head, epoch Epoch, seq Seq) {
	t.Helper()
	for _, size := range []uint64{9, 10} {
		next, trimmed, again, err := h.Snapshot(Snapshot{Room: "a", Epoch: epoch, Seq: seq, Size: size})
		repeated := seq > 0 && seq == h.SnapshotSeq && size == h.SnapshotSize
		want := owner(h, epoch)
		if want == 0 && seq == 0 {
			want = Invalid
		} else if want == 0 && !repeated && (seq <= h.Base || seq > h.Last) {
			want = Conflict
		}
		if KindOf(err) != want {
			t.Errorf("%s: snapshot (%d, %d): %v, want %v", name, epoch, seq, err, want)
		}
		if err != nil || repeated {
			if next != h || trimmed != 0 || again != (err == nil) {
				t.Errorf("%s: snapshot (%d, %d) moved the head to %+v", name, epoch, seq, next)
			}
			continue
		}
		moved := Head{Epoch: h.Epoch, Last: h.Last, Base: seq, SnapshotSeq: seq, SnapshotSize: size}
		if next != moved || trimmed != uint64(seq-h.Base) || again {
			t.Errorf("%s: snapshot (%d, %d) moved the head to %+v, trimmed %d", name, epoch, seq, next, trimmed)
		}
	}
}

func checkDelete(t *testing.T, name string, h Head) {
	t.Helper()
	for epoch := range Epoch(5) {
		next, existed, err := h.Delete(epoch)
		want := owner(h, epoch)
		if epoch == 0 || want == Deleted {
			want = 0
		}
		if KindOf(err) != want || existed != (want == 0 && h.Holds()) {
			t.Errorf("%s: delete with %d: %v, %v; want %v", name, epoch, existed, err, want)
		}
		if existed && (next.Holds() || !next.Deleted || next.Epoch != h.Epoch || next.Last != h.Last) || !existed && next != h {
			t.Errorf("%s: delete with %d moved the head to %+v", name, epoch, next)
		}
	}
}

// TestRepairs: a damaged room may be replaced as long as nothing but its epoch has
// moved, and whoever owned it can't write then.
func TestRepairs(t *testing.T) {
	seen := Head{Epoch: 2, Last: 5, Base: 3, SnapshotSeq: 3, SnapshotSize: 9}
	appended, _, err := seen.Append(2, 6)
	if err != nil {
		t.Fatal(err)
	}
	compacted, _, _, err := seen.Snapshot(Snapshot{Room: "a", Epoch: 2, Seq: 5, Size: 9})
	if err != nil {
		t.Fatal(err)
	}
	deleted, _, err := seen.Delete(0)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		head Head
		want Kind
	}{
		"as it was": {seen, 0}, "claimed since": {seen.Claim().Claim(), 0},
		"written": {appended, Conflict}, "compacted": {compacted, Conflict}, "emptied": {deleted, Conflict},
		"emptied and claimed": {deleted.Claim(), Conflict}, "rebuilt": {seen.Rebuild(7), Conflict},
	} {
		if err := c.head.Unmoved(seen); KindOf(err) != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	next := seen.Rebuild(7)
	if want := (Head{Epoch: 3, Last: 6, Base: 6, SnapshotSeq: 6, SnapshotSize: 7}); next != want {
		t.Errorf("rebuilt to %+v, want %+v", next, want)
	}
	if err := next.Owner(2); KindOf(err) != Fenced {
		t.Errorf("the owner before: %v, want fenced", err)
	}
}

func TestBody(t *testing.T) {
	for _, size := range []int{1, 2, 100, 5000} {
		data := bytes.Repeat([]byte("body"), size)[:size]
		for name, reader := range map[string]func(io.Reader) io.Reader{
			"at once":                     func(r io.Reader) io.Reader { return r },
			"by byte":                     iotest.OneByteReader,
			"by half":                     iotest.HalfReader,
			"with EOF at the end of data": iotest.DataErrReader,
		} {
			got, err := ReadSnapshot(Snapshot{Size: uint64(size)}, reader(bytes.NewReader(data)))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes %s: %d bytes, %v", size, name, len(got), err)
			}
			for _, claimed := range []int{size - 1, size + 1} {
				if _, err := ReadSnapshot(Snapshot{Size: uint64(claimed)}, reader(bytes.NewReader(data))); KindOf(err) != Invalid {
					t.Errorf("%d bytes %s, announced as %d: %v", size, name, claimed, err)
				}
			}
		}
	}
	broken := errors.New("broken")
	if _, err := ReadSnapshot(Snapshot{Size: 5}, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a broken body: %v", err)
	}
	// A claimed size costs nothing before bytes come.
	allocated := testing.AllocsPerRun(10, func() { ReadSnapshot(Snapshot{Size: 1 << 40}, strings.NewReader("")) })
	if allocated > 20 {
		t.Errorf("%v allocations for an empty body", allocated)
	}
}

func TestErrorKinds(t *testing.T) {
	cause := errors.New("cause")
	err := error(Errorf(NoSpace, Head{Epoch: 3}, "no space: %w", cause))
	if KindOf(err) != NoSpace || HeadOf(err).Epoch != 3 || !errors.Is(err, cause) || err.Error() != "no space: cause" {
		t.Errorf("%v, kind %v, head %+v", err, KindOf(err), HeadOf(err))
	}
	if KindOf(cause) != 0 || KindOf(nil) != 0 || KindOf(cause).String() != "other" {
		t.Error("a foreign error has a kind")
	}
	for k := Fenced; k <= Closed; k++ {
		if k.String() == "" || k.String() == "other" {
			t.Errorf("kind %d has no name", k)
		}
	}
}
