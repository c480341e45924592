package badger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"testing/iotest"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

// wounded returns a store whose room a is damaged, and what is seen of that.
func wounded(t *testing.T, opt Options, w wound) (*Store, gatherer) {
	t.Helper()
	s := openStore(t, opt)
	w.spoil(t, s.db, writeDamageRooms(t, s))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, opt)
	var seen gatherer
	if err := s.Salvage(t.Context(), "a", &seen); err != nil {
		t.Fatal(err)
	}
	return s, seen
}

func rebuild(t *testing.T, s *Store, seen store.Head, data []byte) (store.Seq, error) {
	t.Helper()
	return s.Rebuild(t.Context(), store.Rebuilt{Room: "a", Seen: seen, Size: uint64(len(data))}, bytes.NewReader(data))
}

// TestRebuild: whatever of a room is damaged, a snapshot takes the place of all of
// it, in one chunk or many, and owners go on from there whom no earlier one can fence.
func TestRebuild(t *testing.T) {
	for name, w := range wounds {
		for _, size := range []int{10, 900 << 10} {
			t.Run(fmt.Sprintf("%s, %d bytes", name, size), func(t *testing.T) {
				s, seen := wounded(t, testOptions(t.TempDir()), w)
				if seen.head != (store.Head{}) {
					// Who knocks at a damaged room claims it.
					mustClaim(t, s, "a")
				}
				data := crashData(2, 11, size)
				seq, err := rebuild(t, s, seen.head, data)
				if err != nil || seq < 11 {
					t.Fatalf("rebuilt at %d, %v", seq, err)
				}
				if _, err := rebuild(t, s, seen.head, data); err == nil {
					t.Error("rebuilt again from what it was before")
				}
				room, err := storetest.Adapt(s).Load(t.Context(), "a", 0)
				if err != nil || !bytes.Equal(room.Snapshot, data) || len(room.Records) != 0 || room.Last != uint64(seq) {
					t.Errorf("loaded %d bytes of snapshot and %d records up to %d, %v", len(room.Snapshot), len(room.Records), room.Last, err)
				}
				if err := s.Append(t.Context(), []store.Item{{Room: "a", Epoch: 2, Seq: seq + 1, Data: []byte("late")}})[0].Err; store.KindOf(err) != store.Fenced {
					t.Errorf("the owner before: %v, want fenced", err)
				}
				head, err := s.Claim(t.Context(), "a")
				if err != nil || head.Last != seq {
					t.Fatalf("claimed with %+v, %v", head, err)
				}
				mustAppend(t, s, "a", head.Epoch, seq+1, []byte("on"))
				waitSwept(t, s)
				chunks := (size + maxChunk - 1) / maxChunk
				if n := countKeys(t, s); n[kindSnapshotChunk] != chunks || n[kindRecordChunk] != 0 || n[kindRecord] != 11 || n[kindSweep] != 0 {
					t.Errorf("there are %v, want %d chunks, the neighbour's 10 records and the new one", n, chunks)
				}
			})
		}
	}
}

// TestRebuildRefused: a room that was written since it was looked at, and one whose
// snapshot doesn't come to its end, stay as they are, and nothing is left of the
// upload.
func TestRebuildRefused(t *testing.T) {
	s, seen := wounded(t, testOptions(t.TempDir()), wounds["a record"])
	before := countKeys(t, s)
	broken := errors.New("broken")
	body := io.MultiReader(bytes.NewReader(make([]byte, 700<<10)), iotest.ErrReader(broken))
	if _, err := s.Rebuild(t.Context(), store.Rebuilt{Room: "a", Seen: seen.head, Size: 900 << 10}, body); !errors.Is(err, broken) {
		t.Errorf("with a broken body: %v", err)
	}
	mustAppend(t, s, "a", mustClaim(t, s, "a"), 11, []byte("by an owner who doesn't know"))
	for _, size := range []int{10, 900 << 10} {
		if _, err := rebuild(t, s, seen.head, make([]byte, size)); store.KindOf(err) != store.Conflict {
			t.Errorf("after a write, %d bytes: %v, want conflict", size, err)
		}
	}
	if err := s.Scrap(t.Context(), "a", seen.head); store.KindOf(err) != store.Conflict {
		t.Errorf("scrapped after a write: %v, want conflict", err)
	}
	for size, want := range map[int]store.Kind{0: store.Invalid, int(s.opt.Limits.Snapshot) + 1: store.Invalid} {
		if _, err := s.Rebuild(t.Context(), store.Rebuilt{Room: "a", Seen: seen.head, Size: uint64(size)}, nil); store.KindOf(err) != want {
			t.Errorf("%d bytes: %v, want %v", size, err, want)
		}
	}
	waitSwept(t, s)
	before[kindRecord]++
	if n := countKeys(t, s); fmt.Sprint(n) != fmt.Sprint(before) {
		t.Errorf("there are %v, want %v", n, before)
	}
	var again gatherer
	if err := s.Salvage(t.Context(), "a", &again); err != nil || again.snapshot != seen.snapshot || !slices.Equal(again.seqs, append(seen.seqs, 11)) {
		t.Errorf("%d bytes of the snapshot and records %v, %v", again.snapshot, again.seqs, err)
	}
}

