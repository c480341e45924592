package awareness_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/yjs/awareness"
	"github.com/fjord-sync/fjord/yjs/internal/difftest"
)

// own is the client of the oracle's Awareness, and of ours in half of the sessions.
const own = 3

// step is a step as testdata/oracle.mjs takes it.
type step struct {
	At      int64           `json:"at"` // in ms
	Op      string          `json:"op"`
	Update  []byte          `json:"update,omitempty"`
	State   json.RawMessage `json:"state,omitempty"`
	Clients []uint64        `json:"clients,omitempty"`
}

// outcome is what a step leads to.
type outcome struct {
	Update []byte            `json:"update"` // what the others are told
	All    []byte            `json:"all"`    // what a newcomer is told
	Known  map[uint64]uint64 `json:"known"`
}

// life is a session with the package y-protocols and with this one.
type life struct {
	*rand.Rand
	states awareness.States
	now    int64
	steps  []step
	ours   []outcome
}

// TestAwarenessClass holds States against the class Awareness of the npm package
// y-protocols: random sessions of updates in and out of order, removals, states of an
// own client, and time that passes. After each step the same is known, the same clients
// are there with the same states, and the others are told the same.
func TestAwarenessClass(t *testing.T) {
	o := difftest.Start(t, "testdata/oracle.mjs")
	seed := difftest.FromEnv(t, "YJS_SEED", int(rand.Int32()))
	n := difftest.FromEnv(t, "YJS_AWARENESS", 500)
	t.Logf("YJS_SEED=%d YJS_AWARENESS=%d", seed, n)
	lives := make([]*life, n)
	sessions := make([]map[string]any, n)
	for i := range lives {
		l := &life{Rand: rand.New(rand.NewPCG(uint64(seed), uint64(i)))}
		for range 40 {
			l.step(i%2 == 0)
		}
		lives[i] = l
		sessions[i] = map[string]any{"client": own, "steps": l.steps}
	}
	var theirs [][]outcome
	o.Ask(t, map[string]any{"sessions": sessions}, &theirs)
	for i, l := range lives {
		for k, want := range theirs[i] {
			// The oracle's own client is known to itself from the beginning.
			if want.Known[own] == 0 {
				delete(want.Known, own)
			}
			got := l.ours[k]
			if !bytes.Equal(got.Update, want.Update) || !bytes.Equal(got.All, want.All) || !maps.Equal(got.Known, want.Known) {
				t.Errorf("session %d, step %d, %s (told | there):\n got  %s, known %v\n want %s, known %v",
					i, k, mustJSON(l.steps[k]), said(got), got.Known, said(want), want.Known)
				break
			}
		}
	}
}

// step does a random step, and notes it and what it led to.
func (l *life) step(local bool) {
	l.now += int64(l.IntN(8000))
	now := time.UnixMilli(l.now)
	s := step{At: l.now}
	var changed []awareness.Entry
	n := l.IntN(10)
	if len(l.steps) == 0 {
		n = 9 // an own client is one from the beginning
	}
	switch {
	case n < 5:
		s.Op = "apply"
		entries := l.entries(local)
		s.Update = awareness.Append(nil, entries...)
		changed = l.states.Apply(entries, now)
	case n < 8:
		s.Op = "tick"
		before := l.states.Known()
		changed = l.states.Expire(now)
		after := l.states.Known()
		for id := range before {
			if _, ok := after[id]; !ok {
				s.Clients = append(s.Clients, id)
			}
		}
	case n < 9:
		s.Op = "remove"
		s.Clients = []uint64{1, uint64(l.IntN(6))}
		changed = l.states.Remove(now, s.Clients...)
	case local:
		s.Op = "set"
		s.State = l.state()
		changed = []awareness.Entry{l.states.Set(own, s.State, now)}
	default:
		s.Op = "none"
	}
	l.steps = append(l.steps, s)
	l.ours = append(l.ours, outcome{awareness.Append(nil, newest(changed)...), awareness.Append(nil, l.states.Entries()...), l.states.Known()})
}

func (l *life) state() []byte {
	if l.IntN(3) == 0 {
		return awareness.Null
	}
	return fmt.Appendf(nil, `{"n":%d}`, l.IntN(100))
}

// entries are about few clients, with clocks around those that are known.
func (l *life) entries(local bool) []awareness.Entry {
	known := l.states.Known()
	entries := make([]awareness.Entry, l.IntN(4))
	for i := range entries {
		id := uint64(l.IntN(6))
		if id == own && !local {
			id = 1 << 40
		}
		clock := max(0, int(known[id])+l.IntN(4)-1)
		if l.IntN(10) == 0 {
			clock = l.IntN(50)
		}
		entries[i] = awareness.Entry{Client: id, Clock: uint64(clock), State: l.state()}
		if entries[i].Gone() && l.IntN(4) == 0 {
			entries[i].State = []byte(" null\n")
		}
	}
	return entries
}

// newest is the last entry of each client as y-protocols writes it, by client.
func newest(entries []awareness.Entry) []awareness.Entry {
	last := map[uint64]awareness.Entry{}
	for _, e := range entries {
		if e.Gone() {
			e.State = awareness.Null
		}
		last[e.Client] = e
	}
	var all []awareness.Entry
	for _, id := range slices.Sorted(maps.Keys(last)) {
		all = append(all, last[id])
	}
	return all
}

func said(o outcome) string {
	var text strings.Builder
	for _, update := range [][]byte{o.Update, o.All} {
		entries, _ := awareness.Decode(update)
		for _, e := range entries {
			fmt.Fprintf(&text, "%d@%d %s ", e.Client, e.Clock, e.State)
		}
		text.WriteString("| ")
	}
	return text.String()
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
