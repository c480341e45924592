package badger

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	contract "github.com/fjord-sync/fjord/internal/contract/storage"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

// flipDir is the environment variable that makes the test binary a flip child.
const flipDir = "FJORD_FLIP_DIR"

// hangs is how long a child may take for one bit, on a disk that takes a second for a
// sync.
const hangs = 3 * time.Minute

var flips = flag.Int("flips", 12, "bits that TestFlip turns over in each file")

// TestFlip turns over single bits of a data directory: one that was closed, and
// one whose process was killed. Afterwards everything must be as it was: whatever
// matters is turned back.
//
// Badger panics on some damage in goroutines of its own, so children do it.
func TestFlip(t *testing.T) {
	t.Parallel() // it waits for the disk
	closed, killed := t.TempDir(), t.TempDir()
	s := openStore(t, testOptions(t.TempDir()))
	writeFlipRooms(t, s)
	waitSwept(t, s)
	// Its loss can't be told from a torn end, see scan.go, and nobody checks it.
	if _, err := s.Claim(t.Context(), "the last transaction"); err != nil {
		t.Fatal(err)
	}
	copyDir(t, killed, s.opt.Dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	copyDir(t, closed, s.opt.Dir)
	for name, dir := range map[string]string{"closed": closed, "killed": killed} {
		t.Run(name, func(t *testing.T) {
			jobs := flipJobs(t, dir)
			seen := map[string]int{}
			for i, answer := range runFlips(t, dir, jobs) {
				verdict, _, _ := strings.Cut(answer, ":")
				seen[verdict]++
				if verdict != "same" && verdict != "mended" {
					t.Errorf("bit %s: %s", jobs[i], answer)
				}
			}
			t.Logf("%d bits: %v", len(jobs), seen)
			if seen["mended"] == 0 || seen["same"] == 0 {
				t.Error("no bit mattered, or all did: the test shows nothing")
			}
		})
	}
}

var flipRooms = []string{"small", "compacted", "large", "claimed twice", "deleted"}

func writeFlipRooms(t *testing.T, s *Store) {
	t.Helper()
	put := func(room string, epoch, seq uint64, data []byte) {
		t.Helper()
		item := store.Item{Room: room, Epoch: store.Epoch(epoch), Seq: store.Seq(seq), Data: data}
		if r := s.Append(t.Context(), []store.Item{item}); r[0].Err != nil {
			t.Fatal(r[0].Err)
		}
	}
	for _, room := range flipRooms {
		if _, err := s.Claim(t.Context(), room); err != nil {
			t.Fatal(err)
		}
		for seq := uint64(1); seq <= 12; seq++ {
			put(room, 1, seq, crashData(int(seq), seq, 200))
		}
	}
	snap := store.Snapshot{Room: "compacted", Epoch: 1, Seq: 8, Size: 5000}
	if _, err := s.PutSnapshot(t.Context(), snap, bytes.NewReader(crashData(0, 8, 5000))); err != nil {
		t.Fatal(err)
	}
	put("large", 1, 13, crashData(1, 13, 300<<10))
	if _, err := s.Claim(t.Context(), "claimed twice"); err != nil {
		t.Fatal(err)
	}
	put("claimed twice", 2, 13, []byte("new owner"))
	if _, err := s.Delete(t.Context(), "deleted", 1); err != nil {
		t.Fatal(err)
	}
}

// flipJobs chooses bits of every file: some at its ends, where Badger keeps what
// it trusts most, and some anywhere but in the holes.
func flipJobs(t *testing.T, dir string) (jobs []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		data = bytes.TrimRight(data, "\x00")
		if len(data) == 0 || entry.Name() == "LOCK" {
			continue
		}
		var at []int
		for i := range *flips / 3 {
			at = append(at, i%len(data), len(data)-1-i%len(data))
		}
		for range *flips / 3 {
			at = append(at, random.IntN(len(data)))
		}
		for _, offset := range at {
			jobs = append(jobs, fmt.Sprintf("%s %d %d", entry.Name(), offset, random.IntN(8)))
		}
	}
	return jobs
}

