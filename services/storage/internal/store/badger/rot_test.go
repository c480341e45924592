package badger

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// rotEnv is the environment variable that makes the test binary a rot child.
const rotEnv = "FJORD_ROT_DIR"

var (
	rots    = flag.Int("rots", 0, "damages that TestRot does to each directory; 0 is a few")
	rotSeed = flag.Uint64("rotseed", 1, "seed of TestRot's damages")
	rotOnly = flag.String("rotonly", "", "only TestRot's damages with this in their names")
)

// TestRot damages files of data directories in every way that we know of, and opens
// them. What then is answered must be what was stored, or the room is refused, or
// the start, with a sentence that says how to go on; and who accepts the loss gets
// on with what can be read.
func TestRot(t *testing.T) {
	t.Parallel() // it waits for the disk
	for name, d := range rotDirectories(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			jobs := rotJobs(t, d)
			seen := map[string]int{}
			for i, answer := range runRots(t, d, jobs) {
				verdict, _, _ := strings.Cut(answer, ":")
				seen[verdict]++
				switch verdict {
				case "same", "rooms refused", "start refused":
					if *rots > 0 {
						t.Logf("%v: %s", jobs[i], answer)
					}
				default:
					t.Errorf("%s: %v: %s", name, jobs[i], answer)
				}
			}
			t.Logf("%s: %d damages: %v", name, len(jobs), seen)
		})
	}
}

// rotJobs chooses damages: each kind of file with each shape once before any again.
func rotJobs(t *testing.T, d *rotDirectory) (jobs []rotJob) {
	t.Helper()
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string][]string{}
	var names []string
	for _, entry := range entries {
		if !entry.Type().IsRegular() || strings.HasSuffix(entry.Name(), "~") {
			continue
		}
		kind := filepath.Ext(entry.Name())
		if kind == "" {
			kind = entry.Name()
		}
		kinds[kind] = append(kinds[kind], entry.Name())
		names = append(names, entry.Name())
	}
	random := rand.New(rand.NewPCG(*rotSeed, uint64(len(names))))
	shapes := []string{rotMissing, rotSwapped}
	for _, shape := range rotShapes {
		shapes = append(shapes, shape.name)
	}
	count := *rots
	if count == 0 {
		count = 8 / max(1, len(kinds[".mem"])) // logs take time to copy
	}
	for len(jobs) < count {
		var round []rotJob
		for _, kind := range slices.Sorted(maps.Keys(kinds)) {
			for _, shape := range shapes {
				files := kinds[kind]
				job := rotJob{Shape: shape, File: files[random.IntN(len(files))], Seed: random.Uint64()}
				pool := names
				if len(files) > 1 && random.IntN(2) == 0 {
					pool = files
				}
				for job.Other == "" || job.Other == job.File {
					job.Other = pool[random.IntN(len(pool))]
				}
				round = append(round, job)
			}
		}
		random.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
		jobs = append(jobs, round...)
	}
	jobs = jobs[:count]
	return slices.DeleteFunc(jobs, func(j rotJob) bool { return !strings.Contains(j.String(), *rotOnly) })
}

// runRots lets children do the jobs, and returns an answer for each. A child that
// dies gets a successor for the rest.
func runRots(t *testing.T, d *rotDirectory, jobs []rotJob) (answers []string) {
	t.Helper()
	want, err := json.Marshal(d.rooms)
	if err != nil {
		t.Fatal(err)
	}
	for len(answers) < len(jobs) {
		before := len(answers)
		var in bytes.Buffer
		in.Write(append(want, '\n'))
		for _, job := range jobs[before:] {
			line, err := json.Marshal(job)
			if err != nil {
				t.Fatal(err)
			}
			in.Write(append(line, '\n'))
		}
		child := exec.Command(os.Args[0], "-test.run=^TestRotChild$")
		child.Env = append(os.Environ(), rotEnv+"="+d.dir)
		child.Stdin = &in
		var stderr bytes.Buffer
		child.Stderr = &stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex // guards late
		late := false
		hung := time.AfterFunc(hangs, func() {
			mu.Lock()
			late = true
			mu.Unlock()
			child.Process.Kill()
		})
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if answer, ok := strings.CutPrefix(lines.Text(), "answer "); ok {
				hung.Reset(hangs)
				answers = append(answers, answer)
			}
		}
		err = child.Wait()
		hung.Stop()
		mu.Lock()
		if late {
			answers = append(answers, "HUNG")
		} else if err != nil && len(answers) < len(jobs) {
			text := stderr.String()
			if i := strings.Index(text, "panic:"); i >= 0 {
				text = text[i:]
			}
			answers = append(answers, fmt.Sprintf("DIED: %v: %.2500s", err, text))
		}
		mu.Unlock()
		if len(answers) == before {
			t.Fatalf("the child does nothing: %v %s", err, stderr.String())
		}
	}
	return answers
}

