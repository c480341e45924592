package yjs_test

import (
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

// TestReadme holds the code in README.md to Example, which is compiled and run.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(readme), "```go\n")
	block, _, ok := strings.Cut(block, "```")
	if !ok {
		t.Fatal("README.md has no code in Go")
	}
	indented := "\t" + strings.ReplaceAll(strings.TrimSpace(block), "\n", "\n\t")
	if !strings.Contains(string(source), indented) {
		t.Errorf("README.md says what no example does:\n%s", block)
	}
}

func Example() {
	update, stateVector := []byte{1, 1, 1, 0, 4, 1, 4, 'b', 'o', 'd', 'y', 5, 'w', 'o', 'r', 'l', 'd', 0}, []byte{1, 1, 5}
	// What a client has sent, or a file holds: Y.encodeStateAsUpdate(doc).
	doc := yjs.NewDocument()
	if err := doc.ApplyUpdate(update); err != nil {
		log.Fatal(err) // yjs.ErrMalformed, ErrLimit or ErrConflict; doc is as it was
	}
	// Read it, and change it.
	view, err := content.Of(doc)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(view.Text("body"))
	edit, err := view.Edit(uint64(rand.Uint32())) // a client ID of our own
	if err != nil {
		log.Fatal(err)
	}
	if err := view.Text("body").Insert(edit, 0, "Hello, ", nil); err != nil {
		log.Fatal(err)
	}
	change := edit.Commit() // for the document, and for everybody else
	if err := doc.ApplyUpdate(change); err != nil {
		log.Fatal(err)
	}
	// What a peer lacks: stateVector is its Y.encodeStateVector(doc).
	answer, err := doc.EncodeStateAsUpdate(stateVector)
	fmt.Println(string(answer) == string(change), err)
	fmt.Println(view.Text("body"))
	// Output:
	// world
	// true <nil>
	// Hello, world
}
