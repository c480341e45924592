package link

import (
	"bytes"
	"testing"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

func updates(t *testing.T, dial dial) {
	a, b := dial(t), dial(t)
	a.send(attach(3, "doc", nil), join(3, 1), step1(3, 1))
	if empty := a.attached(3); empty.GetSeq() != 0 || !bytes.Equal(empty.GetStateVector(), []byte{0}) {
		t.Errorf("%v of an empty room, want seq 0 and an empty state vector", empty)
	}
	if f := a.next(); f.GetSession() != 1 || f.GetSyncReply() == nil || f.GetSyncReply().GetSeq() != 0 {
		t.Errorf("%v, want a SyncReply to session 1, of seq 0", f)
	}
	b.send(attach(9, "doc", nil), join(9, 1))
	b.attached(9)
	a.send(update(3, 1, 5, letterA), update(3, 1, 0, letterB))
	// Each is broadcast in its order; the one with a ticket is answered, once.
	var seqs []uint64
	results := 0
	for len(seqs) < 2 || results < 1 {
		switch f := a.next(); {
		case f.GetResult() != nil:
			results++
			if f.GetAttachment() != 3 || f.GetSession() != 1 || f.GetResult().GetTicket() != 5 || f.GetResult().GetRefusal() != 0 {
				t.Errorf("%v, want ticket 5 of session 1 stored", f)
			}
		case f.GetBroadcast() != nil && len(seqs) < 2 && bytes.Equal(f.GetBroadcast().GetUpdate(), [][]byte{letterA, letterB}[len(seqs)]):
			seqs = append(seqs, f.GetBroadcast().GetSeq())
		default:
			t.Fatalf("%v, want broadcasts of what was sent and one result", f)
		}
	}
	if again := []uint64{b.broadcast(9, letterA), b.broadcast(9, letterB)}; again[0] != seqs[0] || again[1] != seqs[1] || seqs[1] == 0 {
		t.Errorf("seqs %d and %d, want the same, above 0 at the end", seqs, again)
	}
	b.send(step1(9, 1))
	if f := b.next(); f.GetSession() != 1 || f.GetSyncReply().GetSeq() != seqs[1] || len(f.GetSyncReply().GetUpdate()) == 0 {
		t.Errorf("%v, want a SyncReply of seq %d and nothing before it", f, seqs[1])
	}
}

func presences(t *testing.T, dial dial) {
	a, b := dial(t), dial(t)
	a.send(attach(1, "doc", nil), join(1, 1), &roomsv1.EdgeFrame{Attachment: 1, Session: 1, Body: &roomsv1.EdgeFrame_Awareness{Awareness: presence}})
	a.attached(1)
	a.shows(1, 0)
	b.send(attach(2, "doc", nil), join(2, 4), step1(2, 4))
	b.attached(2)
	if f := b.next(); f.GetSession() != 4 || f.GetSyncReply() == nil {
		t.Fatalf("%v, want a SyncReply before presence", f)
	}
	b.shows(2, 4)
	b.send(&roomsv1.EdgeFrame{Attachment: 2, Session: 4, Body: &roomsv1.EdgeFrame_QueryAwareness{QueryAwareness: &roomsv1.QueryAwareness{}}})
	b.shows(2, 4)
}

func resumes(t *testing.T, dial dial) {
	a, b := dial(t), dial(t)
	a.send(attach(1, "doc", nil), join(1, 1), update(1, 1, 0, letterA))
	a.attached(1)
	seq := a.broadcast(1, letterA)
	b.send(attach(1, "doc", nil), join(1, 1))
	b.attached(1)
	a.close()
	b.send(update(1, 1, 0, letterB))
	newest := b.broadcast(1, letterB)
	back := dial(t)
	back.send(attach(7, "doc", &roomsv1.Resume{Seq: seq}), join(7, 1))
	if got := back.attached(7); got.GetSeq() != newest || len(got.GetStateVector()) < 3 {
		t.Errorf("%v, want seq %d and the state vector of what is there", got, newest)
	}
	// What comes may be more than what is lacking, and in parts.
	for reached := seq; reached != newest; {
		f := back.next()
		if f.GetAttachment() != 7 || f.GetSession() != 0 || len(f.GetBroadcast().GetUpdate()) == 0 {
			t.Fatalf("%v, want broadcasts up to seq %d", f, newest)
		}
		reached = max(reached, f.GetBroadcast().GetSeq())
	}
}

func leaves(t *testing.T, dial dial) {
	a := dial(t)
	leave := &roomsv1.EdgeFrame{Attachment: 1, Session: 1, Body: &roomsv1.EdgeFrame_Leave{Leave: &roomsv1.Leave{}}}
	detach := &roomsv1.EdgeFrame{Attachment: 1, Body: &roomsv1.EdgeFrame_Detach{Detach: &roomsv1.Detach{}}}
	a.send(attach(1, "doc", nil), join(1, 1), join(1, 2), leave, update(1, 2, 0, letterA))
	a.attached(1)
	a.broadcast(1, letterA)
	leave.Session = 2
	a.send(leave, detach, attach(2, "doc", nil), join(2, 3), update(2, 3, 0, letterB))
	a.attached(2)
	a.broadcast(2, letterB) // and nothing for 1 before it
}

// nonsense is what ends the link everywhere. Of other nonsense, such as a frame for
// an attachment that isn't open, rooms does nothing: it may have closed it just
// now. The stand-in, which closes none by itself, is stricter with edges.
func nonsense(t *testing.T, dial dial) {
	for name, frames := range map[string][]*roomsv1.EdgeFrame{
		"attachment 0":         {attach(0, "doc", nil)},
		"an attachment in use": {attach(1, "doc", nil), attach(1, "other", nil)},
		"session 0":            {attach(1, "doc", nil), join(1, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			e := dial(t)
			e.send(frames...)
			var err error
			for err == nil {
				_, err = e.stream.Receive()
			}
			if connect.CodeOf(err) != connect.CodeInvalidArgument {
				t.Errorf("%v, want InvalidArgument", err)
			}
		})
	}
}
