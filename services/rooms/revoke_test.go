package rooms_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
	"github.com/fjord-sync/fjord/services/rooms"
)

// operator calls RoomsService as operators do.
type operator struct {
	t testing.TB
	roomsv1connect.RoomsServiceClient
}

func newOperator(t testing.TB, client *http.Client) operator {
	return operator{t, roomsv1connect.NewRoomsServiceClient(client, url)}
}

func (o operator) revoke(r *roomsv1.RevokeRequest) *roomsv1.Revocation {
	o.t.Helper()
	response, err := o.Revoke(o.t.Context(), connect.NewRequest(r))
	if err != nil {
		o.t.Fatal(err)
	}
	return response.Msg.GetRevocation()
}

func (o operator) restore(r *roomsv1.RestoreRequest) bool {
	o.t.Helper()
	response, err := o.Restore(o.t.Context(), connect.NewRequest(r))
	if err != nil {
		o.t.Fatal(err)
	}
	return response.Msg.GetExisted()
}

// somebody is a writer with a name and a token.
func somebody(subject, token string) *roomsv1.Grants {
	return &roomsv1.Grants{Level: roomsv1.Level_LEVEL_WRITE, Presence: true, Create: true, Subject: subject, TokenId: token}
}

// gone reads until a session is put out, and checks why.
func (e *edge) gone(attachment, session uint64) {
	e.t.Helper()
	f := e.next()
	if f.GetAttachment() != attachment || f.GetSession() != session || f.GetEnded().GetRefusal() != roomsv1.Refusal_REFUSAL_REVOKED {
		e.t.Fatalf("%v, want session %d of attachment %d put out", f, session, attachment)
	}
}

// in checks that a session has been let in, and hears.
func (e *edge) in(attachment, session uint64) {
	e.t.Helper()
	e.send(step1(attachment, session))
	if f := e.next(); f.GetAttachment() != attachment || f.GetSession() != session || f.GetSyncReply() == nil {
		e.t.Fatalf("%v, want session %d of attachment %d answered", f, session, attachment)
	}
}

// What is revoked ends on all edges, and stays so for who comes.
func TestRevoke(t *testing.T) {
	t.Parallel()
	client := start(t, "volatile")
	for name, test := range map[string]struct {
		revoke  *roomsv1.RevokeRequest
		restore *roomsv1.RestoreRequest
	}{
		"subject":         {&roomsv1.RevokeRequest{Subject: "ann"}, &roomsv1.RestoreRequest{Subject: "ann"}},
		"room":            {&roomsv1.RevokeRequest{Room: "a"}, &roomsv1.RestoreRequest{Room: "a"}},
		"token":           {&roomsv1.RevokeRequest{TokenId: "t1"}, &roomsv1.RestoreRequest{TokenId: "t1"}},
		"subject in room": {&roomsv1.RevokeRequest{Subject: "ann", Room: "a"}, &roomsv1.RestoreRequest{Subject: "ann", Room: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			one, two := link(t, client), link(t, client)
			for i, e := range []*edge{one, two} {
				e.send(attach(1, "a"), joinAs(1, uint64(i)+1, somebody("ann", "t1")))
				e.next()
				e.in(1, uint64(i)+1)
			}
			one.send(attach(2, "b"), joinAs(2, 9, somebody("bob", "t2")))
			one.next()
			one.in(2, 9)
			o := newOperator(t, client)
			o.revoke(test.revoke)
			one.gone(1, 1)
			two.gone(1, 2)
			two.send(joinAs(1, 3, somebody("ann", "t1")))
			two.gone(1, 3)
			one.in(2, 9) // who is somebody else goes on
			late := link(t, client)
			if !proto.Equal(late.said().GetRevoked()[0], &roomsv1.Revocation{
				Subject: test.revoke.GetSubject(), Room: test.revoke.GetRoom(), TokenId: test.revoke.GetTokenId(),
				What: roomsv1.Revoked_REVOKED_ACCESS, RevokedAt: late.said().GetRevoked()[0].GetRevokedAt(),
			}) || !late.said().GetAll() {
				t.Errorf("an edge that links later is told %v", late.said())
			}
			if !o.restore(test.restore) || o.restore(test.restore) {
				t.Error("restored not once")
			}
			two.send(joinAs(1, 4, somebody("ann", "t1")))
			two.in(1, 4)
			for len(one.said().GetRestored()) != 1 {
				one.revoked = nil // it was told before that it is revoked
			}
		})
	}
}

// A right to write that is taken back leaves a reader, who stays.
func TestRevokeWrite(t *testing.T) {
	t.Parallel()
	client := start(t, "volatile")
	e, o := link(t, client), newOperator(t, client)
	e.send(attach(1, "a"), joinAs(1, 1, somebody("ann", "t1")))
	e.next()
	e.in(1, 1)
	may := func(level roomsv1.Level) {
		t.Helper()
		if f := e.next(); f.GetSession() != 1 || f.GetAccess().GetLevel() != level || !f.GetAccess().GetPresence() {
			t.Fatalf("%v, want to be told %v", f, level)
		}
	}
	o.revoke(&roomsv1.RevokeRequest{Subject: "ann", Room: "a", What: roomsv1.Revoked_REVOKED_WRITE})
	may(roomsv1.Level_LEVEL_READ)
	e.send(update(1, 1, 1, letterA))
	if f := e.next(); f.GetResult().GetRefusal() != roomsv1.Refusal_REFUSAL_READ_ONLY {
		t.Fatalf("%v, want the update refused", f)
	}
	e.in(1, 1)
	o.restore(&roomsv1.RestoreRequest{Subject: "ann", Room: "a"})
	may(roomsv1.Level_LEVEL_WRITE)
	e.send(update(1, 1, 2, letterA))
	if f := e.next(); f.GetBroadcast() == nil {
		t.Fatalf("%v, want the update of who may write again", f)
	}
}

