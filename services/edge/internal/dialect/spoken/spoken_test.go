package spoken_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/spoken"
)

// folderOf returns the name of the folder that holds d.
func folderOf(d dialect.Dialect) string { return filepath.Base(reflect.TypeOf(d).PkgPath()) }

// Each folder that holds a Dialect is in the list, and keeps the contract.
func TestEachFolderIsListedAndKeepsTheContract(t *testing.T) {
	var listed []string
	for _, d := range spoken.All {
		listed = append(listed, folderOf(d))
	}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		folder := filepath.Join("..", entry.Name())
		if !declares(t, folder, func(name string, test bool) bool { return name == "Dialect" && !test }) {
			continue
		}
		found++
		if !slices.Contains(listed, entry.Name()) {
			t.Errorf("%s holds a dialect that nobody speaks: want it in spoken.All", entry.Name())
		}
		for _, want := range []string{"TestContract", "FuzzDecode"} {
			if !declares(t, folder, func(name string, test bool) bool { return name == want && test }) {
				t.Errorf("%s has no %s: see dialecttest", entry.Name(), want)
			}
		}
	}
	if found != len(spoken.All) || found < 4 {
		t.Errorf("%d folders with a dialect, %d in the list", found, len(spoken.All))
	}
}

// declares reports whether a file of folder declares what is asked for.
func declares(t *testing.T, folder string, wanted func(name string, test bool) bool) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		test := strings.HasSuffix(file, "_test.go")
		for _, declared := range tree.Decls {
			switch d := declared.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && wanted(d.Name.Name, test) {
					return true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok && wanted(s.Name.Name, test) {
						return true
					}
				}
			}
		}
	}
	return false
}

func TestNamesAreTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range spoken.All {
		name := d.Name()
		if name == "" || name != strings.ToLower(name) || strings.ContainsAny(name, "/ ,\"") || seen[name] {
			t.Errorf("%q is no name: want one of its own, fit for a path, a subprotocol and a label", name)
		}
		seen[name] = true
	}
}

// What a recorded client asks for and says first tells its dialect, or one that
// answers alike.
func TestRecordedClientsAreRecognized(t *testing.T) {
	for _, d := range spoken.All {
		for _, tr := range dialecttest.Transcripts(t, filepath.Join("..", folderOf(d), "testdata")) {
			path, _, _ := strings.Cut(tr.Path, "?")
			first := tr.Frames(dialecttest.Client)[0]
			way := spoken.Find(path, nil)
			found := way.Dialect
			if found == nil {
				found = spoken.Recognize(first)
			}
			if found != d {
				t.Errorf("%s at %s is taken for %v", tr.Name, path, found)
			}
			guessed := spoken.Recognize(first)
			alike := d.Name()
			if !d.Traits().Addressed {
				alike = "y-websocket"
			}
			if guessed == nil || guessed.Name() != alike {
				t.Errorf("%s: % x is taken for %v, want %s", tr.Name, first, guessed, alike)
			}
		}
	}
}

func TestFind(t *testing.T) {
	for _, test := range []struct {
		path, offered string
		dialect, room string
	}{
		{"/doc", "", "", "doc"},
		{"/a/b", "", "", "a/b"},
		{"/", "", "hocuspocus", ""},
		{"", "", "hocuspocus", ""},
		{"/-/elva/room", "", "elva", "room"},
		{"/-/elva/a/b", "", "elva", "a/b"},
		{"/-/hocuspocus", "", "hocuspocus", ""},
		{"/-/hocuspocus/any", "", "hocuspocus", ""},
		{"/-/y-sweet/doc", "", "y-sweet", "doc"},
		{"/-/unknown/doc", "", "", "-/unknown/doc"},
		{"/doc", "elva", "elva", "doc"},
		{"/doc", "x,hocuspocus", "hocuspocus", ""},
		{"/doc", "x", "", "doc"},
		{"/-/y-sweet/doc", "elva", "y-sweet", "doc"}, // the path wins
		{"/d/doc/ws/doc", "", "y-sweet", "doc"},
		{"/d/doc/ws/doc", "y-websocket", "y-websocket", "d/doc/ws/doc"},
		{"/d/doc/ws/other", "", "", "d/doc/ws/other"},
	} {
		way := spoken.Find(test.path, strings.Split(test.offered, ","))
		name := ""
		if way.Dialect != nil {
			name = way.Dialect.Name()
		}
		if name != test.dialect || way.Room != test.room || way.Addressed() != (name == "hocuspocus") {
			t.Errorf("%s, %s: %q in room %q, want %q in %q", test.path, test.offered, name, way.Room, test.dialect, test.room)
		}
	}
}

// Bytes that are in no dialect are in none.
func TestNobodyOpensSo(t *testing.T) {
	for _, frame := range []string{"", "\xff", "GET / HTTP/1.1\r\n", "\x00", "{}", "\x00\x07\x00", "\x7f\x7f\x7f"} {
		if d := spoken.Recognize([]byte(frame)); d != nil {
			t.Errorf("%q opens %s", frame, d.Name())
		}
	}
}
