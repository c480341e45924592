package room_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// body is the root type that ProseMirror is bound to here.
const body = "prosemirror"

// paragraphs is a document as ProseMirror binds it, in which n paragraphs have come
// and half of them have gone, by three authors.
func paragraphs(tb testing.TB, n int) *yjs.Document {
	tb.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	d := yjs.NewDocument()
	v, err := content.Of(d)
	if err != nil {
		tb.Fatal(err)
	}
	for k := range n {
		e, err := v.Edit(uint64(1000 + rnd.IntN(3)))
		if err != nil {
			tb.Fatal(err)
		}
		b := v.XMLFragment(body)
		at := max(0, b.Len()-rnd.IntN(100))
		if err := b.Insert(e, at, content.NewXMLElement{Name: "paragraph", Children: []any{content.NewXMLText("")}}); err != nil {
			tb.Fatal(err)
		}
		p, _ := b.Child(at)
		text, _ := p.(content.XMLElement).Child(0)
		for range 1 + rnd.IntN(8) {
			// Each before the one before, so that they can't be joined.
			if err := text.(content.XMLText).Insert(e, 0, "some words ", nil); err != nil {
				tb.Fatal(err)
			}
		}
		if k%2 == 1 {
			if err := b.Delete(e, max(0, b.Len()-1-rnd.IntN(100)), 1); err != nil {
				tb.Fatal(err)
			}
		}
		if err := d.Load(e.Commit()); err != nil {
			tb.Fatal(err)
		}
	}
	return d
}

// typed is a letter in a text.
var typed = []byte{1, 1, 7, 0, 4, 1, 1, 't', 1, 'a', 0}

// collecting is a room with a document, whose log is ripe for a snapshot at every
// record if it is durable, and what somebody in it says.
type collecting struct {
	*testing.T
	room *room.Room
	seq  uint64
}

var (
	somebody = room.SessionID{Attachment: 1, Number: 1}
	noon     = time.Unix(0, 0)
)

func newCollecting(t *testing.T, d *yjs.Document, change func(*room.Config)) *collecting {
	t.Helper()
	config := room.Config{
		Kind: room.Durable, MaxUnsavedBytes: 1 << 20, MaxHeldBytes: 1 << 20, MaxAnswerBytes: 1 << 20, MaxUpdateBytes: 1 << 20,
		MaxDocumentBytes: 1 << 30, MaxPendingBytes: 1 << 20, MaxSessions: 10, MaxPresent: 10, MaxPresentOfOne: 1, MaxStateBytes: 100,
		SnapshotRecords: 1, SnapshotBytes: 1 << 30, MaxCollectBytes: 1 << 20,
	}
	change(&config)
	c := &collecting{T: t, room: room.New(config), seq: 9}
	loaded := &room.Load{Document: d}
	if config.Kind == room.Durable {
		loaded = &room.Load{Document: d, Epoch: 1, Seq: c.seq, Records: 1, Bytes: 1 << 29}
	}
	c.room.Step(noon, room.Event{Kind: room.Loaded, Load: loaded},
		room.Event{Kind: room.Attach, Session: room.SessionID{Attachment: somebody.Attachment}},
		room.Event{Kind: room.Join, Session: somebody, Grants: &room.Grants{Level: room.Write, Create: true}})
	return c
}

// say applies an update and stores it, and returns the snapshot that is due, or nil.
func (c *collecting) say(update []byte) *room.Snapshot {
	c.Helper()
	if c.room.Step(noon, room.Event{Kind: room.Update, Session: somebody, Data: update}).Append == nil {
		c.Fatal("the update isn't stored")
	}
	c.seq++
	return c.room.Step(noon, room.Event{Kind: room.Stored, Seq: c.seq}).Snapshot
}

// state is what somebody who has nothing is told of the document.
func (c *collecting) state() []byte {
	c.Helper()
	for _, f := range c.room.Step(noon, room.Event{Kind: room.Step1, Session: somebody}).Frames {
		if reply := f.Message.GetSyncReply(); reply != nil {
			return reply.GetUpdate()
		}
	}
	c.Fatal("no answer")
	return nil
}

// encode makes what is stored of a snapshot.
func encode(t *testing.T, s *room.Snapshot) (state []byte, compacted *yjs.Document) {
	t.Helper()
	if s == nil {
		t.Fatal("no snapshot")
	}
	data, compacted, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if state, err = room.ReadSnapshot(data); err != nil {
		t.Fatal(err)
	}
	return state, compacted
}

