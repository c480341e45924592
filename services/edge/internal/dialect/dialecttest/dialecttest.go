// Package dialecttest is what every dialect must do, as a suite that runs over
// all of them. It is fed with recordings of real clients, and with frames that
// must be refused:
//
//	testdata/<client>-<version>.txt   recorded by conformance/record
//	testdata/refused.txt              R hex  # words that the error must hold
//
// What it checks needs the codec only. What a dialect's clients are told, and
// when, is checked over all dialects by the edge's own tests.
package dialecttest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
)

// refusedFile holds the frames that must be refused.
const refusedFile = "refused.txt"

// Run runs the suite over d, with what lies in folder.
func Run(t *testing.T, d dialect.Dialect, folder string) {
	t.Helper()
	transcripts := Transcripts(t, folder)
	t.Run("every frame is understood and spelled alike", func(t *testing.T) { spelledAlike(t, d, transcripts) })
	t.Run("a frame that is cut is refused", func(t *testing.T) { cutFrames(t, d, transcripts) })
	t.Run("bytes after a frame are refused", func(t *testing.T) { longFrames(t, d, transcripts) })
	t.Run("lengths that lie are refused", func(t *testing.T) { lies(t, d, transcripts) })
	t.Run("what must be refused is, with a reason", func(t *testing.T) { refusals(t, d, folder) })
	t.Run("each update of a client has one answer", func(t *testing.T) { answers(t, d, transcripts) })
	t.Run("the keepalive is awareness of nobody", func(t *testing.T) { keepalive(t, d) })
	t.Run("what has no word isn't said", func(t *testing.T) { wordless(t, d) })
}

// spoken are the kinds that only clients say, or that are spelled otherwise
// towards them.
var spoken = []dialect.Kind{dialect.Token, dialect.Leave, dialect.Ignored, dialect.Illegal, dialect.Cross}

func spelledAlike(t *testing.T, d dialect.Dialect, transcripts []Transcript) {
	t.Helper()
	for _, tr := range transcripts {
		for i, frame := range tr.Frames(Client) {
			messages, err := d.Decode(nil, frame)
			if err != nil || len(messages) == 0 {
				t.Fatalf("%s, frame %d, % x: %v, %v", tr.Name, i, frame, messages, err)
			}
			if slices.ContainsFunc(messages, func(m dialect.Message) bool { return slices.Contains(spoken, m.Kind) }) {
				continue
			}
			var again []byte
			for _, m := range messages {
				if !inside(m.Body, frame) {
					t.Errorf("%s, frame %d: the body of %v is a copy", tr.Name, i, m.Kind)
				}
				again = d.Append(again, m)
			}
			if !bytes.Equal(again, frame) {
				t.Errorf("%s, frame %d: % x is spelled % x here", tr.Name, i, frame, again)
			}
		}
	}
}

// inside reports whether part aliases whole.
func inside(part, whole []byte) bool {
	if len(part) == 0 {
		return true
	}
	for i := range whole {
		if &whole[i] == &part[0] {
			return true
		}
	}
	return false
}

// one decodes a frame that must leave dst alone if it is refused.
func one(t *testing.T, d dialect.Dialect, frame []byte) ([]dialect.Message, error) {
	t.Helper()
	before := []dialect.Message{{Kind: dialect.Saved}}
	messages, err := d.Decode(before, frame)
	if err != nil && (len(messages) != 1 || messages[0].Kind != dialect.Saved) {
		t.Errorf("% x was refused, and left %v behind", frame, messages)
	}
	if err != nil && strings.TrimSpace(err.Error()) == "" {
		t.Errorf("% x was refused without a reason", frame)
	}
	return messages[1:], err
}

// cutFrames: whatever a connection loses, the rest isn't taken for the whole.
// Where a shorter frame is one of its own, what was in it is what was in the
// longer one, to the byte, or the message is known to end anywhere.
func cutFrames(t *testing.T, d dialect.Dialect, transcripts []Transcript) {
	t.Helper()
	for _, tr := range transcripts {
		for _, frame := range tr.Frames(Client) {
			for i := range frame {
				messages, err := one(t, d, frame[:i])
				if err == nil && !open(messages) {
					t.Fatalf("%s: % x cut to % x is understood as %v", tr.Name, frame, frame[:i], messages)
				}
			}
		}
	}
}

// open reports whether the last message may be followed by anything: clients
// append bytes to these, or in newer versions say more.
func open(messages []dialect.Message) bool {
	if len(messages) == 0 {
		return false
	}
	switch messages[len(messages)-1].Kind {
	case dialect.QueryAwareness, dialect.Leave, dialect.Illegal, dialect.Token, dialect.Ignored:
		return true
	default:
		return false
	}
}

