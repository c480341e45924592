package badger

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestUnusedFiles damages files that Badger keeps and a store has no use for: it opens
// all the same, with a line in the log, and what was there is moved away.
func TestUnusedFiles(t *testing.T) {
	t.Parallel() // it waits for the disk
	dir, _, _ := lostDirectory(t)
	for name, want := range map[string]bool{ // whether zeros are damage
		registryName: true, discardName: false, "000002.vlog": false, syncedName: false, ballastName: false,
	} {
		for what, data := range map[string][]byte{
			"noise": bytes.Repeat([]byte("noise"), 100), "a byte": {7}, "zeros": make([]byte, 1<<20), "nothing": {},
		} {
			work := t.TempDir()
			copyDir(t, work, dir)
			path := filepath.Join(work, name)
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			opt := rotOptions(work)
			opt.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))
			s, err := Open(t.Context(), opt)
			if err != nil {
				t.Errorf("%s of %s: %v", what, name, err)
				continue
			}
			var got gatherer
			if err := s.Load(t.Context(), "a", 0, &got); err != nil || len(got.seqs) != 10 {
				t.Errorf("%s of %s: %d records, %v", what, name, len(got.seqs), err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("%s of %s: %v", what, name, err)
			}
			moved, err := filepath.Glob(filepath.Join(work, asidePattern+"*", name))
			damaged := what == "noise" || what == "a byte" || what == "zeros" && want
			if err != nil || (len(moved) == 1) != damaged || damaged != strings.Contains(log.String(), "file="+name) {
				t.Errorf("%s of %s: moved away %q, %v; logged %s", what, name, moved, err, &log)
			}
		}
	}
}

// TestLockIsNoLock: what has the lock's name and is something else isn't written over.
func TestLockIsNoLock(t *testing.T) {
	dir := t.TempDir()
	lost := bytes.Repeat([]byte("somebody's table "), 100)
	if err := os.WriteFile(filepath.Join(dir, "LOCK"), lost, 0o600); err != nil {
		t.Fatal(err)
	}
	openStore(t, testOptions(dir))
	if got, err := os.ReadFile(filepath.Join(dir, "LOCK-"+asidePattern+strconv.Itoa(os.Getpid()))); err != nil || !bytes.Equal(got, lost) {
		t.Errorf("%d bytes were kept, %v", len(got), err)
	}
}
