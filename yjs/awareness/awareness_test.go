package awareness_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/yjs/awareness"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

func TestAwareness(t *testing.T) {
	entries := []awareness.Entry{
		{Client: 42, Clock: 7, State: []byte("{}")},
		{Client: lib0.MaxSafeInteger, Clock: 0, State: awareness.Null},
		{Client: 0, Clock: 1, State: []byte(`{"user":"é"}`)},
	}
	src := awareness.Append(nil, entries...)
	if want := []byte{3, 42, 7, 2, '{', '}'}; !bytes.HasPrefix(src, want) {
		t.Errorf("wrote % x, want % x…", src, want)
	}
	got, err := awareness.Decode(src)
	if err != nil || len(got) != len(entries) {
		t.Fatalf("read %v, %v", got, err)
	}
	for i, e := range got {
		if e.Client != entries[i].Client || e.Clock != entries[i].Clock || !bytes.Equal(e.State, entries[i].State) {
			t.Errorf("entry %d is %v", i, e)
		}
		if e.Gone() != (i == 1) {
			t.Errorf("entry %d gone: %v", i, e.Gone())
		}
	}
	for i := range src {
		if _, err := awareness.Decode(src[:i]); err == nil {
			t.Errorf("accepted when cut at %d", i)
		}
	}
	if _, err := awareness.Decode(append(src, 0)); !errors.Is(err, awareness.ErrTrailingBytes) {
		t.Errorf("trailing byte: %v", err)
	}
}

func TestNobody(t *testing.T) {
	src := awareness.Append(nil)
	if !bytes.Equal(src, []byte{0}) {
		t.Errorf("wrote % x", src)
	}
	if got, err := awareness.Decode(src); len(got) != 0 || err != nil {
		t.Errorf("read %v, %v", got, err)
	}
}

// TestNoState has an entry without a state, which says that its client has left: a peer
// in JavaScript would throw on a text of no length.
func TestNoState(t *testing.T) {
	e := awareness.Entry{Client: 1, Clock: 2}
	if got, want := awareness.Append(nil, e), []byte("\x01\x01\x02\x04null"); !bytes.Equal(got, want) || !e.Gone() {
		t.Errorf("%q, want %q", got, want)
	}
	var s awareness.States
	s.Set(2, []byte("{}"), time.Time{})
	s.Apply([]awareness.Entry{{Client: 1, Clock: 1, State: []byte("{}")}}, time.Time{})
	if changed := s.Apply([]awareness.Entry{e}, time.Time{}); len(changed) != 1 || len(s.Entries()) != 1 {
		t.Errorf("told %v, there are %v", changed, s.Entries())
	}
	// No text at all that came from a peer is a state like others that aren't JSON.
	if (awareness.Entry{State: []byte{}}).Gone() {
		t.Error("an empty state is gone")
	}
}

func TestRefused(t *testing.T) {
	for name, src := range map[string][]byte{
		"2^40 entries claimed": append(lib0.AppendVarUint(nil, 1<<40), 1, 1, 0),
		"state is not UTF-8":   {1, 1, 1, 1, 0xff},
	} {
		if got, err := awareness.Decode(src); err == nil {
			t.Errorf("%s: accepted as %v", name, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{1, 42, 7, 2, '{', '}'})
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, src []byte) {
		entries, err := awareness.Decode(src)
		if err != nil {
			return
		}
		if len(entries) > len(src) {
			t.Fatalf("%d entries in %d bytes", len(entries), len(src))
		}
		again, err := awareness.Decode(awareness.Append(nil, entries...))
		if err != nil || len(again) != len(entries) {
			t.Fatalf("read again: %v, %v", again, err)
		}
		for i := range entries {
			if again[i].Client != entries[i].Client || again[i].Clock != entries[i].Clock || !bytes.Equal(again[i].State, entries[i].State) {
				t.Errorf("entry %d: %v, then %v", i, entries[i], again[i])
			}
		}
	})
}
