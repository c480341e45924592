package ywebsocket_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
)

// line is one frame of a recorded conversation.
type line struct {
	client bool
	frame  []byte
}

// transcript reads what a real client said, and was told, from testdata.
func transcript(t testing.TB, version string) []line {
	t.Helper()
	text, err := os.ReadFile("testdata/y-websocket-" + version + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	var lines []line
	for l := range strings.Lines(string(text)) {
		l = strings.TrimSpace(l)
		switch {
		case strings.HasPrefix(l, "C "):
			lines = append(lines, line{true, unhex(t, l[2:])})
		case strings.HasPrefix(l, "S "):
			lines = append(lines, line{false, unhex(t, l[2:])})
		case l != "" && !strings.HasPrefix(l, "#"):
			t.Fatalf("line %q: want C, S or #", l)
		}
	}
	return lines
}

// The clients say what we understand, in the order in which the session expects
// it, and spell it as we do.
func TestTranscripts(t *testing.T) {
	for _, version := range []string{"2.1.0", "3.1.0"} {
		t.Run(version, func(t *testing.T) {
			var said []dialect.Kind
			for i, l := range transcript(t, version) {
				messages, err := yws.Decode(nil, l.frame)
				if err != nil || len(messages) != 1 {
					t.Fatalf("frame %d, % x: %v, %v; want one message", i, l.frame, messages, err)
				}
				if again := yws.Append(nil, messages[0]); !bytes.Equal(again, l.frame) {
					t.Errorf("frame %d: % x is spelled % x here", i, l.frame, again)
				}
				if l.client {
					said = append(said, messages[0].Kind)
				}
			}
			want := []dialect.Kind{
				dialect.Step1, dialect.Awareness, dialect.Step2, dialect.Awareness,
				dialect.Update, dialect.Update, dialect.Update, dialect.Update,
				dialect.Awareness, // asked for
				dialect.Step2,     // asked for again
				dialect.Awareness, dialect.Awareness,
			}
			if !slices.Equal(said, want) {
				t.Errorf("the client said %v, want %v", said, want)
			}
		})
	}
}
