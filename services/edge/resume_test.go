package edge_test

import (
	"testing"
	"testing/synctest"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/roomstest"
)

func isResume(f *roomsv1.EdgeFrame) bool { return f.GetAttach().GetResume() != nil }

func TestSocketsOutliveTheLink(t *testing.T) {
	w := newWorld(t, nil)
	a, b := w.sync("doc"), w.sync("doc")
	a.send("00 02 01 01")
	a.want("00 02 01 01")
	b.want("00 02 01 01")

	w.rooms.SetDown(true)
	w.ready(false)
	w.rooms.Append("doc", []byte{0x02})
	w.rooms.SetDown(false)

	// Each session is asked for what it alone has, and hears what it missed.
	for _, p := range []*peer{a, b} {
		p.want("00 00 03 01 01 02", "03", "00 02 01 02")
	}
	a.send("00 02 01 03")
	a.want("00 02 01 03")
	b.want("00 02 01 03")
}

// What was heard to its end doesn't come twice.
func TestResumeFromTheLastSeq(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		p := w.sync("doc")
		p.send("00 02 01 01")
		p.want("00 02 01 01")
		w.rooms.Break()
		f := w.until("resume", isResume)
		if seq := f.GetAttach().GetResume().GetSeq(); seq != 1 {
			t.Errorf("resumed behind seq %d, want 1", seq)
		}
		p.want("00 00 03 01 01 01", "03")
		_ = p.conn.Close()
	})
}

func TestWhatIsSaidInAnOutageArrivesAfterIt(t *testing.T) {
	w := newWorld(t, nil)
	a, b := w.sync("doc"), w.sync("doc")
	w.rooms.SetDown(true)
	w.ready(false)
	a.send("00 02 01 07")
	a.send("00 02 01 08")
	w.rooms.SetDown(false)
	// Our step 1 first; what waited comes after the sessions have joined again.
	a.want("00 00 01 00", "03", "00 02 01 07", "00 02 01 08")
	b.want("00 00 01 00", "03", "00 02 01 07", "00 02 01 08")
}

func TestUnansweredStep1IsAskedAgain(t *testing.T) {
	w := newWorld(t, nil)
	w.rooms.Append("doc", []byte{0xaa})
	// Rooms swallows the question, and breaks.
	w.rooms.SetHook(func(_ *roomstest.Link, f *roomsv1.EdgeFrame) bool { return f.GetStep1() != nil })
	p := w.join("doc")
	p.send("00 00 03 01 05 06")
	w.until("step 1", func(f *roomsv1.EdgeFrame) bool { return f.GetStep1() != nil })
	w.rooms.SetHook(nil)
	w.rooms.Break()
	p.want("00 01 01 aa", "00 00 03 01 01 01")
	again := 0
	frames, _ := w.rooms.Frames()
	for _, f := range frames {
		if f.GetStep1() != nil && string(f.GetStep1().GetStateVector()) == "\x01\x05\x06" {
			again++
		}
	}
	if again != 2 {
		t.Errorf("the state vector was sent %d times, want 2: %v", again, frames)
	}
}

func TestDetached(t *testing.T) {
	for _, test := range []struct {
		reason roomsv1.DetachReason
		code   int // 0: the socket stays
	}{
		{roomsv1.DetachReason_DETACH_REASON_LOAD_FAILED, 1013},
		{roomsv1.DetachReason_DETACH_REASON_INVALID, 4400},
		{roomsv1.DetachReason_DETACH_REASON_UNSPECIFIED, 1013},
		{roomsv1.DetachReason_DETACH_REASON_FENCED, 0},
		{roomsv1.DetachReason_DETACH_REASON_OVERLOADED, 0},
		{roomsv1.DetachReason_DETACH_REASON_DRAINING, 0},
	} {
		detached := func() *roomsv1.RoomFrame {
			return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Detached{
				Detached: &roomsv1.Detached{Reason: test.reason, Message: "because I say so"},
			}}
		}
		t.Run("running/"+test.reason.String(), func(t *testing.T) {
			w := newWorld(t, nil)
			p := w.sync("doc")
			w.rooms.Tell("doc", detached)
			if test.code != 0 {
				p.wantClosed(test.code, "because I say so")
				return
			}
			w.until("resume", isResume)
			p.want("00 00 01 00", "03")
			p.send("00 02 01 05")
			p.want("00 02 01 05")
		})
		t.Run("joining/"+test.reason.String(), func(t *testing.T) {
			w := newWorld(t, nil)
			refusals := 0
			w.rooms.SetHook(func(l *roomstest.Link, f *roomsv1.EdgeFrame) bool {
				if f.GetAttach() == nil || refusals == 2 {
					return false
				}
				refusals++
				refusal := detached()
				refusal.Attachment = f.GetAttachment()
				l.Send(refusal)
				return true
			})
			p := w.join("doc")
			p.send("00 00 01 00")
			if test.code != 0 {
				p.wantClosed(test.code, "because I say so")
				return
			}
			p.want("00 01 00", "00 00 01 00")
		})
	}
}