// killedAt is the environment variable that says after how many bytes of its snapshot
// a rebuilding child dies; rebuiltByChild is how many it has.
const (
	killedAt       = "FJORD_CRASH_AT"
	rebuiltByChild = 3 << 20
)

// TestRebuildKilled kills the process that rebuilds a room, before, while and after
// it does: the next one finds the damaged room as it was, or the whole one, and can
// rebuild what isn't.
func TestRebuildKilled(t *testing.T) {
	t.Parallel() // it waits for the disk
	const size = rebuiltByChild
	for name, moments := range map[string][]int{"a record": {1, size / 2, size, size + 1}, "the head": {size, size + 1}} {
		opt := testOptions(t.TempDir())
		s, seen := wounded(t, opt, wounds[name])
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, at := range moments {
			child := exec.Command(os.Args[0], "-test.run=^TestRebuildChild$")
			child.Env = append(os.Environ(), childDir+"="+opt.Dir, killedAt+"="+strconv.Itoa(at))
			if out, err := child.CombinedOutput(); err == nil || child.ProcessState.ExitCode() != -1 {
				t.Fatalf("%s, killed at %d: %v, want a kill\n%s", name, at, err, out)
			}
			s := openStore(t, opt)
			waitSwept(t, s)
			var got gatherer
			if at <= size {
				if err := s.Salvage(t.Context(), "a", &got); err != nil || got.head != seen.head || got.snapshot != seen.snapshot || !slices.Equal(got.seqs, seen.seqs) {
					t.Errorf("%s, killed at %d: %+v, %v, want %+v", name, at, got, err, seen)
				}
			} else if err := s.Load(t.Context(), "a", 0, &got); err != nil || got.snapshot != size || len(got.seqs) != 0 {
				t.Errorf("%s, killed after the rebuild: %+v, %v", name, got, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRebuildChild is no test: it is the process that TestRebuildKilled kills.
func TestRebuildChild(t *testing.T) {
	at, err := strconv.Atoi(os.Getenv(killedAt))
	if err != nil {
		t.Skip("only as a child of TestRebuildKilled")
	}
	s, err := Open(context.Background(), testOptions(os.Getenv(childDir)))
	if err != nil {
		t.Fatal(err)
	}
	var seen gatherer
	if err := s.Salvage(context.Background(), "a", &seen); err != nil {
		t.Fatal(err)
	}
	body := &deadly{left: rebuiltByChild, at: at}
	if _, err := s.Rebuild(context.Background(), store.Rebuilt{Room: "a", Seen: seen.head, Size: rebuiltByChild}, body); err != nil {
		t.Fatal(err)
	}
	dieNow()
}

// deadly is a body whose reader is killed when at bytes of it were read.
type deadly struct{ left, read, at int }

func (d *deadly) Read(p []byte) (int, error) {
	if d.read >= d.at {
		dieNow()
	}
	if d.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), d.left, 64<<10)
	d.left -= n
	d.read += n
	return n, nil
}

// dieNow is kill -9: nothing is closed, nothing more is written.
func dieNow() {
	p, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {}
}
