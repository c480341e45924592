package protocol_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/fjord-sync/fjord/yjs/lib0"
	"github.com/fjord-sync/fjord/yjs/protocol"
)

func TestSync(t *testing.T) {
	for _, c := range []struct {
		bytes []byte
		typ   protocol.SyncType
		body  []byte
		name  string
	}{
		{[]byte{0, 1, 0}, protocol.SyncStep1, []byte{0}, "step 1"},
		{[]byte{1, 2, 0, 0}, protocol.SyncStep2, []byte{0, 0}, "step 2"},
		{[]byte{2, 2, 0, 0}, protocol.SyncUpdate, []byte{0, 0}, "update"},
	} {
		if got := protocol.AppendSync(nil, c.typ, c.body); !bytes.Equal(got, c.bytes) {
			t.Errorf("%v: wrote % x, want % x", c.typ, got, c.bytes)
		}
		typ, body, rest, err := protocol.ReadSync(append(bytes.Clone(c.bytes), 7))
		if typ != c.typ || !bytes.Equal(body, c.body) || !bytes.Equal(rest, []byte{7}) || err != nil {
			t.Errorf("% x: %v % x % x %v", c.bytes, typ, body, rest, err)
		}
		if typ.String() != c.name {
			t.Errorf("name %q, want %q", typ, c.name)
		}
		for i := range c.bytes {
			if _, _, _, err := protocol.ReadSync(c.bytes[:i]); !errors.Is(err, lib0.ErrTruncated) {
				t.Errorf("% x cut at %d: %v", c.bytes, i, err)
			}
		}
	}
}

func TestSyncUnknown(t *testing.T) {
	if _, _, _, err := protocol.ReadSync([]byte{3, 1, 0}); err == nil {
		t.Error("type 3 was accepted")
	}
}

func FuzzReadSync(f *testing.F) {
	f.Add([]byte{0, 1, 0})
	f.Add([]byte{1, 2, 0, 0})
	f.Fuzz(func(t *testing.T, src []byte) {
		typ, body, rest, err := protocol.ReadSync(src)
		if err != nil {
			return
		}
		again := protocol.AppendSync(nil, typ, body)
		typ2, body2, rest2, err := protocol.ReadSync(append(again, rest...))
		if typ2 != typ || !bytes.Equal(body2, body) || !bytes.Equal(rest2, rest) || err != nil {
			t.Errorf("% x reads differently as % x", src, again)
		}
	})
}
