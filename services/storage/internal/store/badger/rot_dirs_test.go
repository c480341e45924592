package badger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	contract "github.com/fjord-sync/fjord/internal/contract/storage"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

// rotRooms is how many rooms a directory has that is to be damaged.
const rotRooms = 10

// rotDeleted is the room that is deleted in the end: who accepts a loss may find it as
// it was before.
const rotDeleted = 4

func rotRoom(room int) string { return fmt.Sprintf("rot/%d", room) }

// rotSize makes one record in four of one room a large one.
func rotSize(room int, seq store.Seq) int {
	if room == 1 && seq%4 == 0 {
		return 300 << 10
	}
	return 20 + int(seq*131)%900
}

// rotWrite appends records to all rooms, and does now and then what else there is.
func rotWrite(t *testing.T, s *Store, records int) {
	t.Helper()
	for room := range rotRooms {
		name := rotRoom(room)
		head, err := s.Claim(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		for range records {
			head.Last++
			mustAppend(t, s, name, head.Epoch, head.Last, crashData(room, uint64(head.Last), rotSize(room, head.Last)))
		}
		switch room {
		case 2, 3: // small and large ones
			mustSnapshot(t, s, name, head.Epoch, head.Last-1, rotSnapshot(room, head.Last-1))
		case rotDeleted:
			if _, err := s.Delete(t.Context(), name, head.Epoch); err != nil {
				t.Fatal(err)
			}
		}
	}
	waitSwept(t, s)
	// So that the last transaction is one that matters.
	head, err := s.Claim(t.Context(), rotRoom(0))
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, rotRoom(0), head.Epoch, head.Last+1, crashData(0, uint64(head.Last+1), rotSize(0, head.Last+1)))
}

func rotSnapshot(room int, seq store.Seq) []byte {
	return crashData(room, uint64(seq), 5000+(room-2)*500<<10)
}

// rotDirectory is a data directory as a crash or Close left it, and what each of its
// rooms holds, by digest.
type rotDirectory struct {
	dir   string
	rooms map[string]string
}

// rotDigests loads all rooms. What is damaged is left out, and told; an answer that
// nobody ever stored is an error.
func rotDigests(s *Store) (rooms map[string]string, corrupt []string, err error) {
	list, _, err := s.List(context.Background(), store.Page{Limit: 1000})
	if err != nil {
		return nil, nil, err
	}
	rooms = make(map[string]string)
	for _, info := range list {
		got, err := storetest.Adapt(s).Load(context.Background(), info.Room, 0)
		if e, ok := errors.AsType[*contract.Error](err); ok && e.Outcome == contract.Corrupt {
			corrupt = append(corrupt, info.Room)
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", info.Room, err)
		}
		digest := sha256.New()
		fmt.Fprintf(digest, "%+v %d %d\n", got.Position, len(got.Snapshot), len(got.Records))
		digest.Write(got.Snapshot)
		var room int
		if _, err := fmt.Sscanf(info.Room, "rot/%d", &room); err != nil {
			return nil, nil, err
		}
		if got.SnapshotSeq > 0 && !bytes.Equal(got.Snapshot, rotSnapshot(room, store.Seq(got.SnapshotSeq))) {
			return nil, nil, fmt.Errorf("%s: a snapshot that nobody stored", info.Room)
		}
		for _, r := range got.Records {
			if !bytes.Equal(r.Data, crashData(room, r.Seq, rotSize(room, store.Seq(r.Seq)))) {
				return nil, nil, fmt.Errorf("%s: a record that nobody stored", info.Room)
			}
			digest.Write(r.Data)
		}
		rooms[info.Room] = hex.EncodeToString(digest.Sum(nil)[:8])
	}
	return rooms, corrupt, nil
}

// sizesOf returns the lengths of a directory's files, and when they were written.
func sizesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	sizes := make(map[string]string)
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			sizes[entry.Name()] = fmt.Sprint(info.Size(), info.ModTime().UnixNano())
		}
	}
	return sizes
}

