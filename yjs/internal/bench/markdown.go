package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// The table of docs/engine.md stands between these.
const (
	begin = "<!-- begin: go run ./yjs/internal/bench -markdown docs/engine.md -->\n"
	end   = "<!-- end -->\n"
)

// insert puts the table between the markers of a Markdown file.
func insert(path, about string, all []entry) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(text, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed {
		return fmt.Errorf("%s: want the lines %q and %q", path, begin, end)
	}
	dst := bytes.NewBuffer(slices.Concat(before, []byte(begin)))
	markdown(dst, about, all)
	dst.WriteString(end)
	dst.Write(after)
	return os.WriteFile(path, dst.Bytes(), 0o600)
}

// markdown writes what was measured where, and the table.
func markdown(w io.Writer, about string, all []entry) {
	fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(about))
	fmt.Fprint(w, "\n| row | goal | engine | yjs | ywasm | to yjs | to ywasm | samples |\n|---|---|---|---|---|---|---|---|\n")
	for _, e := range all {
		goal, reached := e.goal()
		cells := e.cells()
		if !reached {
			cells[0] = "**" + cells[0] + "**"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", e.what, goal, strings.Join(cells, " | "), e.counts())
	}
	fmt.Fprintln(w)
}
