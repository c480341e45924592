package rooms_test

import (
	"bytes"
	"testing"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/rooms"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// narrow is what a link may hold here: an eighth of the default, so that the race
// detector isn't busy for a minute with what is to be more than that.
const narrow = 8 << 20

// bigUpdate is client 9's paste of so many letters.
func bigUpdate(letters int) []byte {
	u := []byte{1, 1, 9, 0, 4, 1, 1, 't'}
	u = lib0.AppendVarBytes(u, bytes.Repeat([]byte{'x'}, letters))
	return append(u, 0)
}

// A crowd that joins a big document at once asks for more than a link may hold.
// All are answered, and none of the link's rooms is disturbed: if the link were
// lost, the edge would come back with the same questions for ever.
func TestCrowdJoinsABigDocument(t *testing.T) {
	const crowd, letters = 48, 256 << 10 // 12 MiB of answers
	e := link(t, startWith(t, rooms.Config{Kind: "volatile", Owner: "test", Limits: rooms.Limits{EdgeQueue: narrow}}))
	e.send(attach(1, "big"), join(1, 1), update(1, 1, 1, bigUpdate(letters)))
	for e.next().GetResult() == nil {
	}
	var frames []*roomsv1.EdgeFrame
	for session := range uint64(crowd) {
		frames = append(frames, join(1, session+2), &roomsv1.EdgeFrame{Attachment: 1, Session: session + 2, Body: &roomsv1.EdgeFrame_Step1{
			Step1: &roomsv1.SyncStep1{},
		}})
	}
	e.send(frames...)
	e.send(attach(2, "small"), join(2, 1), update(2, 1, 1, letterA))
	answered := make(map[uint64]bool)
	typed := false
	for len(answered) < crowd || !typed {
		f := e.next()
		if reply := f.GetSyncReply(); reply != nil {
			if len(reply.GetUpdate()) < letters || answered[f.GetSession()] {
				t.Fatalf("session %d got %d bytes", f.GetSession(), len(reply.GetUpdate()))
			}
			answered[f.GetSession()] = true
		}
		typed = typed || (f.GetAttachment() == 2 && f.GetResult() != nil)
	}
}

// The same for a document that alone is larger than what a link may hold.
func TestDocumentLargerThanALinkHolds(t *testing.T) {
	const letters = 3 << 19
	e := link(t, startWith(t, rooms.Config{Kind: "volatile", Owner: "test", Limits: rooms.Limits{EdgeQueue: narrow}}))
	e.send(attach(1, "huge"), join(1, 1))
	for part := range uint64(6) { // 9 MiB
		u := []byte{1, 1}
		u = lib0.AppendVarUint(u, 100+part)
		u = append(u, 0, 4, 1, 1, 't')
		u = lib0.AppendVarBytes(u, bytes.Repeat([]byte{'x'}, letters))
		e.send(update(1, 1, part+1, append(u, 0)))
		for e.next().GetResult() == nil {
		}
	}
	e.send(join(1, 2), join(1, 3))
	for session := range uint64(2) {
		e.send(&roomsv1.EdgeFrame{Attachment: 1, Session: session + 2, Body: &roomsv1.EdgeFrame_Step1{Step1: &roomsv1.SyncStep1{}}})
	}
	e.send(update(1, 1, 99, letterA))
	replies, typed := 0, false
	for replies < 2 || !typed {
		f := e.next()
		if reply := f.GetSyncReply(); reply != nil {
			replies++
		}
		typed = typed || f.GetResult().GetTicket() == 99
	}
}
