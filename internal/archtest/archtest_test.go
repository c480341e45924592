// Package archtest executes the table of docs/architecture.md that says who may
// import whom.
package archtest_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	repository = "../.."
	project    = "github.com/fjord-sync/fjord/"
	gorilla    = "github.com/gorilla/"
	badger     = "github.com/dgraph-io/badger/"
)

// rule says what the files below a folder may import of what the table speaks
// of: the project's own packages, gorilla and Badger. The longest folder that
// contains a file decides. A name ending in / allows all below it.
type rule struct {
	folder string
	may    []string
	// onlyStandard forbids every package that isn't Go's or its own.
	onlyStandard bool
}

var table = []rule{
	{folder: "yjs", may: []string{"yjs/"}, onlyStandard: true},
	{folder: "gen", may: []string{"gen/"}},
	{folder: "internal", may: []string{"internal/"}},
	{folder: "internal/contract", may: []string{"internal/", "gen/", "yjs/"}},
	{folder: "services/edge", may: []string{
		"services/edge/", "gen/", "internal/", "yjs/lib0", "yjs/protocol", "yjs/awareness", gorilla,
	}},
	{folder: "services/rooms", may: []string{"services/rooms/", "gen/", "internal/", "yjs/"}},
	{folder: "services/storage", may: []string{"services/storage/", "gen/", "internal/", badger}},
	{folder: "reliability", may: []string{"reliability/", "gen/", "internal/serve", "yjs/", gorilla}},
	{folder: "cmd", may: []string{"cmd/", "gen/", "internal/", "services/edge", "services/rooms", "services/storage"}},
	// What takes documents in and out has to understand them.
	{folder: "cmd/fjord/internal/transfer", may: []string{"cmd/", "gen/", "internal/", "yjs/"}},
}

func (r rule) allows(imported string) bool {
	spoken := strings.HasPrefix(imported, project) || strings.HasPrefix(imported, gorilla) || strings.HasPrefix(imported, badger)
	if !spoken {
		first, _, _ := strings.Cut(imported, "/")
		return !r.onlyStandard || !strings.Contains(first, ".")
	}
	path := strings.TrimPrefix(imported, project)
	for _, may := range r.may {
		if path == strings.TrimSuffix(may, "/") || strings.HasSuffix(may, "/") && strings.HasPrefix(path, may) {
			return true
		}
	}
	return false
}

func ruleFor(file string) (rule, bool) {
	var best rule
	found := false
	for _, r := range table {
		if strings.HasPrefix(file, r.folder+"/") && len(r.folder) > len(best.folder) {
			best, found = r, true
		}
	}
	return best, found
}

func TestImportsFollowTheTable(t *testing.T) {
	checked := make(map[string]int)
	err := filepath.WalkDir(repository, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == "node_modules" || name == "testdata" || (strings.HasPrefix(name, ".") && name != ".." && path != repository)) {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := filepath.Rel(repository, path)
		if err != nil {
			return err
		}
		file = filepath.ToSlash(file)
		r, ok := ruleFor(file)
		if !ok {
			t.Errorf("%s is in a folder that the table doesn't know; add a row", file)
			return nil
		}
		checked[r.folder]++
		for _, imported := range imports(t, path) {
			if !r.allows(imported) {
				t.Errorf("%s imports %s, which %s may not", file, imported, r.folder)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"yjs", "gen", "internal", "services/edge", "services/rooms", "services/storage", "reliability", "cmd"} {
		if checked[folder] == 0 {
			t.Errorf("no file of %s was checked; has it moved?", folder)
		}
	}
}

// Adding a dialect touches its own folder and the list in spoken, since nothing
// else of the edge knows one by name.
func TestOnlyTheListKnowsDialects(t *testing.T) {
	const edge, dialects = "services/edge", "services/edge/internal/dialect"
	may := map[string]bool{dialects: true, dialects + "/spoken": true}
	checked := 0
	err := filepath.WalkDir(filepath.Join(repository, edge), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := filepath.Rel(repository, path)
		if err != nil || strings.HasPrefix(filepath.ToSlash(file), dialects+"/") {
			return err
		}
		checked++
		for _, imported := range imports(t, path) {
			name := strings.TrimPrefix(imported, project)
			if strings.HasPrefix(name, dialects) && !may[name] {
				t.Errorf("%s imports %s: want it to work with any dialect of spoken.All", file, name)
			}
		}
		return nil
	})
	if err != nil || checked == 0 {
		t.Errorf("%d files checked: %v", checked, err)
	}
}

func imports(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, i := range file.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, imported)
	}
	return paths
}

// The table must be able to say no.
func TestTableRefuses(t *testing.T) {
	for file, imported := range map[string]string{
		"yjs/document.go":                    "go.uber.org/goleak",
		"yjs/lib0/any.go":                    project + "gen/fjord/rooms/v1",
		"internal/serve/rpc.go":              project + "gen/fjord/rooms/v1",
		"services/edge/edge.go":              project + "yjs",
		"services/edge/internal/a/a.go":      project + "services/rooms",
		"services/rooms/rooms.go":            gorilla + "websocket",
		"services/storage/storage.go":        project + "yjs/lib0",
		"services/rooms/internal/journal.go": badger + "v4",
		"cmd/fjord/main.go":                  gorilla + "websocket",
		"reliability/fleet/fleet.go":         project + "services/storage",
	} {
		r, ok := ruleFor(file)
		if !ok || r.allows(imported) {
			t.Errorf("%s may import %s, want a refusal", file, imported)
		}
	}
}
