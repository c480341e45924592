package awareness_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/yjs/awareness"
)

// TestStates follows two clients through y-protocols' rules; no time passes but in
// what States is told.
func TestStates(t *testing.T) {
	var s awareness.States
	begin := time.Unix(1_700_000_000, 0)
	entry := func(client, clock uint64, state string) awareness.Entry {
		return awareness.Entry{Client: client, Clock: clock, State: []byte(state)}
	}
	steps := []struct {
		name  string
		after time.Duration
		in    awareness.Entry
		news  bool
		there int
	}{
		{"comes", 0, entry(1, 1, `{"a":1}`), true, 1},
		{"says the same", time.Second, entry(1, 1, `{"a":1}`), false, 1},
		{"another one comes", 2 * time.Second, entry(2, 7, `{}`), true, 2},
		{"what is older is late", 3 * time.Second, entry(2, 6, `{"old":true}`), false, 2},
		{"leaves without a new clock", 4 * time.Second, entry(2, 7, "null"), true, 1},
		{"leaves again", 5 * time.Second, entry(2, 7, "null"), false, 1},
		{"what comes late doesn't bring it back", 6 * time.Second, entry(2, 7, `{}`), false, 1},
		{"comes back", 7 * time.Second, entry(2, 8, `{}`), true, 2},
	}
	for _, c := range steps {
		changed := s.Apply([]awareness.Entry{c.in}, begin.Add(c.after))
		if (len(changed) == 1) != c.news || len(s.Entries()) != c.there {
			t.Errorf("%s: %d news, %d there", c.name, len(changed), len(s.Entries()))
		}
	}
	if at, ok := s.Next(); !ok || !at.Equal(begin.Add(awareness.Outdated)) {
		t.Errorf("next at %v, %v", at, ok)
	}
	if gone := s.Expire(begin.Add(awareness.Outdated - 1)); gone != nil {
		t.Errorf("too early: %v", gone)
	}
	want := []awareness.Entry{{Client: 1, Clock: 1, State: awareness.Null}}
	if gone := s.Expire(begin.Add(awareness.Outdated)); !reflect.DeepEqual(gone, want) {
		t.Errorf("gone %v, want %v", gone, want)
	}
	if there := s.Entries(); len(there) != 1 || there[0].Client != 2 {
		t.Errorf("there are %v", there)
	}
	s.Expire(begin.Add(time.Hour))
	s.Expire(begin.Add(2 * time.Hour))
	if _, ok := s.Next(); ok {
		t.Error("something is left")
	}
}

func ExampleStates() {
	var room awareness.States
	now := time.Unix(0, 0)
	room.Apply([]awareness.Entry{{Client: 7, Clock: 1, State: []byte(`{"name":"Ada"}`)}}, now)
	for _, e := range room.Entries() {
		fmt.Printf("%d %s\n", e.Client, e.State)
	}
	now = now.Add(awareness.Outdated)
	for _, e := range room.Expire(now) {
		fmt.Println(e.Client, "is gone:", e.Gone())
	}
	// Output:
	// 7 {"name":"Ada"}
	// 7 is gone: true
}

func ExampleAppend() {
	update := awareness.Append(nil, awareness.Entry{Client: 7, Clock: 1, State: awareness.Null})
	entries, err := awareness.Decode(update)
	fmt.Printf("%x %v %v\n", update, entries[0].Gone(), err)
	// Output: 010701046e756c6c true <nil>
}
