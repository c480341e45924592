package badger

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	contract "github.com/fjord-sync/fjord/internal/contract/storage"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

var powerCuts = flag.Int("powercuts", 0, "how often TestPowerCut cuts the power (root on Linux, loop devices, ext4)")

// childDir is the environment variable that makes the test binary a crash child.
const childDir = "FJORD_CRASH_DIR"

// crashRooms is how many rooms a crash child writes, each by a goroutine.
const crashRooms = 12

// TestKill kills a process that stores, at random moments, again and again on the
// same directory. Every record that it was told is stored must be there.
func TestKill(t *testing.T) {
	t.Parallel() // it waits for the disk
	rounds := 20
	if testing.Short() {
		rounds = 5
	}
	dir := filepath.Join(t.TempDir(), "data")
	acked := map[int]uint64{} // room → the highest seq that was acknowledged
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	total := 0
	for round := range rounds {
		before := sum(acked)
		if round%3 == 2 { // while it opens what the last one left
			killChild(t, dir, 1, 0, time.Duration(5+random.IntN(40))*time.Millisecond, acked)
		}
		killChild(t, dir, 10, time.Duration(20+random.IntN(150))*time.Millisecond, childPatience, acked)
		total += int(sum(acked) - before)
		// A copy is opened and closed, so that the next child finds what the kill
		// left, on top of what earlier kills left.
		opened := t.TempDir()
		copyDir(t, opened, dir)
		checkCrash(t, opened, acked, round)
	}
	t.Logf("%d kills, %d acknowledged records", rounds, total)
	if total < 10*rounds {
		t.Fatalf("only %d records were acknowledged: the test shows nothing", total)
	}
}

// TestEmptyFiles opens directories with files that a crash has left without a byte.
func TestEmptyFiles(t *testing.T) {
	s := openStore(t, testOptions(t.TempDir()))
	mustAppend(t, s, "a", mustClaim(t, s, "a"), 1, []byte("one"))
	killed := t.TempDir()
	copyDir(t, killed, s.opt.Dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for state, from := range map[string]string{"killed": killed, "closed": s.opt.Dir} {
		for _, name := range []string{"00001.mem", "00002.mem", "00009.mem", "000001.vlog", "000002.vlog", "000009.vlog", "000009.sst", "DISCARD"} {
			dir := t.TempDir()
			copyDir(t, dir, from)
			if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Size() > 0 && filepath.Ext(name) == ".mem" {
				continue // it holds the records
			}
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), testOptions(dir))
			if err != nil {
				t.Errorf("%s, with an empty %s: %v", state, name, err)
				continue
			}
			if room, err := storetest.Adapt(s).Load(t.Context(), "a", 0); err != nil || len(room.Records) != 1 {
				t.Errorf("%s, with an empty %s: %d records, %v", state, name, len(room.Records), err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("%s, with an empty %s: %v", state, name, err)
			}
		}
	}
}

func sum(acked map[int]uint64) (n uint64) {
	for _, seq := range acked {
		n += seq
	}
	return n
}

// childPatience is how long a child may take for its first acknowledgements, on a disk
// that takes a second for a sync.
const childPatience = 5 * time.Minute

// killChild runs a child on dir, kills it so long after so many acknowledgements or
// its start, whichever comes first, and notes what it was told.
func killChild(t *testing.T, dir string, acks int, afterAck, afterStart time.Duration, acked map[int]uint64) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
	child.Env = append(os.Environ(), childDir+"="+dir)
	var stderr bytes.Buffer
	child.Stderr = &stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() { child.Process.Kill() }
	defer time.AfterFunc(afterStart, kill).Stop()
	lines := bufio.NewScanner(out)
	var timer *time.Timer
	for lines.Scan() {
		var room int
		var seq uint64
		if n, _ := fmt.Sscanf(lines.Text(), "stored %d %d", &room, &seq); n != 2 {
			continue // a line that the kill cut short, or the test framework's
		}
		if acks--; acks <= 0 && timer == nil {
			timer = time.AfterFunc(afterAck, kill)
			defer timer.Stop()
		}
		acked[room] = max(acked[room], seq)
	}
	err = child.Wait()
	// A child whose disk is gone says so, or dies of SIGBUS (Go makes it a 2).
	if code := child.ProcessState.ExitCode(); code != -1 && *powerCuts == 0 {
		t.Fatalf("the child ended by itself: %v\n%s", err, stderr.Bytes())
	}
}

