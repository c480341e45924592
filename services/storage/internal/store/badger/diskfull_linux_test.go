package badger

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

var fullDisks = flag.Int("fulldisks", 3, "how often TestDiskFull fills the disk")

const (
	fullDir     = "FJORD_FULL_DIR"
	fullBusy    = "FJORD_FULL_BUSY" // set: Badger compacts all the time
	fullSize    = 384 << 20
	fullMinFree = 96 << 20
	fullRooms   = 8
	// fullPatience is how long after there is space again a record must be stored.
	fullPatience = 30 * time.Second
)

// TestDiskFull has somebody else fill the disk to its last byte under a store that
// writes, and free it again: the store must refuse records before Badger, which
// writes to mapped files, dies; take them in again soon; and have lost nothing.
//
// Below the limit the disk fills no faster than Badger ends what it has begun, as
// with a limit of 512 MiB most disks do: nobody can stop a compaction under way.
func TestDiskFull(t *testing.T) {
	mount := mountSmall(t)
	dir := filepath.Join(mount, "data")
	child := startFullChild(t, dir)
	child.await("stored", slowDisk)
	var slowest time.Duration
	for round := range *fullDisks {
		ballast := filepath.Join(mount, "ballast")
		fillDisk(t, ballast, fullMinFree)
		child.await("refused", slowDisk)
		awaitQuiet(t, dir, child)
		fillDisk(t, ballast, 0)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		freed := time.Now()
		child.await("stored", slowDisk)
		slowest = max(slowest, time.Since(freed))
		if slowest > fullPatience {
			t.Fatalf("round %d: writable %v after there was space, want %v", round, slowest, fullPatience)
		}
	}
	total := wantAcked(t, dir, child.stop())
	t.Logf("filled %d times; writable at most %v after there was space; %d records acknowledged, all there", *fullDisks, slowest, total)
}

