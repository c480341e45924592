package content

import (
	"reflect"
	"testing"
)

// TestNodeSize holds nodes to what the package's documentation says that they take: a
// view of a million structs has a million of them.
func TestNodeSize(t *testing.T) {
	const said = 36
	if size := reflect.TypeFor[node]().Size(); size != said {
		t.Errorf("a node takes %d bytes; doc.go and docs/engine.md say %d", size, said)
	}
}
