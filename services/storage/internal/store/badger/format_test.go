package badger

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"

	contract "github.com/fjord-sync/fjord/internal/contract/storage"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

var generate = flag.Bool("generate", false, "write testdata/format-N.tar.gz anew, for a format that was never released")

// oldRoom is what a room of the directories in testdata holds. It must not change:
// a new format brings a new list.
type oldRoom struct {
	name     string
	position contract.Position
	snapshot []byte
	first    uint64
	records  []string
}

func oldRooms() []oldRoom {
	large := string(crashData(7, 3, 300<<10))
	return []oldRoom{
		{name: "plain", position: contract.Position{Epoch: 1, Last: 3}, first: 1, records: []string{"one", "", "three"}},
		{name: "plain\x00", position: contract.Position{Epoch: 2, Last: 1}, first: 1, records: []string{"of the first epoch"}},
		{name: "compacted", position: contract.Position{Epoch: 1, Last: 4, SnapshotSeq: 3}, snapshot: []byte("a small snapshot"), first: 4, records: []string{"four"}},
		{name: "large", position: contract.Position{Epoch: 1, Last: 3, SnapshotSeq: 2}, snapshot: crashData(7, 2, 600<<10), first: 3, records: []string{large}},
		{name: "deleted", position: contract.Position{Epoch: 1, Last: 2}},
		{name: "born again", position: contract.Position{Epoch: 2, Last: 3}, first: 3, records: []string{"three"}},
		{name: "claimed only", position: contract.Position{Epoch: 3}},
		{name: "日本語/" + strings.Repeat("n", 240), position: contract.Position{Epoch: 1, Last: 1}, first: 1, records: []string{"one"}},
	}
}

// writeOldRooms makes the rooms of oldRooms.
func writeOldRooms(t *testing.T, s *Store) {
	t.Helper()
	write := func(room string, epoch store.Epoch, first store.Seq, records ...string) {
		t.Helper()
		for i, data := range records {
			mustAppend(t, s, room, epoch, first+store.Seq(i), []byte(data))
		}
	}
	for _, r := range oldRooms() {
		mustClaim(t, s, r.name)
	}
	write("plain", 1, 1, "one", "", "three")
	write("plain\x00", 1, 1, "of the first epoch")
	mustClaim(t, s, "plain\x00")
	write("compacted", 1, 1, "one", "two", "three", "four")
	mustSnapshot(t, s, "compacted", 1, 2, []byte("an older snapshot"))
	mustSnapshot(t, s, "compacted", 1, 3, []byte("a small snapshot"))
	write("large", 1, 1, "one", "two", string(crashData(7, 3, 300<<10)))
	mustSnapshot(t, s, "large", 1, 2, crashData(7, 2, 600<<10))
	for _, room := range []string{"deleted", "born again"} {
		write(room, 1, 1, "one", "two")
		if _, err := s.Delete(t.Context(), room, 1); err != nil {
			t.Fatal(err)
		}
	}
	mustClaim(t, s, "born again")
	write("born again", 2, 3, "three")
	mustClaim(t, s, "claimed only")
	mustClaim(t, s, "claimed only")
	write("日本語/"+strings.Repeat("n", 240), 1, 1, "one")
	waitSwept(t, s)
}

func checkOldRooms(t *testing.T, s *Store) {
	t.Helper()
	for _, want := range oldRooms() {
		got, err := storetest.Adapt(s).Load(t.Context(), want.name, 0)
		if err != nil {
			t.Errorf("room %q: %v", want.name, err)
			continue
		}
		if got.Position != want.position || string(got.Snapshot) != string(want.snapshot) || len(got.Records) != len(want.records) {
			t.Errorf("room %q: %+v, snapshot of %d bytes, %d records", want.name, got.Position, len(got.Snapshot), len(got.Records))
			continue
		}
		for i, r := range got.Records {
			if r.Seq != want.first+uint64(i) || string(r.Data) != want.records[i] {
				t.Errorf("room %q has at %d the record %d %.30q", want.name, i, r.Seq, r.Data)
			}
		}
	}
}