// rotCopy copies a directory that a store has open, as a kill would leave it.
func rotCopy(t *testing.T, s *Store) *rotDirectory {
	t.Helper()
	awaitSynced(t, s)
	for deadline := time.Now().Add(slowDisk); time.Now().Before(deadline); {
		d := &rotDirectory{dir: t.TempDir()}
		before := sizesOf(t, s.opt.Dir)
		if err := copyFlat(d.dir, s.opt.Dir); err != nil || !maps.Equal(before, sizesOf(t, s.opt.Dir)) {
			time.Sleep(10 * time.Millisecond)
			continue // Badger did something meanwhile
		}
		rooms, corrupt, err := rotDigests(s)
		if err != nil || len(corrupt) > 0 {
			t.Fatalf("damaged before anything was done to it: %v, %v", corrupt, err)
		}
		d.rooms = rooms
		return d
	}
	t.Fatal("the directory never stands still")
	return nil
}

// rotClose closes a store and takes its directory.
func rotClose(t *testing.T, s *Store) *rotDirectory {
	t.Helper()
	rooms, _, err := rotDigests(s)
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return &rotDirectory{dir: s.opt.Dir, rooms: rooms}
}

// rotDirectories makes the directories.
func rotDirectories(t *testing.T) map[string]*rotDirectory {
	t.Helper()
	dirs := make(map[string]*rotDirectory)
	// Levels come of many small tables.
	opt := testOptions(t.TempDir())
	opt.tune = func(o *badger.Options) {
		o.BaseTableSize, o.BaseLevelSize, o.LevelSizeMultiplier = 64<<10, 128<<10, 2
		o.NumLevelZeroTables, o.CompactL0OnClose = 1, true
	}
	s := openStore(t, opt)
	rotWrite(t, s, 40)
	dirs["killed"] = rotCopy(t, s) // all in one log
	for range 4 {
		rotClose(t, s)
		s = openStore(t, opt)
		rotWrite(t, s, 30)
	}
	dirs["levels, killed"] = rotCopy(t, s)
	dirs["levels, closed"] = rotClose(t, s)
	dirs["logs"] = rotLogs(t)
	for _, d := range dirs { // it holds nothing, but is there
		if err := writeSparse(filepath.Join(d.dir, ballastName), make([]byte, lastBytes)); err != nil {
			t.Fatal(err)
		}
	}
	return dirs
}

// rotLogs makes a directory with several logs that no table has yet: nobody compacts
// the first level, so Badger waits with what comes after it.
func rotLogs(t *testing.T) *rotDirectory {
	t.Helper()
	opt := testOptions(t.TempDir())
	opt.tune = func(o *badger.Options) {
		o.NumCompactors, o.NumLevelZeroTables, o.NumLevelZeroTablesStall = 0, 1, 2
	}
	s := openStore(t, opt)
	rotWrite(t, s, 5)
	head, err := s.Claim(t.Context(), rotRoom(1))
	if err != nil {
		t.Fatal(err)
	}
	// Two tables fill the level; a log that was made one may not be gone yet.
	for len(s.db.Tables()) < 2 || len(logSizes(t, s.opt.Dir)) < 4 {
		head.Last++
		mustAppend(t, s, rotRoom(1), head.Epoch, head.Last, crashData(1, uint64(head.Last), rotSize(1, head.Last)))
	}
	rotWrite(t, s, 5)
	d := rotCopy(t, s)
	if n := len(logSizes(t, d.dir)); n < 3 {
		t.Fatalf("%d logs, want three", n)
	}
	// Or Close waits for ever.
	for deadline := time.Now().Add(slowDisk); ; time.Sleep(time.Millisecond) {
		left := len(logSizes(t, s.opt.Dir))
		if err := s.db.Flatten(1); err != nil || time.Now().After(deadline) {
			t.Fatalf("%d logs aren't made tables: %v", left, err)
		}
		if left == 1 {
			return d
		}
	}
}

// copyFlat copies a directory's files.
func copyFlat(to, from string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue
		}
		source, target := filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())
		if err := copySparse(target, source); err != nil {
			return err
		}
	}
	return nil
}
