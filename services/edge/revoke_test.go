package edge_test

import (
	"net/http"
	"testing"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

// putOut ends every session of a room, as rooms does when they are revoked.
func (w *world) putOut(room string) {
	w.t.Helper()
	ended := map[uint64]bool{}
	frames, _ := w.rooms.Frames()
	for _, f := range frames {
		if f.GetJoin() != nil && !ended[f.GetSession()] {
			ended[f.GetSession()] = true
			w.rooms.Tell(room, func() *roomsv1.RoomFrame {
				return &roomsv1.RoomFrame{Session: f.GetSession(), Body: &roomsv1.RoomFrame_Ended{Ended: &roomsv1.Ended{
					Refusal: roomsv1.Refusal_REFUSAL_REVOKED, Message: "access was revoked",
				}}}
			})
		}
	}
}

// Whom rooms calls revoked is turned away at the door, by every way in.
func TestRevokedAreTurnedAway(t *testing.T) {
	w := newWorld(t, withTokens(t))
	ann := token(t, time.Now().Add(time.Hour), grant("prefix", "", "rw", true))
	w.ready(true)
	status := func(room string) int {
		conn, response, err := w.dial(request{path: "/" + room, header: bearer(ann)})
		if err == nil {
			_ = conn.Close()
			return http.StatusSwitchingProtocols
		}
		return response.StatusCode
	}
	becomes := func(room string, want int) {
		t.Helper()
		w.eventually("the door changes", func() bool { return status(room) == want })
	}
	becomes("doc", 101)
	w.rooms.Revoke(&roomsv1.Revocation{Room: "doc"})
	becomes("doc", 401)
	becomes("other", 101)
	w.rooms.Revoke(&roomsv1.Revocation{Subject: "ann"})
	becomes("doc", 401)
	p := w.carry("/")
	p.send(name("doc") + says(ann))
	p.want(name("doc") + refusal)
	w.rooms.Break() // who links again is told again
	w.ready(true)
	becomes("doc", 401)
	w.rooms.Revoke(&roomsv1.Revocation{Subject: "ann", What: roomsv1.Revoked_REVOKED_WRITE})
	becomes("doc", 101) // to read: rooms tells it
	w.rooms.Revoke(&roomsv1.Revocation{Subject: "bob"}, &roomsv1.Revocation{TokenId: "t1"})
	becomes("doc", 101)
}

func TestRevokedSessionsAreClosed(t *testing.T) {
	w := newWorld(t, withTokens(t))
	p := w.joinAs("doc", token(t, time.Now().Add(time.Hour), grant("id", "doc", "rw", true)))
	w.putOut("doc")
	p.wantClosed(4401, "revoked")
}

// What rooms says a session may do, its client is told in its own way.
func TestDemotionInMidSession(t *testing.T) {
	w := newWorld(t, withTokens(t))
	soon := time.Now().Add(time.Hour)
	may := func(level roomsv1.Level) {
		frames, _ := w.rooms.Frames()
		for _, f := range frames {
			if f.GetJoin() != nil {
				w.rooms.Tell("doc", func() *roomsv1.RoomFrame {
					return &roomsv1.RoomFrame{Session: f.GetSession(), Body: &roomsv1.RoomFrame_Access{Access: &roomsv1.Access{Level: level, Presence: true}}}
				})
			}
		}
	}
	yws := w.joinAs("doc", token(t, soon, grant("id", "doc", "rw", true)))
	yws.next() // our step 1
	hocus := w.carry("/")
	hocus.send(name("doc") + opens(t, "rw"))
	hocus.send(name("doc") + stepOne)
	hocus.want(name("doc")+granted, name("doc")+stepOne, name("doc")+noStep2)
	hocus.send(name("doc") + stepTwo)
	hocus.want(name("doc")+"00 02 02 00 00", name("doc")+saved)
	yws.want("00 02 02 00 00")
	conn, _, err := w.dial(request{path: "/-/elva/doc", header: bearer(token(t, soon, grant("id", "doc", "rw", true)))})
	if err != nil {
		t.Fatal(err)
	}
	elva := &peer{t: t, conn: conn}
	elva.send("00 00 01 00")
	elva.want("00 01 02 00 00", "00 00 03 01 01 01")

	may(roomsv1.Level_LEVEL_READ)
	yws.want("02 00 15 726561642d6f6e6c792066726f6d206e6f77206f6e") // "read-only from now on"
	hocus.want(name("doc") + reads)
	elva.want("52 4f 00")
	hocus.send(name("doc") + "05 02 6869") // and its stateless messages go nowhere
	hocus.want(name("doc") + reads)
	if n := w.count(func(f *roomsv1.EdgeFrame) bool { return f.GetRelay() != nil }); n != 0 {
		t.Errorf("rooms saw %d", n)
	}

	may(roomsv1.Level_LEVEL_WRITE)
	yws.want("00 00 01 00") // is asked for what was refused
	hocus.want(name("doc")+granted, name("doc")+stepOne)
	elva.want("52 57 00", "00 00 01 00")
	hocus.send(name("doc") + stepTwo) // which it doesn't count
	hocus.send(name("doc") + anUpdate)
	hocus.want(name("doc")+"00 02 02 00 00", name("doc")+anUpdate, name("doc")+saved)
	_ = conn.Close()
}

// Who may not write any more gives nobody else a token, over y-sweet's API.
func TestRevokedSignNothing(t *testing.T) {
	w := newWorld(t, withTokens(t))
	admin := bearer(token(t, time.Now().Add(time.Hour), grant("id", "doc", "admin", true)))
	w.wantAnswer("POST", "/doc/doc/auth", "{}", admin, http.StatusOK, `"token"`)
	w.rooms.Revoke(&roomsv1.Revocation{Subject: "ann", What: roomsv1.Revoked_REVOKED_WRITE})
	w.eventually("the edge knows", func() bool {
		status, _ := w.ask("POST", "/doc/doc/auth", "{}", admin)
		return status == http.StatusForbidden
	})
	w.rooms.Revoke(&roomsv1.Revocation{Subject: "ann"})
	w.eventually("the edge knows", func() bool {
		status, _ := w.ask("POST", "/doc/doc/auth", "{}", admin)
		return status == http.StatusUnauthorized
	})
}
