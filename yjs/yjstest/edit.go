package yjstest

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Edit replaces some characters of a text. Histories are ASCII, so a character,
// a byte and a clock unit are the same.
type Edit struct {
	Position int // before which it happens
	Deleted  int // characters removed from there on
	Inserted string
}

// HistoryLen is the number of edits of the real history, and of the made one.
const HistoryLen = 259_778

// tracePath is where the real history lies, relative to a parent directory of
// the working one. It is public (automerge-perf, "B4") but not ours to copy.
const tracePath = "shared/data/b4-editing-trace.json.gz"

// History returns the real editing history of a paper if its file is found
// beside the checkout, else Paper(HistoryLen). genuine says which it is.
func History() (edits []Edit, genuine bool, err error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, false, err
	}
	for {
		edits, err := ReadTrace(filepath.Join(dir, tracePath))
		if err == nil {
			return edits, true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, false, err
		}
		if dir == filepath.Dir(dir) {
			return Paper(HistoryLen), false, nil
		}
		dir = filepath.Dir(dir)
	}
}

// ReadTrace reads a gzipped JSON file of edits [position, deleted, "inserted"].
func ReadTrace(path string) ([]Edit, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var edits []Edit
	if err := json.NewDecoder(z).Decode(&edits); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return edits, nil
}

// UnmarshalJSON reads [position, deleted, "inserted"].
func (e *Edit) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&e.Position, &e.Deleted, &e.Inserted})
}

// Paper makes the history of a paper being written: n edits of a key each, of
// which about seven in ten type and three delete; mostly where the last one was,
// one in fifty somewhere else. The same n gives the same history.
func Paper(n int) []Edit {
	rnd := rand.New(rand.NewPCG(uint64(n), 4))
	edits := make([]Edit, 0, n)
	length, cursor := 0, 0
	typing := true
	for len(edits) < n {
		switch {
		case rnd.IntN(50) == 0:
			cursor = rnd.IntN(length + 1)
		case typing && rnd.IntN(14) == 0 || !typing && rnd.IntN(6) == 0:
			typing = !typing
		}
		if typing || cursor == 0 {
			edits = append(edits, Edit{cursor, 0, letter(rnd)})
			cursor++
			length++
		} else {
			cursor--
			edits = append(edits, Edit{cursor, 1, ""})
			length--
		}
	}
	return edits
}

func letter(rnd *rand.Rand) string {
	const letters = "eeeeetttaaaooiinnsshhrrdlu\n,.    "
	i := rnd.IntN(len(letters))
	return letters[i : i+1]
}

// Text returns what edits make of an empty text.
func Text(edits []Edit) string {
	var s sequence
	var id uint32
	for _, e := range edits {
		s.remove(e.Position, e.Deleted, func(uint32) {})
		for i := range e.Inserted {
			s.insert(e.Position+i, char{id: id, letter: e.Inserted[i]})
			id++
		}
	}
	var b strings.Builder
	s.each(func(c char) { b.WriteByte(c.letter) })
	return b.String()
}
