package dialecttest

import (
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Side says whose a line of a transcript is.
type Side byte

// The sides.
const (
	Client Side = 'C'
	Server Side = 'S'
	// Closed: the server has closed the socket.
	Closed Side = 'X'
)

// Line is one frame of a recorded conversation, or its end.
type Line struct {
	Side  Side
	Frame []byte
	// Code goes with Closed.
	Code int
	// Words are what the recorder said of it, for people.
	Words string
}

// Transcript is a conversation of a real client with a Fjord server.
type Transcript struct {
	// Name is the file's, without .txt: "hocuspocus-4.8.0".
	Name string
	// Path is what the client asked for, with its query.
	Path  string
	Lines []Line
}

// Secret signed the tokens in transcripts of readers.
const Secret = "recorded-recorded-recorded-recorded"

// Frames returns the frames of one side.
func (tr Transcript) Frames(side Side) [][]byte {
	var frames [][]byte
	for _, l := range tr.Lines {
		if l.Side == side {
			frames = append(frames, l.Frame)
		}
	}
	return frames
}

// Reader reports whether the client had a token that lets it only read.
func (tr Transcript) Reader() bool { return strings.HasSuffix(tr.Name, "-reader") }

// Transcripts reads those of a folder: lines of
//
//	P path                       C hex  # words
//	X code  # reason             S hex  # words
//
// Empty lines and those that begin with # are for people. A file that isn't a
// transcript, refused.txt, is left out.
func Transcripts(tb testing.TB, folder string) []Transcript {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil {
		tb.Fatal(err)
	}
	var all []Transcript
	for _, file := range files {
		if filepath.Base(file) == refusedFile {
			continue
		}
		tr, err := read(file)
		if err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
		all = append(all, tr)
	}
	if len(all) == 0 {
		tb.Fatalf("no transcript in %s", folder)
	}
	return all
}

func read(file string) (Transcript, error) {
	tr := Transcript{Name: strings.TrimSuffix(filepath.Base(file), ".txt")}
	err := eachLine(file, func(kind, what, words string) error {
		line := Line{Side: Side(kind[0]), Words: words}
		var err error
		switch kind {
		case "P":
			tr.Path = what
			return nil
		case "X":
			line.Code, err = strconv.Atoi(what)
		case "C", "S":
			line.Frame, err = hex.DecodeString(what)
		default:
			return fmt.Errorf("want P, C, S or X")
		}
		tr.Lines = append(tr.Lines, line)
		return err
	})
	if err == nil && (tr.Path == "" || len(tr.Lines) == 0) {
		err = fmt.Errorf("no path, or nothing said: %w", fs.ErrInvalid)
	}
	return tr, err
}

// Bytes returns what is written in hex, where spaces mean nothing.
func Bytes(tb testing.TB, text string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// eachLine calls do with the parts of `kind what # words`.
func eachLine(file string, do func(kind, what, words string) error) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		said, words, _ := strings.Cut(line, "#")
		kind, what, _ := strings.Cut(strings.TrimSpace(said), " ")
		if err := do(kind, strings.TrimSpace(what), strings.TrimSpace(words)); err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
	}
	return nil
}
