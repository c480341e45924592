package awareness_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/yjs/awareness"
	"github.com/fjord-sync/fjord/yjs/lib0"
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
		{"an unknown one at clock 0", 0, entry(1, 0, `{}`), false, 0},
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

// TestUnknown is what y-protocols does, which takes the clock of whom it doesn't know
// for 0.
func TestUnknown(t *testing.T) {
	var s awareness.States
	now := time.Unix(0, 0)
	changed := s.Apply([]awareness.Entry{
		{Client: 1, Clock: 0, State: []byte("{}")},
		{Client: 2, Clock: 0, State: awareness.Null},
		{Client: 3, Clock: 5, State: awareness.Null},
	}, now)
	if changed != nil || s.Entries() != nil {
		t.Errorf("news %v, there %v", changed, s.Entries())
	}
	if changed = s.Apply([]awareness.Entry{{Client: 3, Clock: 5, State: []byte("{}")}}, now); changed != nil {
		t.Errorf("who has left came back with its old clock: %v", changed)
	}
}

func TestOwn(t *testing.T) {
	var s awareness.States
	now := time.Unix(0, 0)
	const me = 9
	want := func(what string, got []awareness.Entry, clock uint64, state string) {
		t.Helper()
		if len(got) != 1 || got[0].Client != me || got[0].Clock != clock || string(got[0].State) != state {
			t.Errorf("%s: %v, want clock %d and %s", what, got, clock, state)
		}
	}
	mine := []byte(`{"a":1}`)
	want("first", []awareness.Entry{s.Set(me, mine, now)}, 1, `{"a":1}`)
	clear(mine)
	want("said to be gone", s.Apply([]awareness.Entry{{Client: me, Clock: 1, State: awareness.Null}}, now), 2, `{"a":1}`)
	if got := s.Apply([]awareness.Entry{{Client: me, Clock: lib0.MaxSafeInteger, State: awareness.Null}}, now); got != nil {
		t.Errorf("nothing tops the last clock: %v", got)
	}
	if at, ok := s.Next(); !ok || !at.Equal(now.Add(awareness.Outdated/2)) {
		t.Errorf("next at %v, %v", at, ok)
	}
	now = now.Add(awareness.Outdated / 2)
	want("renewed", s.Expire(now), 3, `{"a":1}`)
	want("leaves", []awareness.Entry{s.Set(me, nil, now)}, 4, "null")
	if at, ok := s.Next(); ok {
		t.Errorf("something at %v", at)
	}
	if got := s.Expire(now.Add(time.Hour)); got != nil {
		t.Errorf("after it left: %v", got)
	}
	want("comes back", []awareness.Entry{s.Set(me, []byte("{}"), now)}, 5, "{}")
	want("is removed", s.Remove(now, 1, me, me), 6, "null")
}

func TestMax(t *testing.T) {
	s := awareness.States{Max: 2}
	now := time.Unix(0, 0)
	for id := range uint64(10) {
		s.Apply([]awareness.Entry{{Client: id, Clock: 1, State: []byte("{}")}}, now)
	}
	if n := len(s.Entries()); n != 2 {
		t.Errorf("%d are there", n)
	}
	if changed := s.Apply([]awareness.Entry{{Client: 1, Clock: 2, State: awareness.Null}}, now); len(changed) != 1 {
		t.Errorf("whoever is known is heard: %v", changed)
	}
	s.Expire(now.Add(awareness.Outdated))
	s.Expire(now.Add(2 * awareness.Outdated))
	if changed := s.Apply([]awareness.Entry{{Client: 7, Clock: 1, State: []byte("{}")}}, now); len(changed) != 1 {
		t.Error("there is room again, and nobody sees it")
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

// A client shows what it does, and answers who takes it for gone.
func ExampleStates_Set() {
	var room awareness.States
	now := time.Unix(0, 0)
	send := func(entries ...awareness.Entry) {
		for _, e := range entries {
			fmt.Println(e.Client, e.Clock, string(e.State))
		}
	}
	const me = 812
	send(room.Set(me, []byte(`{"name":"bot"}`), now))
	send(room.Apply([]awareness.Entry{{Client: me, Clock: 1, State: awareness.Null}}, now)...)
	next, _ := room.Next()
	send(room.Expire(next)...)
	// Output:
	// 812 1 {"name":"bot"}
	// 812 2 {"name":"bot"}
	// 812 3 {"name":"bot"}
}

// A server forgets the clients of a connection that has ended.
func ExampleStates_Remove() {
	var room awareness.States
	now := time.Unix(0, 0)
	room.Apply([]awareness.Entry{{Client: 7, Clock: 4, State: []byte("{}")}}, now)
	gone := room.Remove(now, 7)
	fmt.Println(gone[0].Clock, gone[0].Gone(), room.Entries())
	// Output: 4 true []
}

// What strangers send is checked before the others get it.
func ExampleDecode() {
	entries, err := awareness.Decode([]byte{1, 7, 1, 2, '{', '}'})
	for _, e := range entries {
		fmt.Println(e.Client, e.Clock, json.Valid(e.State), err)
	}
	_, err = awareness.Decode([]byte{1, 7, 1, 2, '{'})
	fmt.Println(err)
	// Output:
	// 7 1 true <nil>
	// awareness: state of client 7: lib0: input ends inside a value
}

func ExampleAppend() {
	update := awareness.Append(nil, awareness.Entry{Client: 7, Clock: 1, State: awareness.Null})
	entries, err := awareness.Decode(update)
	fmt.Printf("%x %v %v\n", update, entries[0].Gone(), err)
	// Output: 010701046e756c6c true <nil>
}
