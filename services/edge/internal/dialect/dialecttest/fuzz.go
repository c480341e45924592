package dialecttest

import (
	"bytes"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
)

// Fuzz fuzzes d's Decode, beginning with what lies in folder: nothing panics,
// nothing is half understood, bodies lie inside the frame, and what was
// understood and can be said is understood again, and the same.
func Fuzz(f *testing.F, d dialect.Dialect, folder string) {
	f.Helper()
	for _, tr := range Transcripts(f, folder) {
		for _, l := range tr.Lines {
			f.Add(l.Frame)
		}
	}
	err := eachLine(filepath.Join(folder, refusedFile), func(_, what, _ string) error {
		frame, err := hex.DecodeString(strings.ReplaceAll(what, " ", ""))
		f.Add(frame)
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		messages, err := d.Decode(nil, frame)
		opens := d.Opens(frame)
		if err != nil {
			if len(messages) > 0 || opens {
				t.Fatalf("%v and %d messages, opens: %v", err, len(messages), opens)
			}
			return
		}
		if len(messages) == 0 {
			t.Fatal("nothing was understood, and nothing refused")
		}
		for _, m := range messages {
			sameAgain(t, d, m, frame)
		}
	})
}

func sameAgain(t *testing.T, d dialect.Dialect, m dialect.Message, frame []byte) {
	t.Helper()
	if m.Kind != dialect.Illegal && len(m.Body)+len(m.Address) > len(frame) {
		t.Fatalf("a body of %d bytes in a frame of %d", len(m.Body), len(frame))
	}
	if slices.Contains(spoken, m.Kind) {
		return
	}
	again := d.Append(nil, m)
	back, err := d.Decode(nil, again)
	if err != nil || len(back) != 1 || back[0].Kind != m.Kind || back[0].Address != m.Address {
		t.Fatalf("%v said as % x came back as %v, %v", m, again, back, err)
	}
	// What tells access has no body that counts.
	if !bytes.Equal(back[0].Body, m.Body) && m.Kind != dialect.ReadOnly && m.Kind != dialect.ReadWrite {
		t.Fatalf("%v said as % x came back as %v", m, again, back)
	}
}
