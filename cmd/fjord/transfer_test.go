package main

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"connectrpc.com/connect"

	"github.com/fjord-sync/fjord/cmd/fjord/internal/transfer"
	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/internal/roomname"
)

// desk is a seat on a data directory, for a test.
type desk struct {
	t *testing.T
	*seat
	out, refused strings.Builder
}

func newDesk(t *testing.T, data string) *desk {
	t.Helper()
	s, err := sitDown(t.Context(), config{data: data, log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, seat: s}
	t.Cleanup(func() {
		if err := s.leave(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *desk) place() *transfer.Place {
	d.out.Reset()
	d.refused.Reset()
	return &transfer.Place{Documents: d.documents, Storage: d.storage, Out: &d.out, Refused: &d.refused}
}

func (d *desk) take(dir string) error {
	return transfer.Import(d.t.Context(), d.place(), dir, roomname.Default, false)
}

// typedBy reports whether a room holds the first count letters of each client,
// and nothing else.
func (d *desk) typedBy(room string, clients map[byte]byte) {
	d.t.Helper()
	answer, err := d.documents.GetDocument(d.t.Context(), connect.NewRequest(&roomsv1.GetDocumentRequest{Room: room}))
	if err != nil {
		d.t.Fatal(err)
	}
	vector := answer.Msg.GetStateVector()
	got := map[byte]byte{}
	for rest := vector[1:]; len(rest) > 1; rest = rest[2:] {
		got[rest[0]] = rest[1]
	}
	if !maps.Equal(got, clients) {
		d.t.Errorf("%s holds %v, want %v", room, got, clients)
	}
}

// seqs returns where the rooms' logs stand.
func (d *desk) seqs() map[string]uint64 {
	d.t.Helper()
	page, err := d.storage.List(d.t.Context(), connect.NewRequest(&storagev1.ListRequest{}))
	if err != nil {
		d.t.Fatal(err)
	}
	all := map[string]uint64{}
	for _, r := range page.Msg.GetRooms() {
		all[r.GetRoom()] = r.GetLastSeq()
	}
	return all
}

func (d *desk) write(room string, client byte, n int) {
	d.t.Helper()
	_, err := d.documents.ApplyUpdate(d.t.Context(), connect.NewRequest(&roomsv1.ApplyUpdateRequest{Room: room, Update: typed(client, n)}))
	if err != nil {
		d.t.Fatal(err)
	}
}

// said checks what was said.
func said(t *testing.T, what, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s: %q, want %q in it", what, text, want)
		}
	}
}

// database makes a file with statements, as ELVA would.
func database(t *testing.T, path string, statements ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return db
}

const yupdates = "CREATE TABLE yupdates(yupdate BLOB)"

func row(update []byte) string { return fmt.Sprintf("INSERT INTO yupdates VALUES (x'%x')", update) }

// elvaDir is a folder with the files that Python has written.
func elvaDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"document-one.y", "document-wal.y", "document-wal.y-wal"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// contents returns the files of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestImportELVA(t *testing.T) {
	dir := elvaDir(t)
	before := contents(t, dir)
	d := newDesk(t, t.TempDir())
	d.write("document-one", 3, 0) // somebody was here before
	if err := transfer.Import(t.Context(), d.place(), dir, roomname.ELVA, true); err != nil {
		t.Fatal(err)
	}
	said(t, "dry", d.out.String(), "document-one: took", "2 files: 1 new, 1 that grew, 0 as before")
	d.typedBy("document-wal", map[byte]byte{})

	if err := d.take(dir); err != nil {
		t.Fatal(err, d.refused.String())
	}
	said(t, "first", d.out.String(), "document-one: took", "document-wal: new, from 10 updates", "1 others left out", "2 files: 1 new, 1 that grew, 0 as before, 0 empty, 0 refused")
	d.typedBy("document-one", map[byte]byte{3: 1, 7: 10})
	d.typedBy("document-wal", map[byte]byte{8: 10})

	seqs := d.seqs()
	if err := d.take(dir); err != nil {
		t.Fatal(err)
	}
	said(t, "again", d.out.String(), "has all of 10 updates", "0 new, 0 that grew, 2 as before")
	if !maps.Equal(seqs, d.seqs()) {
		t.Errorf("to import again wrote: %v, then %v", seqs, d.seqs())
	}
	if !maps.Equal(before, contents(t, dir)) {
		t.Error("the import changed what it read")
	}
}

// A log whose end wasn't written holds what was committed before, and no more.
func TestImportHalfWrittenLog(t *testing.T) {
	dir := elvaDir(t)
	log := filepath.Join(dir, "document-wal.y-wal")
	info, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(log, info.Size()-1000); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, t.TempDir())
	if err := d.take(dir); err != nil {
		t.Fatal(err, d.refused.String())
	}
	d.typedBy("document-wal", map[byte]byte{8: 9})
}