// checkCrash opens dir and compares it with what was acknowledged.
func checkCrash(t *testing.T, dir string, acked map[int]uint64, round int) {
	t.Helper()
	s := openStore(t, testOptions(dir))
	loads := storetest.Adapt(s)
	for room, seq := range acked {
		got, err := loads.Load(t.Context(), crashRoom(room), 0)
		if err != nil {
			t.Fatalf("round %d: room %d: %v", round, room, err)
		}
		if got.Last < seq {
			t.Errorf("round %d: room %d ends with record %d, but %d was acknowledged", round, room, got.Last, seq)
		}
		checkCrashRoom(t, room, got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func checkCrashRoom(t *testing.T, room int, got contract.Room) {
	t.Helper()
	if got.SnapshotSeq > 0 && !bytes.Equal(got.Snapshot, crashData(room, got.SnapshotSeq, crashSnapshotSize)) {
		t.Errorf("room %d has other bytes in its snapshot at %d", room, got.SnapshotSeq)
	}
	for _, r := range got.Records {
		if !bytes.Equal(r.Data, crashData(room, r.Seq, crashRecordSize(r.Seq))) {
			t.Errorf("room %d has other bytes at %d", room, r.Seq)
		}
	}
}

func crashRoom(room int) string { return fmt.Sprintf("crash/%d", room) }

const crashSnapshotSize = 600 << 10

// crashRecordSize makes one record in fifty a large one.
func crashRecordSize(seq uint64) int {
	if seq%50 == 0 {
		return 300 << 10
	}
	return 30
}

func crashData(room int, seq uint64, size int) []byte {
	unit := fmt.Appendf(nil, "%d/%d ", room, seq)
	return bytes.Repeat(unit, size/len(unit)+1)[:size]
}

// TestCrashChild is no test: it is the process that TestKill kills.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("only as a child of TestKill")
	}
	s, err := Open(context.Background(), testOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	var out sync.Mutex // guards stdout's lines
	var writers sync.WaitGroup
	for room := range crashRooms {
		writers.Go(func() {
			if err := crashWrite(s, room, func(seq store.Seq) {
				out.Lock()
				defer out.Unlock()
				fmt.Printf("stored %d %d\n", room, seq)
			}); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(3)
			}
		})
	}
	writers.Wait()
}

// crashWrite appends and compacts until the process is killed.
func crashWrite(s *Store, room int, stored func(store.Seq)) error {
	ctx := context.Background()
	head, err := s.Claim(ctx, crashRoom(room))
	if err != nil {
		return err
	}
	if err := s.Load(ctx, crashRoom(room), head.Epoch, discard{}); err != nil {
		return err
	}
	for seq := head.Last + 1; ; seq++ {
		data := crashData(room, uint64(seq), crashRecordSize(uint64(seq)))
		item := store.Item{Room: crashRoom(room), Epoch: head.Epoch, Seq: seq, Data: data}
		if r := s.Append(ctx, []store.Item{item}); r[0].Err != nil {
			return r[0].Err
		}
		stored(seq)
		if seq%100 == 0 {
			snap := store.Snapshot{Room: crashRoom(room), Epoch: head.Epoch, Seq: seq, Size: crashSnapshotSize}
			if _, err := s.PutSnapshot(ctx, snap, bytes.NewReader(crashData(room, uint64(seq), crashSnapshotSize))); err != nil {
				return err
			}
		}
	}
}

// discard is a store.Sink that keeps nothing.
type discard struct{}

func (discard) Head(store.Head) error      { return nil }
func (discard) SnapshotChunk([]byte) error { return nil }
func (discard) Record(store.Record) error  { return nil }

// copyDir copies a data directory's files, holes as holes.
func copyDir(t testing.TB, to, from string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		if err := copySparse(filepath.Join(to, entry.Name()), filepath.Join(from, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

func copySparse(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	buf := make([]byte, 64<<10)
	var size int64
	for {
		n, err := in.Read(buf)
		if !allZero(buf[:n]) {
			if _, err := out.WriteAt(buf[:n], size); err != nil {
				return err
			}
		}
		size += int64(n)
		if err == io.EOF {
			return out.Truncate(size)
		}
		if err != nil {
			return err
		}
	}
}