func load(t *testing.T, updates ...[]byte) *yjs.Document {
	t.Helper()
	d := yjs.NewDocument()
	for _, u := range updates {
		if err := d.Load(u); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// reads returns what is in the document.
func reads(t *testing.T, d *yjs.Document) string {
	t.Helper()
	v, err := content.Of(d)
	if err != nil {
		t.Fatal(err)
	}
	return v.XMLFragment(body).String()
}

// sameForAll wants two documents to be the same for every client, the second having
// dropped what is deleted.
func sameForAll(t *testing.T, kept, collected *yjs.Document) {
	t.Helper()
	if want, got := kept.StateVector(), collected.StateVector(); !bytes.Equal(got, want) {
		t.Errorf("state vector % x, want % x", got, want)
	}
	if !collected.Contains(encoded(t, kept)) {
		t.Error("something is missing, or isn't deleted any more")
	}
	if want, got := reads(t, kept), reads(t, collected); got != want {
		t.Errorf("reads %.200s, want %.200s", got, want)
	}
}

// A paragraph that is deleted leaves nothing but its length in what is stored and in
// the room's memory; with MaxCollectBytes below the document, what a delete set names
// is dropped; with KeepDeleted nothing is.
func TestSnapshotCollects(t *testing.T) {
	whole := paragraphs(t, 200)
	if err := whole.Load(typed); err != nil {
		t.Fatal(err)
	}
	stored := map[string]int{}
	for name, change := range map[string]func(*room.Config){
		"collected": func(*room.Config) {},
		"too large": func(c *room.Config) { c.MaxCollectBytes = whole.Size() - 1 },
		"kept":      func(c *room.Config) { c.KeepDeleted = true },
	} {
		c := newCollecting(t, paragraphs(t, 200), change)
		state, compacted := encode(t, c.say(typed))
		sameForAll(t, whole, load(t, state))
		stored[name] = len(state)
		if compacted != nil {
			c.room.Step(noon, room.Event{Kind: room.Compacted, Document: compacted})
		}
		if got := c.room.Status().DocumentBytes; got != len(state) {
			t.Errorf("%s: %d bytes in memory, %d stored", name, got, len(state))
		}
		sameForAll(t, whole, load(t, c.state()))
	}
	if collected, dropped := stored["collected"], stored["too large"]; 10*collected > 9*dropped || dropped >= whole.Size() || stored["kept"] != whole.Size() {
		t.Errorf("stored %v of %d bytes", stored, whole.Size())
	}
}

// Of types that nest too deep for a view, what is deleted is dropped all the same.
func TestCollectWithoutView(t *testing.T) {
	const levels, letters = content.MaxNesting + 1, 1000
	u := lib0.AppendVarUint([]byte{2}, levels)
	u = append(u, 8, 0, 7, 1, 1, 'a', 0) // client 8: an array in "a"
	for clock := range uint64(levels - 1) {
		u = lib0.AppendVarUint(append(u, 7, 0, 8), clock) // one in the one before
		u = append(u, 0)
	}
	u = append(u, 1, 7, 0, 4, 1, 1, 't') // client 7: a text
	u = lib0.AppendVarString(u, strings.Repeat("x", letters))
	u = lib0.AppendVarUint(append(u, 1, 7, 1, 0), letters) // which is deleted
	d := load(t, u)
	if _, err := content.Of(d); !errors.Is(err, yjs.ErrLimit) {
		t.Fatalf("%v, want a document without a view", err)
	}
	before, vector := d.Size(), d.StateVector()
	room.Collect(d)
	if freed := before - d.Size(); freed < letters || !bytes.Equal(d.StateVector(), vector) {
		t.Errorf("%d of %d bytes are dropped", freed, before)
	}
}

// Whoever was away and comes back has written into a paragraph that is gone by now,
// or comes with it while the snapshot is being made: nobody sees it, and nothing
// else is lost.
func TestEditsInWhatIsCollected(t *testing.T) {
	d := paragraphs(t, 40)
	v, err := content.Of(d)
	if err != nil {
		t.Fatal(err)
	}
	away := load(t, encoded(t, d))
	here, deletion := v.XMLFragment(body), []byte(nil)
	edit(t, v, 5, func(e *content.Edit) error { return here.Delete(e, 3, 2) }, &deletion)
	var early, late []byte
	atHome, err := content.Of(away)
	if err != nil {
		t.Fatal(err)
	}
	for i, update := range []*[]byte{&early, &late} {
		p, _ := atHome.XMLFragment(body).Child(3 + i)
		gone, _ := p.(content.XMLElement).Child(0)
		q, _ := atHome.XMLFragment(body).Child(7)
		stays, _ := q.(content.XMLElement).Child(0)
		edit(t, atHome, 6, func(e *content.Edit) error {
			return errors.Join(gone.(content.XMLText).Insert(e, 5, "unseen", nil), stays.(content.XMLText).Insert(e, 5, "seen", nil))
		}, update)
	}

	c := newCollecting(t, load(t, encoded(t, d)), func(*room.Config) {})
	state, compacted := encode(t, c.say(deletion))
	if c.say(early) != nil {
		t.Fatal("a second snapshot beside the first one")
	}
	c.room.Step(noon, room.Event{Kind: room.Compacted, Document: compacted})
	c.room.Step(noon, room.Event{Kind: room.SnapshotStored})
	if c.say(late) != nil {
		t.Fatal("a snapshot of what was just stored")
	}

	kept := load(t, encoded(t, d), deletion, early, late)
	if text := reads(t, kept); strings.Count(text, "seen") != 2 || strings.Contains(text, "unseen") {
		t.Fatalf("the test shows nothing: %s", text)
	}
	sameForAll(t, kept, load(t, c.state()))
	sameForAll(t, kept, load(t, state, early, late)) // as after a crash
	later := newCollecting(t, load(t, c.state()), func(*room.Config) {})
	again, compacted := encode(t, later.say(typed))
	if err := kept.Load(typed); err != nil {
		t.Fatal(err)
	}
	sameForAll(t, kept, load(t, again))
	if bytes.Contains(again, []byte("unseen")) || compacted.Size() != len(again) {
		t.Error("what nobody can see is stored")
	}
}

// What the first update to a compacted document would have to work out, in the loop,
// is worked out while it is compacted. What taking it in allocates tells.
func TestCompactedIsPrepared(t *testing.T) {
	const n = 50_000
	arrays := append([]byte{1, 0xd0, 0x86, 3, 9, 0}, bytes.Repeat([]byte{7, 1, 1, 'a', 0}, n)...)
	c := newCollecting(t, load(t, append(arrays, 0)), func(*room.Config) {})
	_, compacted := encode(t, c.say(typed))
	c.say([]byte{1, 1, 8, 0, 7, 1, 1, 'a', 0, 0}) // meanwhile
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c.room.Step(noon, room.Event{Kind: room.Compacted, Document: compacted})
	c.say([]byte{1, 1, 8, 1, 7, 1, 1, 'a', 0, 0})
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > n {
		t.Errorf("%d bytes for the first update", got)
	}
}

func encoded(tb testing.TB, d *yjs.Document) []byte {
	tb.Helper()
	state, err := d.EncodeStateAsUpdate(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return state
}

// edit makes an update of what a client does.
func edit(t *testing.T, v *content.View, client uint64, change func(*content.Edit) error, update *[]byte) {
	t.Helper()
	e, err := v.Edit(client)
	if err != nil {
		t.Fatal(err)
	}
	if err := change(e); err != nil {
		t.Fatal(err)
	}
	*update = e.Commit()
}

// Collecting takes what a document takes in memory some times over, and one of many
// clients takes far more than its bytes: that is what counts, here and for the room.
func TestClientsCount(t *testing.T) {
	const clients = 1000
	u := lib0.AppendVarUint(nil, clients)
	for id := range uint64(clients) {
		u = lib0.AppendVarUint(append(u, 1), clients+100-id)
		u = append(u, 0, 8, 1, 1, 't', 1, lib0.AnyNull)
	}
	whole := load(t, append(u, 0))
	before := whole.Size()
	c := newCollecting(t, whole, func(c *room.Config) { c.MaxCollectBytes = 2 * before })
	if cost := c.room.Cost(); cost < 100*clients {
		t.Errorf("the room costs %d bytes, want %d clients to count", cost, clients)
	}
	s := c.say(typed)
	if s == nil {
		t.Fatal("no snapshot")
	}
	// Only a view tells that a value is overwritten.
	overwritten := load(t, []byte{1, 2, 9, 0, 0x28, 1, 1, 'm', 1, 'k', 1, lib0.AnyTrue, 0xa8, 9, 0, 1, lib0.AnyTrue, 0})
	s.Compact(overwritten)
	if overwritten.Deleted(yjs.ID{Client: 9, Clock: 0}) {
		t.Error("a view was made of a document of many clients")
	}
}

// What is known of types that hang on what nobody has sent is several times their bytes,
// and counts.
func TestTypesThatWaitCount(t *testing.T) {
	const types = 1000
	u := append(lib0.AppendVarUint([]byte{1}, types), 9, 0)
	for clock := range uint64(types) {
		u = append(lib0.AppendVarUint(append(u, 0x87, 8), clock), 0)
	}
	c := newCollecting(t, yjs.NewDocument(), func(*room.Config) {})
	before := c.room.Cost()
	c.say(append(u, 0))
	if cost := c.room.Cost() - before; cost < 6*len(u) {
		t.Errorf("%d bytes of types that wait cost %d", len(u), cost)
	}
}