// A pipe would keep whoever opens it waiting for a writer.
func TestImportRefusesAPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "document-pipe.y"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, t.TempDir())
	if err := d.take(dir); !errors.Is(err, transfer.ErrSome) {
		t.Errorf("%v, want %v", err, transfer.ErrSome)
	}
	said(t, "refused", d.refused.String(), "is no file")
}

// What can't be taken is named with what is wrong, changes nothing, and keeps
// nobody else out.
func TestImportRefuses(t *testing.T) {
	dir := elvaDir(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	one := contents(t, dir)[at("document-one.y")]
	for name, data := range map[string]string{
		"cut-short.y": one[:2500], "nonsense.y": "this is no database", "nothing.y": "", "control\x01.y": one, "notes.txt": "",
	} {
		if err := os.WriteFile(at(name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(at("folder.y"), 0o700); err != nil {
		t.Fatal(err)
	}
	database(t, at("other-table.y"), "CREATE TABLE updates(yupdate BLOB)")
	database(t, at("other-column.y"), "CREATE TABLE yupdates(data BLOB)")
	database(t, at("bad-row.y"), yupdates, row(typed(1, 0)), row([]byte{1, 2, 3}))
	database(t, at("two-in-one.y"), yupdates, row(append(typed(1, 0), typed(1, 1)...)))
	database(t, at("text-row.y"), yupdates, "INSERT INTO yupdates VALUES ('text')")
	database(t, at("null-row.y"), yupdates, "INSERT INTO yupdates VALUES (NULL)")
	database(t, at("no-rows.y"), yupdates)
	database(t, at("other-letter.y"), yupdates, row(typed(1, 0)))

	d := newDesk(t, t.TempDir())
	d.write("other-letter", 1, 0)
	_, err := d.documents.ApplyUpdate(t.Context(), connect.NewRequest(&roomsv1.ApplyUpdateRequest{Room: "other-letter", Update: typed(1, 1)}))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.take(dir); !errors.Is(err, transfer.ErrSome) {
		t.Errorf("%v, want %v", err, transfer.ErrSome)
	}
	for name, want := range map[string]string{
		"cut-short.y": "damaged", "nonsense.y": "damaged", "nothing.y": "no table yupdates", "control\x01.y": "control character",
		"folder.y": "is no file", "other-table.y": "no table yupdates", "other-column.y": "no table yupdates",
		"bad-row.y": "row 2: no Yjs update", "two-in-one.y": "row 1: no Yjs update", "text-row.y": "row 1: its yupdate is text", "null-row.y": "row 1: its yupdate is null",
	} {
		found := false
		for line := range strings.Lines(d.refused.String()) {
			found = found || (strings.HasPrefix(line, name+": ") && strings.Contains(line, want))
		}
		if !found {
			t.Errorf("%q isn't refused with %q: %s", name, want, d.refused.String())
		}
	}
	said(t, "sum", d.out.String(), "no-rows: the file holds no update", "other-letter: has all of 1 updates", "15 files: 2 new, 0 that grew, 1 as before, 1 empty, 11 refused")
	if seqs := d.seqs(); len(seqs) != 3 {
		t.Errorf("rooms %v, want three", seqs)
	}
}

func TestRoomNameRuleHoldsForFiles(t *testing.T) {
	dir := t.TempDir()
	database(t, filepath.Join(dir, "short.y"), yupdates, row(typed(1, 0)))
	d := newDesk(t, t.TempDir())
	if err := transfer.Import(t.Context(), d.place(), dir, roomname.ELVA, false); !errors.Is(err, transfer.ErrSome) {
		t.Errorf("%v, want %v", err, transfer.ErrSome)
	}
	if err := d.take(dir); err != nil {
		t.Error(err)
	}
}

// rows returns what is in a file, read as ELVA reads it.
func rows(t *testing.T, path string) (updates [][]byte, identifier string) {
	t.Helper()
	db := database(t, path)
	found, err := db.QueryContext(t.Context(), "SELECT * FROM yupdates") //nolint:unqueryvet // as ELVA says it
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		var update []byte
		if err := found.Scan(&update); err != nil {
			t.Fatal(err)
		}
		updates = append(updates, update)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRowContext(t.Context(), "SELECT value FROM metadata WHERE key = 'identifier'").Scan(&identifier); err != nil {
		t.Fatal(err)
	}
	return updates, identifier
}

func TestExportELVA(t *testing.T) {
	d := newDesk(t, t.TempDir())
	for n := range 20 {
		d.write("document-one", 7, n)
	}
	d.write("document-two", 8, 0)
	d.write("a/b", 9, 0)
	dir := t.TempDir()
	if err := transfer.Export(t.Context(), d.place(), dir, nil); !errors.Is(err, transfer.ErrSome) {
		t.Errorf("%v, want %v", err, transfer.ErrSome)
	}
	said(t, "refused", d.refused.String(), "a/b: ELVA has no such name")
	said(t, "sum", d.out.String(), "3 rooms: 2 new, 0 that grew, 0 as before, 0 empty, 1 refused")

	path := filepath.Join(dir, "document-one.y")
	updates, identifier := rows(t, path)
	if len(updates) != 1 || identifier != "document-one" {
		t.Errorf("%d rows, identifier %q", len(updates), identifier)
	}
	if len(contents(t, dir)) != 2 {
		t.Errorf("left behind: %v", contents(t, dir))
	}
	if err := transfer.Export(t.Context(), d.place(), dir, []string{"document-one", "document-none"}); err != nil {
		t.Error(err)
	}
	said(t, "again", d.out.String(), "document-one: the file has it all", "document-none: the room holds nothing")

	// What came since is added, and what ELVA wrote stays.
	d.write("document-one", 7, 20)
	database(t, path, row(typed(5, 0)))
	if err := transfer.Export(t.Context(), d.place(), dir, []string{"document-one"}); err != nil {
		t.Fatal(err, d.refused.String())
	}
	if updates, _ := rows(t, path); len(updates) != 3 {
		t.Errorf("%d rows, want 3", len(updates))
	}

	// And back again, elsewhere.
	other := newDesk(t, t.TempDir())
	if err := other.take(dir); err != nil {
		t.Fatal(err, other.refused.String())
	}
	other.typedBy("document-one", map[byte]byte{5: 1, 7: 21})
	other.typedBy("document-two", map[byte]byte{8: 1})
}

func TestExportKeepsFilesOfOthers(t *testing.T) {
	d := newDesk(t, t.TempDir())
	d.write("document-one", 7, 0)
	for name, prepare := range map[string]func(path string){
		"it holds the document": func(path string) {
			database(t, path, yupdates, "CREATE TABLE metadata(key PRIMARY KEY, value)", "INSERT INTO metadata VALUES ('identifier', 'document-One')")
		},
		"damaged": func(path string) {
			if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"is no file": func(path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		},
	} {
		dir := t.TempDir()
		prepare(filepath.Join(dir, "document-one.y"))
		before := contents(t, dir)
		if err := transfer.Export(t.Context(), d.place(), dir, nil); !errors.Is(err, transfer.ErrSome) {
			t.Errorf("%v, want %v", err, transfer.ErrSome)
		}
		said(t, "refused", d.refused.String(), name)
		if !maps.Equal(before, contents(t, dir)) {
			t.Errorf("%s: the file has changed", name)
		}
	}
}

// The command speaks to a process that runs, and says so if it must.
func TestTransferWithARunningProcess(t *testing.T) {
	data, out := t.TempDir(), t.TempDir()
	server := start(t, nil, anywhere(data, "--log-level", "error")...)
	rpc := server.urls["rpc"]
	run := func(want string, args ...string) {
		t.Helper()
		text, err := program(t.Context(), args...).CombinedOutput()
		if (err == nil) != (!strings.HasPrefix(want, "fjord:")) || !strings.Contains(string(text), want) {
			t.Errorf("%v: %v, %s; want %q", args, err, text, want)
		}
	}
	dir := elvaDir(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("s3cret", 8)), 0o600); err != nil {
		t.Fatal(err)
	}
	closed := start(t, nil, anywhere(t.TempDir(), "--log-level", "error", "--rpc-secret", secret)...).urls["rpc"]
	run("fjord: not everything", "import", "elva", dir, "--rpc-url", closed)
	run("2 files: 2 new", "import", "elva", dir, "--rpc-url", closed, "--rpc-secret", secret)

	run("2 files: 2 new", "import", "elva", dir, "--rpc-url", rpc)
	run("0 new, 0 that grew, 2 as before", "import", "elva", "--rpc-url", rpc, dir)
	server.operate(t, "Revoke", `{"subject": "ann"}`) // is kept beside documents, and is none
	run("2 rooms: 2 new", "export", "elva", "--rpc-url", rpc, out)
	other := start(t, nil, anywhere(t.TempDir(), "--log-level", "error")...).urls["rpc"]
	run("0 rooms: ", "export", "elva", "--rpc-url", rpc, "--storage-url", other, t.TempDir())
	run("2 rooms: 0 new, 0 that grew, 0 as before, 2 empty", "export", "elva", "--rpc-url", other, "--storage-url", rpc, t.TempDir())
	run("fjord: --storage-url without --rpc-url", "export", "elva", "--storage-url", other, out)
	run("fjord: storage: data directory", "import", "elva", dir, "--data", data)
	run("fjord: no directory; want fjord import elva DIR", "import", "elva")
	run("fjord: stat ", "export", "elva", filepath.Join(out, "nowhere"))
	run("fjord: import what?", "import", "hocuspocus", dir)
	run("fjord: \"more\" is one argument too many", "import", "elva", dir, "more")
	run("fjord: unknown flag --dry; known are --rpc-url --dry-run", "import", "elva", "--dry", dir)
}