// One room's trouble is its own.
func TestDetachedRoomDoesNotTouchOthers(t *testing.T) {
	w := newWorld(t, nil)
	bad, good := w.sync("bad"), w.sync("good")
	w.rooms.Tell("bad", func() *roomsv1.RoomFrame {
		return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Detached{Detached: &roomsv1.Detached{
			Reason: roomsv1.DetachReason_DETACH_REASON_LOAD_FAILED,
		}}}
	})
	bad.wantClosed(1013, "room could not be loaded")
	good.send("00 02 01 05")
	good.want("00 02 01 05")
	// The next joiner has the room loaded again.
	again := w.sync("bad")
	again.send("00 02 01 06")
	again.want("00 02 01 06")
}

func TestNoLinkInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.rooms.SetDown(true)
		synctest.Wait()
		p := w.join("doc")
		p.send("00 00 01 00")
		start := time.Now()
		p.wantClosed(1013, "come back")
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("waited %s, want 5s", waited)
		}
		if w.edge.Ready() == nil {
			t.Error("ready without a link")
		}
	})
}

func TestLinkInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.rooms.SetDown(true)
		synctest.Wait()
		p := w.join("doc")
		p.send("00 00 01 00")
		time.Sleep(time.Second) // the pauses grow, and end within the five that it waits
		w.rooms.SetDown(false)
		p.want("00 01 00", "00 00 01 00")
	})
}

func TestRoomThatNeverLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.rooms.SetHook(func(_ *roomstest.Link, f *roomsv1.EdgeFrame) bool {
			return f.GetAttach() != nil || f.GetDetach() != nil
		})
		p := w.join("doc")
		start := time.Now()
		_ = p.conn.SetReadDeadline(time.Now().Add(time.Minute))
		_, _, err := p.conn.ReadMessage()
		if err == nil || time.Since(start) != 30*time.Second {
			t.Errorf("%v after %s, want a close after 30s", err, time.Since(start))
		}
	})
}

func TestDrainWhileARoomLoads(t *testing.T) {
	w := newWorld(t, nil)
	w.rooms.SetHook(func(_ *roomstest.Link, f *roomsv1.EdgeFrame) bool {
		return f.GetAttach() != nil || f.GetDetach() != nil
	})
	p := w.join("doc")
	w.until("attach", func(f *roomsv1.EdgeFrame) bool { return f.GetAttach() != nil })
	drained := make(chan error, 1)
	go func() { drained <- w.edge.Drain(t.Context()) }()
	p.wantClosed(1012, "leaving")
	if err := <-drained; err != nil {
		t.Error(err)
	}
	w.until("detach", func(f *roomsv1.EdgeFrame) bool { return f.GetDetach() != nil })
}

// A room whose document waits for something says again that it is open: clients
// are asked for what they alone have, and go on.
func TestRoomAsksAgain(t *testing.T) {
	w := newWorld(t, nil)
	a, b := w.sync("doc"), w.sync("doc")
	for range 2 {
		w.rooms.Tell("doc", func() *roomsv1.RoomFrame {
			return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Attached{Attached: &roomsv1.Attached{
				Kind: roomsv1.RoomKind_ROOM_KIND_DURABLE, StateVector: []byte{1, 7, 2},
			}}}
		})
		a.want("00 00 03 01 07 02", "03")
		b.want("00 00 03 01 07 02", "03")
	}
	a.send("00 01 01 05") // its step 2 is taken as an update
	a.want("00 02 01 05")
	b.want("00 02 01 05")
}

// A crowd's answers would grow with its square.
func TestCrowdIsNotAskedWhoIsHere(t *testing.T) {
	w := newWorld(t, nil)
	peers := make([]*peer, 51)
	for i := range peers {
		peers[i] = w.sync("doc")
	}
	w.rooms.Break()
	for _, p := range peers {
		p.want("00 00 01 00")
	}
	w.rooms.Append("doc", []byte{5})
	for _, p := range peers {
		p.want("00 02 01 05")
	}
}
