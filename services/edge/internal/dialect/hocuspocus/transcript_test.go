package hocuspocus_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
)

var versions = []string{"2.15.3", "3.4.4", "4.8.0"}

// transcript reads what a real client said, and was told, from testdata.
func transcript(t testing.TB, version string) (client, server [][]byte) {
	t.Helper()
	text, err := os.ReadFile("testdata/hocuspocus-" + version + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(text)) {
		l = strings.TrimSpace(l)
		switch {
		case strings.HasPrefix(l, "C "):
			client = append(client, unhex(t, l[2:]))
		case strings.HasPrefix(l, "S "):
			server = append(server, unhex(t, l[2:]))
		case l != "" && !strings.HasPrefix(l, "#"):
			t.Fatalf("line %q: want C, S or #", l)
		}
	}
	return client, server
}

// The clients say what we understand, and spell it as we do; and each update and
// step 2 of theirs was answered once.
func TestTranscripts(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			client, server := transcript(t, version)
			if !hp.Opens(client[0]) {
				t.Errorf("% x doesn't open a socket", client[0])
			}
			asked, stateless := 0, 0
			for i, frame := range client {
				messages, err := hp.Decode(nil, frame)
				if err != nil || len(messages) != 1 {
					t.Fatalf("frame %d, % x: %v, %v; want one message", i, frame, messages, err)
				}
				m := messages[0]
				switch m.Kind {
				case dialect.Update, dialect.Step2:
					asked++
				case dialect.Stateless:
					stateless++
				case dialect.Token:
					if string(m.Body) != "secret" {
						t.Errorf("token %q", m.Body)
					}
					continue
				case dialect.Leave:
					continue
				}
				if again := hp.Append(nil, m); !bytes.Equal(again, frame) {
					t.Errorf("frame %d: % x is spelled % x here", i, frame, again)
				}
			}
			saved := hp.Append(nil, dialect.Message{Kind: dialect.Saved, Address: strings.Repeat("d", int(client[0][0]))})
			answered := 0
			for _, frame := range server {
				if bytes.Equal(frame, saved) {
					answered++
				}
			}
			if asked == 0 || asked != answered || stateless != 1 {
				t.Errorf("%d updates, %d answers, %d stateless messages", asked, answered, stateless)
			}
		})
	}
}