// mountSmall returns a directory with a file system of fullSize bytes. Who may not
// mount one has to say that they do without: go test shows nobody what is skipped.
// Where not even root may, nobody can help it.
func mountSmall(t *testing.T) string {
	t.Helper()
	mount := t.TempDir()
	err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size="+strconv.Itoa(fullSize))
	switch {
	case err == nil:
	case !errors.Is(err, os.ErrPermission):
		t.Fatalf("a small file system to fill: %v", err)
	case os.Getuid() == 0:
		t.Skipf("NOT SHOWN on this machine: %v", err)
	case os.Getenv("FJORD_RELIABILITY_NO_ROOT") == "1":
		t.Skipf("NOT SHOWN, as FJORD_RELIABILITY_NO_ROOT=1 wishes: %v", err)
	default:
		t.Fatalf("this test mounts a small file system to fill: run it as root, or leave it out with FJORD_RELIABILITY_NO_ROOT=1: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(mount, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return mount
}

// wantAcked opens a directory and checks that all is there that was acknowledged,
// the last seq by room; it returns their sum.
func wantAcked(t *testing.T, dir string, acked map[int]store.Seq) (total store.Seq) {
	t.Helper()
	s := openStore(t, testOptions(dir))
	for room, seq := range acked {
		var got gatherer
		if err := s.Load(t.Context(), crashRoom(room), 0, &got); err != nil || len(got.seqs) == 0 || got.seqs[len(got.seqs)-1] < seq {
			t.Errorf("room %d: %v, %d records; %d was acknowledged", room, err, len(got.seqs), seq)
		}
		total += seq
	}
	return total
}

// fillDisk writes until less than so many bytes are left, or none fits.
func fillDisk(t *testing.T, name string, left uint64) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	chunk := make([]byte, 256<<10)
	for {
		free, err := freeBytes(filepath.Dir(name))
		if err == nil && (left == 0 || free >= left) {
			_, err = f.Write(chunk)
		} else if err == nil {
			return
		}
		if errors.Is(err, syscall.ENOSPC) && left == 0 {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// awaitQuiet waits until no file of a directory has been made, removed or grown for
// a while: Badger has ended what it had to do. By the child's time, too: one that gets
// no CPU changes nothing either.
func awaitQuiet(t *testing.T, dir string, child *fullChild) {
	t.Helper()
	const while, tries = 300 * time.Millisecond, 100
	deadline := time.Now().Add(slowDisk)
	for quiet, before, said := time.Now(), "", child.said.Load(); time.Since(quiet) < while || child.said.Load() < said+tries && !child.over.Load(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("Badger doesn't come to rest: %s", before)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		now := ""
		for _, entry := range entries {
			if info, err := entry.Info(); err == nil {
				st, _ := info.Sys().(*syscall.Stat_t)
				now += fmt.Sprint(entry.Name(), info.Size(), st.Blocks, " ")
			}
		}
		if now != before {
			quiet, before, said = time.Now(), now, child.said.Load()
		}
	}
}

// fullChild is the process with the store. What it says comes as words.
type fullChild struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	words chan string
	mu    sync.Mutex // guards acked
	acked map[int]store.Seq
	err   bytes.Buffer
	rest  bytes.Buffer // what isn't about records; listen's
	said  atomic.Int64 // words so far
	over  atomic.Bool  // there won't be more
}

func startFullChild(t *testing.T, dir string, env ...string) *fullChild {
	t.Helper()
	c := &fullChild{t: t, words: make(chan string, 1), acked: make(map[int]store.Seq)}
	c.cmd = exec.Command(os.Args[0], "-test.run=^TestDiskFullChild$")
	c.cmd.Env = append(append(os.Environ(), fullDir+"="+dir), env...)
	c.cmd.Stderr = &c.err
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go c.listen(out)
	return c
}

// listen keeps the newest word and all that was acknowledged, until the child ends.
func (c *fullChild) listen(out io.Reader) {
	defer close(c.words)
	defer c.over.Store(true)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		var room int
		var seq store.Seq
		if n, _ := fmt.Sscan(rest, &room, &seq); n == 2 {
			c.mu.Lock()
			c.acked[room] = max(c.acked[room], seq)
			c.mu.Unlock()
		} else if word != "refused" {
			fmt.Fprintln(&c.rest, lines.Text())
		}
		select {
		case <-c.words:
		default:
		}
		c.words <- word
		c.said.Add(1)
	}
}

// await waits for a word; those before it are over then.
func (c *fullChild) await(want string, patience time.Duration) {
	c.t.Helper()
	if !c.lives(want, patience) {
		c.t.Fatalf("the process with the store has died: %v\n%s", c.cmd.ProcessState, c.err.Bytes())
	}
}

// lives is await for a child that may have died; it reports whether it hasn't.
func (c *fullChild) lives(want string, patience time.Duration) bool {
	c.t.Helper()
	late := time.After(patience)
	for {
		select {
		case word, ok := <-c.words:
			if !ok {
				_ = c.cmd.Wait() // what it died of is in err
				return false
			}
			if word == want {
				return true
			}
		case <-late:
			c.t.Fatalf("nothing was %s in %v\n%s", want, patience, c.err.Bytes())
		}
	}
}

// dead reports whether the child has died by now.
func (c *fullChild) dead() bool {
	for {
		select {
		case _, ok := <-c.words:
			if !ok {
				_ = c.cmd.Wait() // what it died of is in err
				return true
			}
		default:
			return false
		}
	}
}

// stop ends the child in order, and returns what it acknowledged.
func (c *fullChild) stop() map[int]store.Seq {
	c.t.Helper()
	if err := c.stdin.Close(); err != nil {
		c.t.Fatal(err)
	}
	for range c.words {
		continue
	}
	if err := c.cmd.Wait(); err != nil {
		c.t.Fatalf("the process with the store: %v\n%s", err, c.err.Bytes())
	}
	return c.acked
}

// TestDiskFullChild is no test: it is the process with the store.
func TestDiskFullChild(t *testing.T) {
	dir := os.Getenv(fullDir)
	if dir == "" {
		t.Skip("only as a child of TestDiskFull")
	}
	opt := testOptions(dir)
	opt.MinFree = fullMinFree
	s, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	var says teller
	var writers sync.WaitGroup
	for room := range fullRooms {
		writers.Go(func() {
			if err := fillWrite(ctx, s, room, &says); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// teller says on stdout what becomes of records: each that is refused, the first that
// is stored then, and of each room's others one now and then.
type teller struct {
	mu       sync.Mutex // guards refusing, and the order of lines
	refusing bool
}

func (w *teller) refused() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refusing = true
	fmt.Println("refused")
}

func (w *teller) stored(room int, seq store.Seq) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refusing || seq%50 == 0 {
		w.refusing = false
		fmt.Printf("stored %d %d\n", room, seq)
	}
}

// fillWrite appends and compacts until ctx ends; what is refused for want of space
// it tries again.
func fillWrite(ctx context.Context, s *Store, room int, says *teller) error {
	name := crashRoom(room)
	head, err := s.Claim(context.Background(), name)
	if err != nil {
		return err
	}
	size, busy := 1<<10, os.Getenv(fullBusy) != ""
	if busy {
		size = 4 << 10
	}
	for seq := head.Last + 1; ctx.Err() == nil; {
		item := store.Item{Room: name, Epoch: head.Epoch, Seq: seq, Data: crashData(room, uint64(seq), size)}
		err := s.Append(context.Background(), []store.Item{item})[0].Err
		if err == nil && seq%500 == 0 {
			snap := store.Snapshot{Room: name, Epoch: head.Epoch, Seq: seq - 1, Size: 20 << 10}
			_, err = s.PutSnapshot(context.Background(), snap, bytes.NewReader(make([]byte, snap.Size)))
		}
		switch {
		case store.KindOf(err) == store.NoSpace:
			says.refused()
			select {
			case <-time.After(10 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		case err != nil:
			return err
		}
		if !busy {
			time.Sleep(2 * time.Millisecond) // people type; Badger needn't compact all the time
		}
		says.stored(room, seq)
		seq++
	}
	return nil
}
