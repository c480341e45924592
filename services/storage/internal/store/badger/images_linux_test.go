package badger

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	contract "github.com/fjord-sync/fjord/internal/contract/storage"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

var images = flag.Int("images", 8, "how many images TestImages takes")

// imageRooms is how many rooms TestImages has, each with a goroutine.
const imageRooms = 6

// imageOptions make logs and tables small: so there is always one that is being made
// or compacted.
func imageOptions(dir string) Options {
	opt := quiet(testOptions(dir))
	opt.tune = func(o *badger.Options) {
		o.MemTableSize, o.ValueThreshold = 2<<20, 300<<10
		o.BaseTableSize, o.BaseLevelSize, o.LevelSizeMultiplier = 128<<10, 512<<10, 2
		o.NumLevelZeroTables = 2
	}
	return opt
}

// TestImages stops a process that does all there is to do, copies its directory, as a
// kill or a power cut at that moment would leave it, and opens the copy: nothing is
// missing, so none may be refused or repaired, and all that was acknowledged is there.
// Now and then the process is killed, or closes, and another goes on.
func TestImages(t *testing.T) {
	t.Parallel() // it waits for the disk
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	dir := filepath.Join(t.TempDir(), "data")
	acked := make(map[int]uint64)
	var mu sync.Mutex // guards acked
	past := t.TempDir()
	taken := 0
	for taken < *images {
		child := startImageChild(t, dir, acked, &mu)
		for range 1 + random.IntN(12) {
			if random.IntN(4) > 0 {
				time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
			}
			if child.exited() {
				break
			}
			mu.Lock()
			stored := maps.Clone(acked)
			mu.Unlock()
			child.stop(t)
			image := t.TempDir()
			if err := copyFlat(image, dir); err != nil {
				t.Fatal(err)
			}
			child.cont(t)
			what := "kill"
			if random.IntN(2) == 0 {
				what = imageOfCut(t, random, image, past)
			}
			if random.IntN(3) == 0 {
				past = t.TempDir()
				if err := copyFlat(past, image); err != nil {
					t.Fatal(err)
				}
			}
			openImage(t, random, image, what, stored)
			if t.Failed() {
				t.Fatalf("seed %d, image %d: %s", seed, taken, what)
			}
			taken++
		}
		child.end(t, random.IntN(3) > 0)
	}
	t.Logf("%d images, up to %v", taken, acked)
}

