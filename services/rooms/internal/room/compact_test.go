package room_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

// volatile is a volatile room, whoever compacts beside it, and the same document in
// which nothing is ever dropped.
type volatile struct {
	*collecting
	kept *yjs.Document
	// under is the copy that is being compacted, compactions how many there were.
	under       *room.Copy
	compactions int
}

func newVolatile(t *testing.T, change func(*room.Config)) *volatile {
	t.Helper()
	c := newCollecting(t, yjs.NewDocument(), func(c *room.Config) {
		c.Kind, c.SnapshotRecords, c.SnapshotBytes = room.Volatile, 50, 1<<10
		change(c)
	})
	return &volatile{collecting: c, kept: yjs.NewDocument()}
}

// tell has somebody say something; wait is whether compacting takes longer.
func (v *volatile) tell(update []byte, wait bool) {
	v.Helper()
	if err := v.kept.Load(update); err != nil {
		v.Fatal(err)
	}
	v.step(room.Event{Kind: room.Update, Session: somebody, Data: update})
	if v.under != nil && !wait {
		compacted, err := v.under.Compacted()
		if err != nil {
			v.Fatal(err)
		}
		v.under, v.compactions = nil, v.compactions+1
		v.step(room.Event{Kind: room.Compacted, Document: compacted})
	}
}

func (v *volatile) step(e room.Event) {
	v.Helper()
	ready := v.room.Step(noon, e)
	if ready.Append != nil || ready.Snapshot != nil {
		v.Fatal("a volatile room has something stored")
	}
	if c := ready.Compact; c != nil {
		if v.under != nil {
			v.Fatal("two compactions at a time")
		}
		v.under = c
	}
}

// comeAndGo returns updates of three people whose paragraphs come and go.
func comeAndGo(t *testing.T, rnd *rand.Rand, n int) (updates [][]byte) {
	t.Helper()
	v, err := content.Of(yjs.NewDocument())
	if err != nil {
		t.Fatal(err)
	}
	b := v.XMLFragment(body)
	for k := range n {
		e, err := v.Edit(uint64(1000 + rnd.IntN(3)))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case b.Len() > 5 && k%2 == 1:
			err = b.Delete(e, rnd.IntN(b.Len()), 1)
		case b.Len() > 5 && rnd.IntN(3) == 0:
			p, _ := b.Child(rnd.IntN(b.Len()))
			text, _ := p.(content.XMLElement).Child(0)
			err = text.(content.XMLText).Insert(e, 0, "more words ", nil)
		default:
			err = b.Insert(e, rnd.IntN(b.Len()+1), content.NewXMLElement{Name: "paragraph", Children: []any{content.NewXMLText("some words")}})
		}
		if err != nil {
			t.Fatal(err)
		}
		updates = append(updates, e.Commit())
	}
	return updates
}

// While a volatile room is compacted again and again, as long as that may take, those
// who are in it, who come, and who were away find the document in which nothing was
// dropped, and it takes a fraction of the bytes.
func TestVolatileRoomCompacts(t *testing.T) {
	for seed := range uint64(5) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		v := newVolatile(t, func(*room.Config) {})
		updates := comeAndGo(t, rnd, 1000)
		leaves := rnd.IntN(len(updates))
		var away *yjs.Document
		for k, update := range updates {
			if k == leaves {
				away = load(t, encoded(t, v.kept))
			}
			// Some come too late, so that others have to wait for them.
			if k%10 == 3 {
				continue
			}
			v.tell(update, rnd.IntN(30) > 0)
			if k%10 == 5 {
				v.tell(updates[k-2], rnd.IntN(30) > 0)
			}
		}
		sameForAll(t, v.kept, load(t, v.state()))
		size := v.room.Status().DocumentBytes
		if v.compactions < 4 || 2*size > v.kept.Size() {
			t.Errorf("%d bytes after %d compactions, %d without", size, v.compactions, v.kept.Size())
		}
		missed := v.room.Step(noon, room.Event{Kind: room.Step1, Session: somebody, Data: away.StateVector()}).Frames[0].Message.GetSyncReply()
		if err := away.Load(missed.GetUpdate()); err != nil {
			t.Fatal(err)
		}
		sameForAll(t, v.kept, away)
	}
}

// What the room takes falls with the document, and to begin with by the copy.
func TestVolatileRoomCosts(t *testing.T) {
	v := newVolatile(t, func(c *room.Config) { c.SnapshotRecords = 1 })
	whole := encoded(t, paragraphs(t, 200))
	v.tell(whole, true)
	v.tell(typed, true)
	v.tell([]byte{1, 1, 8, 0, 4, 1, 1, 't', 1, 'b', 0}, true)
	if v.under == nil || v.room.Cost() < 2*len(whole) {
		t.Fatalf("the room takes %d bytes while %d are compacted", v.room.Cost(), len(whole))
	}
	v.tell([]byte{1, 1, 9, 0, 4, 1, 1, 't', 1, 'c', 0}, false)
	size := v.room.Status().DocumentBytes
	const clients, types = 6 * 150, 6*130 + 8*400 // at most
	if cost := v.room.Cost(); cost < size+clients || cost > size+clients+types || 10*size > 8*len(whole) {
		t.Errorf("the room takes %d bytes, its document %d, and had %d", cost, size, len(whole))
	}
	sameForAll(t, v.kept, load(t, v.state()))
}

// A room in which so much is said meanwhile that it can't be said again at once
// keeps its document, and tries again when the log has outgrown it again.
func TestVolatileRoomIsTooBusy(t *testing.T) {
	v := newVolatile(t, func(*room.Config) {})
	v.tell(encoded(t, paragraphs(t, 400)), true)
	letters := strings.Repeat("x", 1<<10)
	clock := uint64(0)
	say := func(wait bool) {
		v.tell(insert(7, clock, letters), wait)
		clock += uint64(len(letters))
	}
	for v.under == nil && clock < 1<<20 {
		say(true)
	}
	for range 300 { // of 256 that may be said
		say(true)
	}
	say(false)
	if got := v.room.Status().DocumentBytes; v.compactions != 1 || got != v.kept.Size() {
		t.Fatalf("%d bytes after %d compactions, want %d: the copy hasn't heard everything", got, v.compactions, v.kept.Size())
	}
	for v.compactions == 1 && clock < 8<<20 {
		say(false)
	}
	if got := v.room.Status().DocumentBytes; v.compactions != 2 || got >= v.kept.Size() {
		t.Errorf("%d bytes after %d compactions, %d without", got, v.compactions, v.kept.Size())
	}
	sameForAll(t, v.kept, load(t, v.state()))
}