// TestRotChild is no test: it does the jobs of TestRot.
func TestRotChild(t *testing.T) {
	dir := os.Getenv(rotEnv)
	if dir == "" {
		t.Skip("only as a child of TestRot")
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() {
		t.Fatal("nothing to do")
	}
	var want map[string]string
	if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		var job rotJob
		if err := json.Unmarshal(lines.Bytes(), &job); err != nil {
			t.Fatal(err)
		}
		work, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		if err := copyFlat(work, dir); err != nil {
			t.Fatal(err)
		}
		if err := job.do(work); err != nil {
			t.Fatal(err)
		}
		answer := rotOne(work, job, want)
		fmt.Println("answer", strings.ReplaceAll(answer, "\n", " "))
		if err := os.RemoveAll(work); err != nil {
			t.Fatal(err)
		}
	}
}

// rotOptions are those with a ballast of the smallest size.
func rotOptions(dir string) Options {
	opt := testOptions(dir)
	opt.MinFree = ballastShare * lastBytes
	return opt
}

// rotOne opens a damaged directory and says what came of it.
func rotOne(dir string, job rotJob, want map[string]string) string {
	var log bytes.Buffer
	opt := rotOptions(dir)
	opt.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err := Open(context.Background(), opt)
	if err != nil {
		return rotRefused(dir, job, want, err)
	}
	answer := rotCompare(s, want)
	if err := s.Close(); err != nil {
		return fmt.Sprintf("NOT CLOSED: %v (%s)", err, answer)
	}
	if strings.HasPrefix(answer, "WRONG") {
		return answer + " " + log.String()
	}
	// And again: what it made of the directory must be whole.
	if s, err = Open(context.Background(), opt); err != nil {
		return fmt.Sprintf("NOT TWICE: %v (%s)", err, answer)
	}
	if again := rotCompare(s, want); again != answer {
		answer = fmt.Sprintf("OTHERWISE: %s, first %s", again, answer)
	}
	return answer + errText(s.Close())
}

func errText(err error) string {
	if err != nil {
		return fmt.Sprintf(", closed with %v", err)
	}
	return ""
}

// rotCompare compares what a store says with what was stored, and stores something
// beside it.
func rotCompare(s *Store, want map[string]string) string {
	got, corrupt, err := rotDigests(s)
	if err != nil {
		return fmt.Sprintf("WRONG: %v", err)
	}
	for room, digest := range want {
		switch {
		case slices.Contains(corrupt, room):
		case got[room] == "":
			return "WRONG: no room " + room
		case got[room] != digest:
			return "WRONG: another room " + room
		}
	}
	if len(got)+len(corrupt) != len(want) {
		return fmt.Sprintf("WRONG: %d rooms", len(got)+len(corrupt))
	}
	if len(corrupt) > 0 {
		return fmt.Sprintf("rooms refused: %d", len(corrupt))
	}
	return "same"
}

// rotRefused checks the sentence with which a start was refused, and the way on that
// it names.
func rotRefused(dir string, job rotJob, want map[string]string, refusal error) string {
	text := refusal.Error()
	if !strings.Contains(text, "restore a backup, or accept the loss") {
		return "USELESS: " + text
	}
	before, _ := os.Stat(filepath.Join(dir, job.File))
	opt := rotOptions(dir)
	opt.AcceptLoss = true
	s, err := Open(context.Background(), opt)
	if err != nil {
		return fmt.Sprintf("NOT ACCEPTED: %v (%s)", err, text)
	}
	got, corrupt, err := rotDigests(s)
	if err != nil {
		return fmt.Sprintf("MADE UP: %v (%s)", err, text)
	}
	kept := 0
	for room, digest := range got {
		if want[room] == "" && room != rotRoom(rotDeleted) { // it was there once
			return fmt.Sprintf("MADE UP: room %s (%s)", room, text)
		}
		if want[room] == digest {
			kept++
		}
	}
	head, err := s.Claim(context.Background(), "new")
	if err == nil {
		err = s.Append(context.Background(), []store.Item{{Room: "new", Epoch: head.Epoch, Seq: head.Last + 1, Data: []byte("r")}})[0].Err
	}
	if err != nil {
		return fmt.Sprintf("NOT USABLE: %v (%s)", err, text)
	}
	if err := s.Close(); err != nil {
		return fmt.Sprintf("NOT CLOSED: %v (%s)", err, text)
	}
	if s, err = Open(context.Background(), rotOptions(dir)); err != nil {
		return fmt.Sprintf("NOT TWICE: %v (%s)", err, text)
	}
	if err := s.Close(); err != nil {
		return fmt.Sprintf("NOT CLOSED: %v (%s)", err, text)
	}
	aside, _ := filepath.Glob(filepath.Join(dir, "*damaged-*", job.File))
	if job.File == "LOCK" {
		aside, _ = filepath.Glob(filepath.Join(dir, "LOCK-damaged-*"))
	}
	if len(aside) == 0 && before != nil && before.Size() > 0 {
		return fmt.Sprintf("NOT ASIDE: %s", text)
	}
	return fmt.Sprintf("start refused: kept %d of %d, %d refused: %s", kept, len(want), len(corrupt), text)
}
