package link

import (
	"errors"
	"testing"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

func frameOf(bytes int) *roomsv1.RoomFrame {
	return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Broadcast{
		Broadcast: &roomsv1.Broadcast{Update: make([]byte, bytes)},
	}}
}

// A document that is larger than what may wait takes a while to leave; what is
// said meanwhile must not cost the link.
func TestLargestFrameIsNotCounted(t *testing.T) {
	o := newOutbox(1000)
	o.put(frameOf(5000))
	for range 8 {
		o.put(frameOf(100))
	}
	taken := 0
	for taken < 9 {
		frames, err := o.take()
		if err != nil || len(frames) == 0 {
			t.Fatalf("took %d frames after %d of 9: %v", len(frames), taken, err)
		}
		taken += len(frames)
	}
	if o.bytes != 0 || o.largest != 0 {
		t.Errorf("%d bytes are counted in an empty outbox, %d as its largest frame", o.bytes, o.largest)
	}
	// Of two such documents one is counted.
	o.put(frameOf(5000))
	o.put(frameOf(5000))
	o.put(frameOf(1))
	if _, err := o.take(); !errors.Is(err, errOverflow) {
		t.Errorf("%v, want an overflow", err)
	}
}

func TestOverflowLosesWhatWaits(t *testing.T) {
	o := newOutbox(1000)
	for range 20 {
		o.put(frameOf(100))
	}
	if _, err := o.take(); !errors.Is(err, errOverflow) {
		t.Errorf("%v, want an overflow", err)
	}
	if !o.crowded(func() { t.Error("relieved after an overflow") }) {
		t.Error("a lost link takes answers")
	}
	o.put(frameOf(1))
	if _, err := o.take(); !errors.Is(err, errOverflow) {
		t.Errorf("%v, want the overflow for ever", err)
	}
}

func TestCrowdedUntilHalfHasLeft(t *testing.T) {
	o := newOutbox(8 * messageBytes)
	relieved := 0
	ask := func() bool { return o.crowded(func() { relieved++ }) }
	o.put(frameOf(messageBytes))
	if ask() {
		t.Error("crowded with an eighth of what may wait")
	}
	o.put(frameOf(messageBytes))
	for range 2 {
		if !ask() {
			t.Error("not crowded with a quarter of what may wait")
		}
	}
	for range 2 {
		if relieved != 0 {
			t.Error("relieved too early")
		}
		if frames, err := o.take(); len(frames) != 1 || err != nil {
			t.Fatalf("took %d frames (%v), want one", len(frames), err)
		}
	}
	if relieved != 2 {
		t.Errorf("%d were relieved, want both who asked", relieved)
	}
	if _, err := o.take(); relieved != 2 || err != nil {
		t.Errorf("%d were relieved (%v), want nobody twice", relieved, err)
	}
}

// Small frames are gathered into one message, and a large one has its own.
func TestMessagesAreOfModerateSize(t *testing.T) {
	o := newOutbox(100 * messageBytes)
	for _, size := range []int{10, 20, 3 * messageBytes, 30, messageBytes / 2, messageBytes / 2} {
		o.put(frameOf(size))
	}
	for _, want := range []int{2, 1, 2, 1, 0} {
		if frames, err := o.take(); len(frames) != want || err != nil {
			t.Errorf("took %d frames (%v), want %d", len(frames), err, want)
		}
	}
}