// TestOldDirectories opens a real directory of every format there ever was.
func TestOldDirectories(t *testing.T) {
	for version := 1; version <= formatVersion; version++ {
		t.Run(fmt.Sprintf("format %d", version), func(t *testing.T) {
			name := filepath.Join("testdata", fmt.Sprintf("format-%d.tar.gz", version))
			if *generate && version == formatVersion {
				generateDirectory(t, name)
			}
			dir := t.TempDir()
			if err := unpack(dir, name); err != nil {
				t.Fatal(err)
			}
			s := openStore(t, testOptions(dir))
			checkOldRooms(t, s)
			// It is alive, too.
			for _, r := range oldRooms() {
				head, err := s.Claim(t.Context(), r.name)
				if err != nil || uint64(head.Epoch) != r.position.Epoch+1 {
					t.Fatalf("claim of %q: %+v, %v", r.name, head, err)
				}
				mustAppend(t, s, r.name, head.Epoch, head.Last+1, []byte("new"))
			}
		})
	}
}

// TestFreshDirectory: what this build writes reads the same.
func TestFreshDirectory(t *testing.T) {
	opt := testOptions(t.TempDir())
	s := openStore(t, opt)
	writeOldRooms(t, s)
	checkOldRooms(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	checkOldRooms(t, openStore(t, opt))
}

func generateDirectory(t *testing.T, name string) {
	t.Helper()
	s := openStore(t, testOptions(t.TempDir()))
	writeOldRooms(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := pack(name, s.opt.Dir); err != nil {
		t.Fatal(err)
	}
}

// pack writes the files of dir to an archive, without times and owners.
func pack(name, dir string) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	zip, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	if err != nil {
		return err
	}
	out := tar.NewWriter(zip)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return err
		}
		if err := out.WriteHeader(&tar.Header{Name: entry.Name(), Mode: 0o600, Size: int64(len(data))}); err != nil {
			return err
		}
		if _, err := out.Write(data); err != nil {
			return err
		}
	}
	return errors.Join(out.Close(), zip.Close())
}

func unpack(dir, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	zip, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	for in := tar.NewReader(zip); ; {
		header, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		data, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(header.Name)), data, 0o600); err != nil {
			return err
		}
	}
}

// TestForeignDirectories: a directory of another format, or of somebody else, is
// refused with words, and left as it is.
func TestForeignDirectories(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*badger.Txn) error
		want  string
	}{
		"a newer format":     {func(txn *badger.Txn) error { return txn.Set(formatKey(), append([]byte(formatMagic), 2)) }, "has format 2, and this build reads format 1"},
		"a format of nobody": {func(txn *badger.Txn) error { return txn.Set(formatKey(), []byte("something")) }, "is not Fjord's"},
		"no format":          {func(txn *badger.Txn) error { return txn.Delete(formatKey()) }, "without Fjord's format entry"},
	} {
		t.Run(name, func(t *testing.T) {
			opt := testOptions(t.TempDir())
			s := openStore(t, opt)
			mustClaim(t, s, "a")
			if err := s.db.Update(c.spoil); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the first refusal must not repair anything
				_, err := Open(t.Context(), opt)
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), opt.Dir) {
					t.Errorf("Open: %v, want %q", err, c.want)
				}
				if err != nil && strings.Contains(err.Error(), "\n") {
					t.Errorf("the error has several lines: %v", err)
				}
			}
		})
	}
}

func TestDirectoryErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	used := filepath.Join(dir, "used")
	openStore(t, testOptions(used))
	for name, c := range map[string]struct{ dir, want string }{
		"a file":              {file, "cannot be made: give a directory that this user"},
		"in a file":           {filepath.Join(file, "data"), "cannot be made: give a directory that this user"},
		"where nobody writes": {"/proc/fjord-data", "cannot be made: give a directory that this user"},
		"in use":              {used, fmt.Sprintf("is in use by process %d: end that process, or give another directory", os.Getpid())},
	} {
		_, err := Open(t.Context(), testOptions(c.dir))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.dir) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", name, err, c.want)
		}
	}
}

// TestDirectoryPermissions: nobody else may read the documents.
func TestDirectoryPermissions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by Open")
	openStore(t, testOptions(dir))
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v; want 0700", info.Mode(), err)
	}
}
