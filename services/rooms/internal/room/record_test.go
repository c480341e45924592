package room_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

func TestRecord(t *testing.T) {
	for name, updates := range map[string][][]byte{
		"none":  {},
		"one":   {{1, 2, 3}},
		"many":  {{1}, {}, bytes.Repeat([]byte{7}, 300)},
		"empty": {{}},
	} {
		t.Run(name, func(t *testing.T) {
			record := room.AppendRecord([]byte("before"), updates)[len("before"):]
			var got [][]byte
			err := room.ReadRecord(record, func(u []byte) error {
				got = append(got, u)
				return nil
			})
			if err != nil || !slices.EqualFunc(got, updates, bytes.Equal) {
				t.Errorf("read %v (%v), want %v", got, err, updates)
			}
			for i := range record {
				if err := room.ReadRecord(record[:i], func([]byte) error { return nil }); err == nil {
					t.Errorf("accepted when cut at byte %d of %d", i, len(record))
				}
			}
		})
	}
}

// The bytes on disk, for ever.
func TestFormatsOnDisk(t *testing.T) {
	if got := room.AppendRecord(nil, [][]byte{{0xaa}, {0xbb, 0xcc}}); !bytes.Equal(got, []byte{1, 2, 1, 0xaa, 2, 0xbb, 0xcc}) {
		t.Errorf("record % x", got)
	}
	if got := room.AppendSnapshot(nil, []byte{0xaa}); !bytes.Equal(got, []byte{1, 0xaa}) {
		t.Errorf("snapshot % x", got)
	}
}

func TestBadRecordsSayWhatIsWrong(t *testing.T) {
	refuse := errors.New("no such update")
	for _, test := range []struct {
		record []byte
		want   string
	}{
		{nil, "want a version byte"},
		{[]byte{2, 0}, "record version 2; this build reads version 1"},
		{[]byte{1}, "number of updates"},
		{[]byte{1, 1}, "update 1 of 1"},
		{[]byte{1, 2, 1, 0}, "update 2 of 2"},
		{[]byte{1, 0, 9}, "1 bytes after the last update"},
		{[]byte{1, 1, 1, 0xff}, "update 1 of 1: no such update"},
	} {
		err := room.ReadRecord(test.record, func(u []byte) error {
			if len(u) > 0 && u[0] == 0xff {
				return refuse
			}
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("% x: %v, want %q", test.record, err, test.want)
		}
	}
	for _, test := range []struct {
		snapshot []byte
		want     string
	}{
		{nil, "want a version byte"},
		{[]byte{2, 0, 0}, "snapshot version 2; this build reads version 1"},
	} {
		if _, err := room.ReadSnapshot(test.snapshot); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("% x: %v, want %q", test.snapshot, err, test.want)
		}
	}
}

// What is read is written again as the same bytes, unless a number was written
// longer than it need be; and never is more read than is there.
func FuzzReadRecord(f *testing.F) {
	f.Add([]byte{1, 2, 1, 0xaa, 2, 0xbb, 0xcc})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0})
	f.Fuzz(func(t *testing.T, record []byte) {
		var updates [][]byte
		sum := 0
		err := room.ReadRecord(record, func(u []byte) error {
			updates = append(updates, u)
			sum += len(u) + 1
			return nil
		})
		if sum > len(record) {
			t.Fatalf("%d bytes read from %d", sum, len(record))
		}
		if err != nil {
			return
		}
		again := room.AppendRecord(nil, updates)
		if len(again) > len(record) || (len(again) == len(record) && !bytes.Equal(again, record)) {
			t.Errorf("% x is written as % x", record, again)
		}
	})
}

func FuzzReadSnapshot(f *testing.F) {
	f.Add([]byte{1, 0, 0})
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		update, err := room.ReadSnapshot(snapshot)
		if err == nil && !bytes.Equal(room.AppendSnapshot(nil, update), snapshot) {
			t.Errorf("% x is read as % x", snapshot, update)
		}
	})
}