// runFlips lets children do the jobs, and returns an answer for each. A child that
// dies gets a successor for the rest.
func runFlips(t *testing.T, dir string, jobs []string) (answers []string) {
	t.Helper()
	for len(answers) < len(jobs) {
		before := len(answers)
		child := exec.Command(os.Args[0], "-test.run=^TestFlipChild$")
		child.Env = append(os.Environ(), flipDir+"="+dir)
		child.Stdin = strings.NewReader(strings.Join(jobs[before:], "\n"))
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		hung := time.AfterFunc(hangs, func() { child.Process.Kill() })
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if answer, ok := strings.CutPrefix(lines.Text(), "answer "); ok {
				hung.Reset(hangs)
				answers = append(answers, answer)
			}
		}
		if err := child.Wait(); err != nil && len(answers) < len(jobs) {
			verdict := "died: "
			if !hung.Stop() {
				verdict = "WRONG: hung: "
			}
			answers = append(answers, verdict+err.Error())
		}
		hung.Stop()
		if len(answers) == before {
			t.Fatal("the child does nothing")
		}
	}
	return answers
}

// TestFlipChild is no test: it does the jobs of TestFlip.
func TestFlipChild(t *testing.T) {
	dir := os.Getenv(flipDir)
	if dir == "" {
		t.Skip("only as a child of TestFlip")
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var name string
		var offset, bit int
		if _, err := fmt.Sscanf(lines.Text(), "%s %d %d", &name, &offset, &bit); err != nil {
			t.Fatal(err)
		}
		fmt.Println("answer", flipOne(t, dir, name, offset, bit))
	}
}

func flipOne(t *testing.T, from, name string, offset, bit int) string {
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	copyDir(t, dir, from)
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := file.ReadAt(b[:], int64(offset)); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1 << bit
	if _, err := file.WriteAt(b[:], int64(offset)); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	opt := testOptions(dir)
	opt.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))
	s, err := Open(context.Background(), opt)
	if err != nil {
		return "refused: " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	answer := checkFlipRooms(s)
	s.Close()
	if answer == "same" && strings.Contains(log.String(), fmt.Sprintf("file=%s byte=%d bit=%d", name, offset, bit)) {
		answer = "mended"
	}
	return answer
}

// checkFlipRooms compares what Load says of the rooms with what was written.
func checkFlipRooms(s *Store) string {
	answer := "same"
	for _, room := range flipRooms {
		got, err := storetest.Adapt(s).Load(context.Background(), room, 0)
		if e, ok := errors.AsType[*contract.Error](err); ok && e.Outcome == contract.Corrupt {
			answer = "corrupt: " + room
			continue
		}
		if err != nil {
			return "WRONG: " + room + ": " + err.Error()
		}
		if wrong := flipWrong(room, got); wrong != "" {
			return "WRONG: " + room + ": " + wrong
		}
	}
	return answer
}

func flipWrong(room string, got contract.Room) string {
	want := contract.Position{Epoch: 1, Last: 12}
	records := make([][]byte, 0, 13)
	for seq := uint64(1); seq <= 12; seq++ {
		records = append(records, crashData(int(seq), seq, 200))
	}
	var snapshot []byte
	switch room {
	case "compacted":
		want.SnapshotSeq, snapshot, records = 8, crashData(0, 8, 5000), records[8:]
	case "large":
		want.Last, records = 13, append(records, crashData(1, 13, 300<<10))
	case "claimed twice":
		want, records = contract.Position{Epoch: 2, Last: 13}, append(records, []byte("new owner"))
	case "deleted":
		records = nil
	}
	if got.Position != want || !bytes.Equal(got.Snapshot, snapshot) {
		return fmt.Sprintf("head %+v, snapshot of %d bytes", got.Position, len(got.Snapshot))
	}
	if !slices.EqualFunc(got.Records, records, func(r contract.Record, data []byte) bool { return bytes.Equal(r.Data, data) }) {
		return fmt.Sprintf("%d records", len(got.Records))
	}
	return ""
}