func longFrames(t *testing.T, d dialect.Dialect, transcripts []Transcript) {
	t.Helper()
	for _, tr := range transcripts {
		for _, frame := range tr.Frames(Client) {
			whole, _ := d.Decode(nil, frame)
			for _, tail := range [][]byte{{0xff}, {0x80}, {0}, {0, 0}, bytes.Repeat([]byte{0xff}, 9)} {
				messages, err := one(t, d, slices.Concat(frame, tail))
				if err == nil && !open(whole) {
					t.Errorf("%s: % x and % x is understood as %v", tr.Name, frame, tail, messages)
				}
			}
		}
	}
}

// lies: no length is believed, wherever it stands. 2^52 bytes would show.
func lies(t *testing.T, d dialect.Dialect, transcripts []Transcript) {
	t.Helper()
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f}
	for _, tr := range transcripts {
		for _, frame := range tr.Frames(Client) {
			for i := range frame {
				messages, err := one(t, d, slices.Concat(frame[:i], huge))
				size := 0
				for _, m := range messages {
					size += len(m.Body) + len(m.Address)
				}
				// A frame of the right length has it inside of a body that is the
				// room's to read.
				opaque := i+len(huge) == len(frame)
				if err == nil && (size > i+len(huge) || (!open(messages) && !opaque)) {
					t.Errorf("%s: % x is understood as %v", tr.Name, slices.Concat(frame[:i], huge), messages)
				}
			}
		}
	}
}

func refusals(t *testing.T, d dialect.Dialect, folder string) {
	t.Helper()
	n := 0
	err := eachLine(filepath.Join(folder, refusedFile), func(kind, what, words string) error {
		n++
		frame, err := hex.DecodeString(strings.ReplaceAll(what, " ", ""))
		if err != nil || kind != "R" || words == "" {
			return fmt.Errorf("want R, hex and words: %w", err)
		}
		if messages, err := one(t, d, frame); err == nil {
			t.Errorf("% x is understood as %v", frame, messages)
		} else if !strings.Contains(err.Error(), words) {
			t.Errorf("% x is refused because %q, want %q", frame, err, words)
		}
		if d.Opens(frame) {
			t.Errorf("% x opens a socket", frame)
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Errorf("%d refused: %v", n, err)
	}
}

// answers: where a client counts, each step 2 and each update was answered once;
// where it doesn't, each update that said something came back once, as it was.
func answers(t *testing.T, d dialect.Dialect, transcripts []Transcript) {
	t.Helper()
	for _, tr := range transcripts {
		if tr.Reader() {
			continue
		}
		owed := 0
		due := map[string]int{}
		for _, frame := range tr.Frames(Client) {
			for _, answer := range owedTo(t, d, frame) {
				due[string(answer)]++
				owed++
			}
		}
		for _, frame := range tr.Frames(Server) {
			if n, known := due[string(frame)]; known {
				due[string(frame)] = n - 1
			}
		}
		for frame, n := range due {
			if n != 0 {
				t.Errorf("%s: % x came %d times too few", tr.Name, frame, n)
			}
		}
		if owed == 0 {
			t.Errorf("%s: the client wrote nothing", tr.Name)
		}
	}
}

// owedTo returns the frames that answer what a client wrote.
func owedTo(t *testing.T, d dialect.Dialect, frame []byte) (answers [][]byte) {
	t.Helper()
	messages, err := d.Decode(nil, frame)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if m.Kind != dialect.Step2 && m.Kind != dialect.Update {
			continue
		}
		if d.Traits().Acks {
			answers = append(answers, d.Append(nil, dialect.Message{Kind: dialect.Saved, Address: m.Address}))
		}
		if !bytes.Equal(m.Body, []byte{0, 0}) {
			answers = append(answers, d.Append(nil, dialect.Message{Kind: dialect.Update, Address: m.Address, Body: m.Body}))
		}
	}
	return answers
}

func keepalive(t *testing.T, d dialect.Dialect) {
	t.Helper()
	messages, err := d.Decode(nil, d.Keepalive("doc"))
	if err != nil || len(messages) != 1 || messages[0].Kind != dialect.Awareness || !bytes.Equal(messages[0].Body, []byte{0}) {
		t.Errorf("%v, %v", messages, err)
	}
}

func wordless(t *testing.T, d dialect.Dialect) {
	t.Helper()
	dst := []byte("before")
	for kind := range dialect.Raw + 2 {
		m := dialect.Message{Kind: kind, Address: "doc", Body: []byte{0}}
		said := d.Append(bytes.Clone(dst), m)
		if !bytes.HasPrefix(said, dst) {
			t.Errorf("%v: % x doesn't begin with what was there", kind, said)
		}
		if (kind == 0 || kind >= dialect.Raw) && len(said) > len(dst) {
			t.Errorf("%v is said as % x", kind, said[len(dst):])
		}
	}
}
