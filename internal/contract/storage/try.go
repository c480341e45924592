package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
)

// try is one test of the suite: a store, and calls that must end in a certain way.
type try struct {
	*testing.T
	Store
	subject Subject
}

// claimed claims the room.
func (t *try) claimed(room string) Position {
	t.Helper()
	pos, err := t.Claim(t.Context(), room)
	if err != nil {
		t.Fatalf("Claim(%q): %v", room, err)
	}
	return pos
}

// append offers one item.
func (t *try) append(item Item) Result {
	t.Helper()
	results, err := t.Append(t.Context(), item)
	if err != nil || len(results) != 1 {
		t.Fatalf("Append(%s) = %d results, %v; want 1", show(item), len(results), err)
	}
	return results[0]
}

// stored offers one item that must be stored, or be there already, in a log that
// ends at last then.
func (t *try) stored(item Item, last uint64) {
	t.Helper()
	t.is(t.append(item), Result{Outcome: Stored, HeadEpoch: item.Epoch, HeadLast: last}, item)
}

// write stores one record for each text, after the room's last, and returns the
// seq of the newest.
func (t *try) write(room string, epoch uint64, texts ...string) uint64 {
	t.Helper()
	last := t.loaded(room, epoch).Last
	for _, text := range texts {
		last++
		item := Item{Room: room, Epoch: epoch, Seq: last, Data: []byte(text)}
		t.is(t.append(item), Result{Outcome: Stored, HeadEpoch: epoch, HeadLast: last}, item)
	}
	return last
}

// refused offers one item that must have this outcome, with a message that says
// why, and the room's head where the contract promises it.
func (t *try) refused(want Outcome, item Item) Result {
	t.Helper()
	got := t.append(item)
	if got.Outcome != want {
		t.Fatalf("Append(%s) = %s (%s), want %s", show(item), got.Outcome, got.Message, want)
	}
	if got.Message == "" {
		t.Errorf("Append(%s) = %s without a message", show(item), got.Outcome)
	}
	return got
}

func (t *try) is(got, want Result, item Item) {
	t.Helper()
	got.Message, want.Message = "", ""
	if got != want {
		t.Fatalf("Append(%s) = %+v, want %+v", show(item), got, want)
	}
}

// loaded loads the room.
func (t *try) loaded(room string, epoch uint64) Room {
	t.Helper()
	r, err := t.Load(t.Context(), room, epoch)
	if err != nil {
		t.Fatalf("Load(%q, %d): %v", room, epoch, err)
	}
	return r
}

// holds checks the room's snapshot and records, of which the first has a seq.
func (t *try) holds(room, snapshot string, first uint64, records ...string) {
	t.Helper()
	got := t.loaded(room, 0)
	if string(got.Snapshot) != snapshot {
		t.Fatalf("room %q has the snapshot %.100q, want %.100q", room, got.Snapshot, snapshot)
	}
	if len(got.Records) != len(records) {
		t.Fatalf("room %q has %d records, want %d", room, len(got.Records), len(records))
	}
	for i, want := range records {
		r := got.Records[i]
		if r.Seq != first+uint64(i) || string(r.Data) != want {
			t.Fatalf("room %q has at %d the record %d %.100q, want %d %.100q", room, i, r.Seq, r.Data, first+uint64(i), want)
		}
	}
	if n := len(got.Records); n > 0 && got.Records[n-1].Seq != got.Last {
		t.Fatalf("room %q ends with record %d, its head says %d", room, got.Records[n-1].Seq, got.Last)
	}
}

// snapshot stores a snapshot that must trim so many records.
func (t *try) snapshot(s Snapshot, trimmed uint64) {
	t.Helper()
	got, err := t.PutSnapshot(t.Context(), s)
	if err != nil || got != trimmed {
		t.Fatalf("PutSnapshot(%q, seq %d, %d bytes) = %d, %v; want %d trimmed", s.Room, s.Seq, len(s.Data), got, err, trimmed)
	}
}

// deleted deletes the room.
func (t *try) deleted(room string, epoch uint64, existed bool) {
	t.Helper()
	got, err := t.Delete(t.Context(), room, epoch)
	if err != nil || got != existed {
		t.Fatalf("Delete(%q, %d) = %v, %v; want %v", room, epoch, got, err, existed)
	}
}

// fails checks a call's error. head is what it must say about the room; the zero
// Position leaves that out, and so does Invalid, which isn't about the room.
func (t *try) fails(call string, err error, want Outcome, head Position) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Outcome != want {
		t.Fatalf("%s: %v, want %s", call, err, want)
	}
	if e.Text == "" {
		t.Errorf("%s: %s without a text", call, want)
	}
	if head != (Position{}) && want != Invalid && (e.HeadEpoch != head.Epoch || e.HeadLast != head.Last) {
		t.Errorf("%s: %s says that the head is at epoch %d, seq %d; want %d, %d", call, want, e.HeadEpoch, e.HeadLast, head.Epoch, head.Last)
	}
}

// reopened closes the store and opens it again, if it can.
func (t *try) reopened() {
	t.Helper()
	if r, ok := t.Store.(Reopener); ok {
		r.Reopen(t.T)
	}
}

func (t *try) listed(prefix, after string, limit int) Listing {
	t.Helper()
	l, err := t.List(t.Context(), prefix, after, limit)
	if err != nil {
		t.Fatalf("List(%q, %q, %d): %v", prefix, after, limit, err)
	}
	return l
}

func show(item Item) string {
	return fmt.Sprintf("%.40q epoch %d seq %d, %d bytes", item.Room, item.Epoch, item.Seq, len(item.Data))
}

// pattern returns n bytes that differ at every place and for every seed, so that
// chunks that are lost, doubled or swapped show.
func pattern(n int, seed uint64) []byte {
	out := make([]byte, n)
	state := seed*0x9e3779b97f4a7c15 + 1
	for i := range out {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		out[i] = byte(state)
	}
	return out
}

// same compares large values without printing them.
func (t *try) same(what string, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	t.Fatalf("%s: %d bytes, want %d; they differ from byte %d on", what, len(got), len(want), at)
}

// ended returns a context that has ended.
func ended(parent context.Context) context.Context {
	ctx, cancel := context.WithCancel(parent)
	cancel()
	return ctx
}