// What ends by itself is given back then. In a bubble: on a busy machine it would have
// ended before it was asked for.
func TestRevocationEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := start(t, "volatile")
		e, o := link(t, client), newOperator(t, client)
		e.send(attach(1, "a"), joinAs(1, 1, somebody("ann", "t1")))
		e.next()
		e.in(1, 1)
		began := time.Now()
		o.revoke(&roomsv1.RevokeRequest{Subject: "ann", What: roomsv1.Revoked_REVOKED_WRITE, Until: timestamppb.New(began.Add(50 * time.Millisecond))})
		if f := e.next(); f.GetAccess().GetLevel() != roomsv1.Level_LEVEL_READ {
			t.Fatalf("%v, want to be told that it reads", f)
		}
		if f := e.next(); f.GetAccess().GetLevel() != roomsv1.Level_LEVEL_WRITE {
			t.Fatalf("%v, want to be told that it writes", f)
		}
		if lasted := time.Since(began); lasted < 50*time.Millisecond {
			t.Errorf("it lasted %v, want 50ms", lasted)
		}
		list, err := o.ListRevocations(t.Context(), connect.NewRequest(&roomsv1.ListRevocationsRequest{}))
		if err != nil || len(list.Msg.GetRevocations()) != 0 {
			t.Errorf("%v (%v) are left", list, err)
		}
	})
}

func TestRevocationsAreListed(t *testing.T) {
	t.Parallel()
	o := newOperator(t, start(t, "volatile"))
	for i := range 7 {
		o.revoke(&roomsv1.RevokeRequest{Subject: fmt.Sprint("s", 6-i), Note: "why"})
	}
	o.revoke(&roomsv1.RevokeRequest{Subject: "s3", Room: "a"})
	var seen []string
	after := ""
	for pages := 1; ; pages++ {
		page, err := o.ListRevocations(t.Context(), connect.NewRequest(&roomsv1.ListRevocationsRequest{Limit: 3, After: after}))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Msg.GetRevocations() {
			seen = append(seen, r.GetSubject()+r.GetRoom())
		}
		if after = page.Msg.GetNext(); after == "" {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	if got := strings.Join(seen, " "); got != "s0 s1 s2 s3 s3a s4 s5 s6" {
		t.Errorf("%s", got)
	}
	page, err := o.ListRevocations(t.Context(), connect.NewRequest(&roomsv1.ListRevocationsRequest{Room: "a"}))
	if err != nil || len(page.Msg.GetRevocations()) != 1 {
		t.Errorf("%v, %v", page, err)
	}
}

func TestRevokeRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	o := newOperator(t, start(t, "volatile"))
	for want, r := range map[string]*roomsv1.RevokeRequest{
		"about nobody":        {Note: "all"},
		"513 bytes":           {Subject: strings.Repeat("a", 513)},
		"room: want UTF-8":    {Room: "a\x00"},
		"want REVOKED_ACCESS": {Room: "a", What: 9},
		"has passed":          {Room: "a", Until: timestamppb.New(time.Unix(1, 0))},
		"until: ":             {Room: "a", Until: &timestamppb.Timestamp{Nanos: -1}},
		"note: 513":           {Room: "a", Note: strings.Repeat("a", 513)},
	} {
		_, err := o.Revoke(o.t.Context(), connect.NewRequest(r))
		if connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want InvalidArgument that says %q", r, err, want)
		}
	}
	if _, err := o.Restore(t.Context(), connect.NewRequest(&roomsv1.RestoreRequest{})); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("restore nobody: %v", err)
	}
	for _, r := range []*roomsv1.ListRevocationsRequest{{Limit: 1001}, {After: "?"}, {After: "YQ"}} {
		if _, err := o.ListRevocations(t.Context(), connect.NewRequest(r)); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%v: %v", r, err)
		}
	}
}

func TestRevocationsAreBounded(t *testing.T) {
	t.Parallel()
	o := newOperator(t, startWith(t, rooms.Config{Kind: "volatile", Limits: rooms.Limits{Revocations: 2}}))
	for _, name := range []string{"a", "b", "a"} {
		o.revoke(&roomsv1.RevokeRequest{Room: name})
	}
	if _, err := o.Revoke(t.Context(), connect.NewRequest(&roomsv1.RevokeRequest{Room: "c"})); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("%v, want ResourceExhausted", err)
	}
	o.restore(&roomsv1.RestoreRequest{Room: "b"})
	o.revoke(&roomsv1.RevokeRequest{Room: "c"})
}
