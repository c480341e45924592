package edge_test

import (
	"testing"
	"testing/synctest"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

// The frames are those of wire.md, section 2.

func TestStep1IsAnsweredByStep2ThenStep1(t *testing.T) {
	w := newWorld(t, nil)
	w.rooms.Append("doc", []byte{0xaa, 0xbb})
	p := w.join("doc")
	p.send("00 00 01 00")
	p.want("00 01 02 aa bb", "00 00 03 01 01 01")
	// Our step 1 comes once, however often the client asks.
	p.send("00 00 01 00")
	p.send("00 02 02 cc dd")
	p.want("00 01 02 aa bb", "00 02 02 cc dd")
}

func TestSilentUntilTheClientSpeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		p := w.join("doc")
		w.until("attach", func(f *roomsv1.EdgeFrame) bool { return f.GetAttach().GetRoom() == "doc" })
		w.rooms.Append("doc", []byte{0xaa})
		synctest.Wait() // its broadcast has come, and gone to nobody
		if n := w.count(isJoin); n != 0 {
			t.Errorf("%d sessions joined before any client spoke", n)
		}
		p.send("00 00 01 00")
		p.want("00 01 01 aa", "00 00 03 01 01 01")
		_ = p.conn.Close()
	})
}

func TestUpdateGoesToAllItsSenderIncluded(t *testing.T) {
	w := newWorld(t, nil)
	a, b := w.sync("doc"), w.sync("doc")
	other := w.sync("other")
	a.send("00 02 03 01 02 03")
	a.want("00 02 03 01 02 03")
	b.want("00 02 03 01 02 03")
	other.send("00 02 01 09")
	other.want("00 02 01 09")
	f := w.until("update", func(f *roomsv1.EdgeFrame) bool { return f.GetUpdate() != nil })
	if f.GetUpdate().GetTicket() != 0 || f.GetUpdate().GetStep2() {
		t.Errorf("update %v: want no ticket and no step 2", f)
	}
}

func TestStep2IsRelayedAsUpdate(t *testing.T) {
	w := newWorld(t, nil)
	a, b := w.sync("doc"), w.sync("doc")
	a.send("00 01 02 07 08")
	b.want("00 02 02 07 08")
	f := w.until("step 2", func(f *roomsv1.EdgeFrame) bool { return f.GetUpdate() != nil })
	if !f.GetUpdate().GetStep2() {
		t.Errorf("update %v: want it marked as step 2", f)
	}
}

func TestEmptyUpdatesGoNowhere(t *testing.T) {
	w := newWorld(t, nil)
	p := w.sync("doc")
	p.send("00 01 02 00 00")
	p.send("00 02 02 00 00")
	p.send("00 02 01 05")
	p.want("00 02 01 05")
	if n := w.count(func(f *roomsv1.EdgeFrame) bool { return f.GetUpdate() != nil }); n != 1 {
		t.Errorf("rooms saw %d updates, want 1", n)
	}
}

func TestSeveralMessagesInOneFrame(t *testing.T) {
	w := newWorld(t, nil)
	p := w.join("doc")
	// Step 1, awareness, update: answered one message a frame.
	p.send("00 00 01 00" + "01 06 01 2a 07 02 7b 7d" + "00 02 01 05")
	p.want("00 01 00", "00 00 01 00", "01 06 01 2a 07 02 7b 7d", "00 02 01 05")
}

func TestAwarenessIsEchoedAndShownToNewcomers(t *testing.T) {
	w := newWorld(t, nil)
	a := w.sync("doc")
	a.send("01 06 01 2a 07 02 7b 7d")
	a.want("01 06 01 2a 07 02 7b 7d")
	b := w.join("doc")
	b.send("00 00 01 00")
	b.want("00 01 00", "00 00 01 00", "01 06 01 2a 07 02 7b 7d")
}

func TestQueryAwareness(t *testing.T) {
	w := newWorld(t, nil)
	p := w.sync("doc")
	p.send("01 06 01 2a 07 02 7b 7d")
	p.want("01 06 01 2a 07 02 7b 7d")
	for _, query := range []string{"03", "03 ff ff ff", "03 00 02 80"} {
		p.send(query)
		p.want("01 06 01 2a 07 02 7b 7d")
	}
}

func TestLeaveAndDetach(t *testing.T) {
	w := newWorld(t, nil)
	a, b := w.sync("doc"), w.sync("doc")
	_ = a.conn.Close()
	w.until("leave", func(f *roomsv1.EdgeFrame) bool { return f.GetLeave() != nil })
	if n := w.count(func(f *roomsv1.EdgeFrame) bool { return f.GetDetach() != nil }); n != 0 {
		t.Error("detached while a session was left")
	}
	b.send("00 02 01 05")
	b.want("00 02 01 05")
	_ = b.conn.Close()
	w.until("detach", func(f *roomsv1.EdgeFrame) bool { return f.GetDetach() != nil })
	c := w.sync("doc")
	c.send("00 02 01 06")
	c.want("00 02 01 06")
}