// imageOfCut makes of a kill's image what a power cut may leave: only what was synced
// is certain.
func imageOfCut(t *testing.T, random *rand.Rand, image, past string) string {
	t.Helper()
	var what []string
	name := filepath.Join(image, syncedName)
	switch random.IntN(6) {
	case 0:
		_ = os.Remove(name)
		what = append(what, "no SYNCED")
	case 1, 2: // an older one, of the same directory
		data, err := os.ReadFile(filepath.Join(past, syncedName))
		if err == nil {
			err = os.WriteFile(name, data, 0o600)
			what = append(what, "old SYNCED")
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	case 3:
		if err := os.WriteFile(name, make([]byte, random.IntN(2)*syncedLen), 0o600); err != nil {
			t.Fatal(err)
		}
		what = append(what, "empty SYNCED")
	}
	// A transaction that wasn't synced is torn, whatever was written of it.
	list, err := readTableList(imageOptions(image))
	if err != nil {
		t.Fatal(err)
	}
	names, scans, err := scanLogs(image)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(names); n > 0 && scans[n-1].torn && !scans[n-1].bare {
		data, err := os.ReadFile(names[n-1])
		if err != nil {
			t.Fatal(err)
		}
		for at := scans[n-1].stop/sectorSize + 1; at < len(data)/sectorSize; at++ {
			if random.IntN(2) == 0 {
				clear(data[at*sectorSize : (at+1)*sectorSize])
			}
		}
		if err := writeSparse(names[n-1], data); err != nil {
			t.Fatal(err)
		}
		what = append(what, "torn")
	}
	// Tables that aren't in the list yet may be anything.
	tables, err := filepath.Glob(filepath.Join(image, "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	live := map[string]bool{}
	for _, file := range list.files(image) {
		live[file] = true
	}
	for _, file := range tables {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if live[file] || random.IntN(2) == 0 {
			continue
		}
		what = append(what, "torn table")
		if err := os.Truncate(file, random.Int64N(info.Size()+1)); err != nil {
			t.Fatal(err)
		}
	}
	// Files that were removed may be there again.
	if random.IntN(2) == 0 {
		old, err := os.ReadDir(past)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range old {
			to := filepath.Join(image, entry.Name())
			if _, err := os.Stat(to); err == nil || random.IntN(2) == 0 {
				continue
			}
			if ext := filepath.Ext(entry.Name()); ext == ".mem" || ext == ".sst" {
				what = append(what, "again "+entry.Name())
				if err := copySparse(to, filepath.Join(past, entry.Name())); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return "power cut: " + strings.Join(what, ", ")
}

// openImage opens a copy, as it is and once more.
func openImage(t *testing.T, random *rand.Rand, image, what string, acked map[int]uint64) {
	t.Helper()
	for turn := range 2 {
		opt := imageOptions(image)
		if random.IntN(3) == 0 {
			opt.tune = nil
		}
		var log bytes.Buffer
		opt.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))
		s, err := Open(t.Context(), opt)
		if err != nil {
			t.Errorf("%s, start %d: %v", what, turn, err)
			return
		}
		if log.Len() > 0 {
			t.Errorf("%s, start %d: %s", what, turn, log.Bytes())
		}
		loads := storetest.Adapt(s)
		for room, seq := range acked {
			got, err := loads.Load(t.Context(), crashRoom(room), 0)
			if err != nil || got.Last < seq {
				t.Errorf("%s, start %d: room %d ends with record %d, %v; but %d was acknowledged", what, turn, room, got.Last, err, seq)
			}
			checkImageRoom(t, room, got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func checkImageRoom(t *testing.T, room int, got contract.Room) {
	t.Helper()
	if !bytes.Equal(got.Snapshot, crashData(room, 7, len(got.Snapshot))) {
		t.Errorf("room %d has other bytes in its snapshot at %d", room, got.SnapshotSeq)
	}
	for _, r := range got.Records {
		if !bytes.Equal(r.Data, crashData(room, r.Seq, len(r.Data))) {
			t.Errorf("room %d has other bytes at %d", room, r.Seq)
		}
	}
}

type imageChild struct {
	cmd    *exec.Cmd
	in     io.Closer
	read   chan struct{} // closed when it has ended
	stdout bytes.Buffer  // what isn't about records; read's
	stderr bytes.Buffer
}

func startImageChild(t *testing.T, dir string, acked map[int]uint64, mu *sync.Mutex) *imageChild {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c := &imageChild{cmd: exec.Command(os.Args[0], "-test.run=^TestImageChild$"), read: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), childDir+"="+dir)
	c.cmd.Stderr = &c.stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.in = in
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.read)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var room int
			var seq uint64
			if n, _ := fmt.Sscanf(lines.Text(), "stored %d %d.", &room, &seq); n == 2 && strings.HasSuffix(lines.Text(), ".") {
				mu.Lock()
				acked[room] = max(acked[room], seq)
				mu.Unlock()
			} else if n == 0 {
				fmt.Fprintln(&c.stdout, lines.Text())
			}
		}
	}()
	return c
}

func (c *imageChild) exited() bool {
	select {
	case <-c.read:
		return true
	default:
		return false
	}
}

// stop waits until no thread of the process runs.
func (c *imageChild) stop(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for running := true; running; time.Sleep(100 * time.Microsecond) {
		// Anew each time: one that was still running may have begun another.
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", c.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		running = slices.ContainsFunc(tasks, func(task string) bool {
			stat, err := os.ReadFile(task)
			if err != nil {
				return false // it has ended
			}
			_, state, ok := bytes.Cut(stat, []byte(") "))
			return ok && !bytes.ContainsAny(state[:1], "TtZX")
		})
	}
}

func (c *imageChild) cont(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

// end kills the process, or lets it close.
func (c *imageChild) end(t *testing.T, kill bool) {
	t.Helper()
	if kill {
		_ = c.cmd.Process.Kill()
	} else {
		_ = c.in.Close()
	}
	<-c.read
	err := c.cmd.Wait()
	if code := c.cmd.ProcessState.ExitCode(); code > 0 {
		t.Fatalf("the child: %v\n%s%s", err, c.stdout.Bytes(), c.stderr.Bytes())
	}
}

// TestImageChild is no test: it is the process of TestImages. It ends when its
// standard input does.
func TestImageChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("only as a child of TestImages")
	}
	s, err := Open(context.Background(), imageOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	var out sync.Mutex // guards stdout's lines
	var writers sync.WaitGroup
	for room := range imageRooms {
		writers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(os.Getpid()), uint64(room)))
			for {
				select {
				case <-ended:
					return
				default:
				}
				if err := imageWrite(s, random, room, func(seq store.Seq) {
					out.Lock()
					defer out.Unlock()
					fmt.Printf("stored %d %d.\n", room, seq)
				}); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(3)
				}
			}
		})
	}
	writers.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// imageWrite does a few things to a room.
