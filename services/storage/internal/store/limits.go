package store

import (
	"unicode/utf8"
)

// MaxRoomLen is the longest room name, in bytes of UTF-8.
const MaxRoomLen = 255

// Limits bounds what a store takes in. Both must be above 0.
type Limits struct {
	// Record is a record's largest size in bytes.
	Record int
	// Snapshot is a snapshot's largest size in bytes.
	Snapshot uint64
}

// CheckRoom says whether room can be a room's name: 1 to 255 bytes of UTF-8.
func CheckRoom(room string) error {
	switch {
	case room == "":
		return Errorf(Invalid, Head{}, "the room has no name: give it 1 to %d bytes of UTF-8", MaxRoomLen)
	case len(room) > MaxRoomLen:
		return Errorf(Invalid, Head{}, "the room's name has %d bytes: at most %d are allowed", len(room), MaxRoomLen)
	case !utf8.ValidString(room):
		return Errorf(Invalid, Head{}, "the room's name is not valid UTF-8")
	}
	return nil
}

// CheckItem says whether item can be stored at all, whatever the room's head.
func (l Limits) CheckItem(item Item) error {
	if err := CheckRoom(item.Room); err != nil {
		return err
	}
	if len(item.Data) > l.Record {
		return Errorf(Invalid, Head{}, "the record has %d bytes: at most %d are allowed", len(item.Data), l.Record)
	}
	return nil
}

// CheckSnapshot says whether s can be stored at all, whatever the room's head.
func (l Limits) CheckSnapshot(s Snapshot) error {
	if err := CheckRoom(s.Room); err != nil {
		return err
	}
	switch {
	case s.Size == 0:
		// It would turn a room into nothing without a tombstone.
		return Errorf(Invalid, Head{}, "the snapshot has no bytes and would empty the room: Delete does that")
	case s.Size > l.Snapshot:
		return Errorf(Invalid, Head{}, "the snapshot has %d bytes: at most %d are allowed", s.Size, l.Snapshot)
	}
	return nil
}

// MarkRepeats returns for each item whether an earlier one names the same room,
// which a call may not: the second would rest on the first one's outcome.
func MarkRepeats(items []Item) []bool {
	repeats := make([]bool, len(items))
	if len(items) < 2 {
		return repeats
	}
	seen := make(map[string]struct{}, len(items))
	for i := range items {
		_, repeats[i] = seen[items[i].Room]
		seen[items[i].Room] = struct{}{}
	}
	return repeats
}

// ErrRepeat is the error for a second item of the same room in one call.
func ErrRepeat() error {
	return Errorf(Invalid, Head{}, "the request holds an earlier item of the same room: send one item per room")
}
