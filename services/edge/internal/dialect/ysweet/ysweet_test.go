package ysweet_test

import (
	"bytes"
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/ysweet"
)

var d ysweet.Dialect

func TestSyncStatus(t *testing.T) {
	frame := []byte{0, 2, 1, 5, 102, 2, 7, 8, 1, 1, 0}
	messages, err := d.Decode(nil, frame)
	if err != nil || len(messages) != 3 || messages[0].Kind != dialect.Update ||
		messages[1].Kind != dialect.Barrier || messages[2].Kind != dialect.Awareness {
		t.Fatalf("%v, %v", messages, err)
	}
	if got := d.Append(nil, messages[1]); !bytes.Equal(got, []byte{102, 2, 7, 8}) {
		t.Errorf("% x: want it as it came", got)
	}
	for _, bad := range [][]byte{{}, {102}, {102, 1}, {102, 0, 4}, {101, 0}} {
		if messages, err := d.Decode(nil, bad); err == nil {
			t.Errorf("% x was understood as %v", bad, messages)
		}
	}
	if d.Opens([]byte{102, 0}) {
		t.Error("a sync status opens a socket")
	}
}

func TestRoom(t *testing.T) {
	for path, want := range map[string]string{
		"d/doc/ws/doc": "doc", "d/a/b/ws/a/b": "a/b", "d/a/ws/b/ws/a/ws/b": "a/ws/b",
		"d/doc/ws/other": "", "d//ws/": "", "d/ws": "", "doc": "", "x/doc/ws/doc": "", "d/": "",
	} {
		if room, ok := d.Room(path); room != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", path, room, ok)
		}
	}
}