func imageWrite(s *Store, random *rand.Rand, room int, stored func(store.Seq)) error {
	ctx := context.Background()
	name := crashRoom(room)
	head, err := s.Claim(ctx, name)
	if err != nil {
		return err
	}
	for range 30 {
		switch random.IntN(24) {
		case 0, 1, 2: // a snapshot
			seq := head.Last
			if !head.Holds() || seq <= head.Base {
				continue
			}
			size := 1 + random.IntN(20<<10)
			if random.IntN(2) == 0 {
				size = 257<<10 + random.IntN(20<<10)
			}
			data := crashData(room, 7, size)
			if random.IntN(4) == 0 {
				data = data[:size/2] // which is refused, but for its first half
			}
			_, err := s.PutSnapshot(ctx, store.Snapshot{Room: name, Epoch: head.Epoch, Seq: seq, Size: uint64(size)}, bytes.NewReader(data))
			if len(data) == size {
				if err != nil {
					return err
				}
				head.Base = seq
			}
		case 3:
			if _, err := s.Delete(ctx, name, head.Epoch); err != nil {
				return err
			}
			return nil
		case 4:
			if random.IntN(3) > 0 {
				continue
			}
			seen := store.Head{}
			rooms, _, err := s.List(ctx, store.Page{Limit: 1000})
			if err != nil {
				return err
			}
			for _, info := range rooms {
				if info.Room == name {
					seen = info.Head
				}
			}
			if seen == (store.Head{}) {
				continue
			}
			if random.IntN(2) == 0 {
				return s.Scrap(ctx, name, seen)
			}
			data := crashData(room, 7, 1+random.IntN(10<<10))
			_, err = s.Rebuild(ctx, store.Rebuilt{Room: name, Seen: seen, Size: uint64(len(data))}, bytes.NewReader(data))
			return err
		case 5:
			if err := s.Load(ctx, name, 0, slowly{time.Duration(random.IntN(1000)) * time.Microsecond}); err != nil {
				return err
			}
		default:
			size := random.IntN(2000)
			if random.IntN(20) == 0 {
				size = 257<<10 + random.IntN(10<<10)
			}
			head.Last++
			item := store.Item{Room: name, Epoch: head.Epoch, Seq: head.Last, Data: crashData(room, uint64(head.Last), size)}
			if r := s.Append(ctx, []store.Item{item}); r[0].Err != nil {
				return r[0].Err
			}
			stored(head.Last)
		}
	}
	return nil
}

// slowly takes its time with every record.
type slowly struct{ pause time.Duration }

func (slowly) Head(store.Head) error      { return nil }
func (slowly) SnapshotChunk([]byte) error { return nil }
func (s slowly) Record(store.Record) error {
	time.Sleep(s.pause)
	return nil
}
