package rooms_test

import (
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
)

// An edge whose connection lives but that reads nothing any more holds its rooms
// open, and its users are shown to others, only for a while.
func TestLinkThatNobodyReadsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := start(t, "relay")
		mute := link(t, client)
		mute.send(attach(1, "doc"), join(1, 1))
		e := link(t, client)
		e.send(attach(1, "doc"), join(1, 1))
		e.next()
		relay := &roomsv1.EdgeFrame{Attachment: 1, Session: 1, Body: &roomsv1.EdgeFrame_Relay{Relay: make([]byte, 64<<10)}}
		for range 100 { // many times what a stream's window takes
			e.send(relay)
			for e.next().GetRelayed() == nil {
			}
		}
		operators := roomsv1connect.NewRoomsServiceClient(client, url)
		attachments := func() uint32 {
			page, err := operators.ListRooms(t.Context(), connect.NewRequest(&roomsv1.ListRoomsRequest{}))
			if err != nil {
				t.Fatal(err)
			}
			return page.Msg.GetRooms()[0].GetAttachments()
		}
		if got := attachments(); got != 2 {
			t.Errorf("%d attachments, want both at first", got)
		}
		time.Sleep(2 * time.Minute)
		if got := attachments(); got != 1 {
			t.Errorf("%d attachments after two minutes, want only that of the edge that reads", got)
		}
	})
}
