package session_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// A story is what happens to one session, a line an event:
//
//	client step1 <body>       → what goes to the room
//	room   reply <update> <v> → what goes to the client
//
// and after the arrow what the session answers: to the room `frame(bytes)`, to
// the client `message(body)`, or `close code`.
type story struct {
	name   string
	config session.Config
	lines  []string
}

var (
	writes = &session.Grants{Level: roomsv1.Level_LEVEL_WRITE, Presence: true}
	reads  = &session.Grants{Level: roomsv1.Level_LEVEL_READ, Presence: true}
	counts = dialect.Traits{Acks: true, Step1First: true, Addressed: true}
)

var (
	durable = session.Config{Kind: roomsv1.RoomKind_ROOM_KIND_DURABLE, Grants: writes}
	acks    = session.Config{Kind: roomsv1.RoomKind_ROOM_KIND_DURABLE, Traits: counts, Grants: writes}
	mute    = session.Config{Kind: roomsv1.RoomKind_ROOM_KIND_DURABLE, Traits: dialect.Traits{MustBeAsked: true}, Grants: writes}
	unseen  = session.Config{Kind: roomsv1.RoomKind_ROOM_KIND_DURABLE, Grants: &session.Grants{Level: roomsv1.Level_LEVEL_WRITE}}
	reader  = session.Config{Kind: roomsv1.RoomKind_ROOM_KIND_DURABLE, Grants: reads}
)

var (
	elva       = session.Config{Kind: roomsv1.RoomKind_ROOM_KIND_DURABLE, Traits: dialect.Traits{TellsAccess: true}, Grants: writes}
	elvaReader = session.Config{Kind: roomsv1.RoomKind_ROOM_KIND_DURABLE, Traits: dialect.Traits{TellsAccess: true}, Grants: reads}
	ackReader  = session.Config{Kind: roomsv1.RoomKind_ROOM_KIND_DURABLE, Traits: counts, Grants: reads}
)

var stories = []story{
	{"a reader who counts is asked, so that it can be answered", ackReader, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 1(V) step 2(U)",
		"client step2 00 → step2(00) ticket 1",
		"room result 1 → saved()",
	}},
	{"acks that a break lost come with the step 2 after it", acks, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 1(V) step 2(U)",
		"client step2 S → step2(S) ticket 1",
		"client update X → update(X) ticket 2",
		"client update Y → update(Y) ticket 3",
		"room result 1 → saved()",
		"rejoin → join",
		"resume W → step 1(W)",
		"client update Z → update(Z) ticket 4",
		"client step2 S → step2(S) ticket 5",
		"room result 4 → saved()",
		"room result 5 → saved() saved()",
	}},
	{"one that was waiting to be sent is answered for itself", acks, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 1(V) step 2(U)",
		"client step2 S → step2(S) ticket 1",
		"client update X → update(X) ticket 2",
		"rejoin → join",
		"resume W → step 1(W)",
		"room result 2 → saved()",
		"client step2 S → step2(S) ticket 3",
		"room result 3 → saved()",
	}},
	{"two breaks in a row", acks, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 1(V) step 2(U)",
		"client step2 S → step2(S) ticket 1",
		"rejoin → join",
		"resume W → step 1(W)",
		"client step2 S → step2(S) ticket 2",
		"rejoin → join",
		"resume W → step 1(W)",
		"client step2 S → step2(S) ticket 3",
		"room result 3 → saved()",
		"client update X → update(X) ticket 4",
		"room result 4 → saved()",
	}},
	{"a step 2 that answers an old question settles nothing", acks, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 1(V) step 2(U)",
		"rejoin → join",
		"resume W → step 1(W)",
		"client step2 S → step2(S) ticket 1",
		"room result 1 → saved()",
		"client update X → update(X) ticket 2",
		"client step2 S → step2(S) ticket 3",
		"room result 2 → saved()",
		"room result 3 → nothing",
	}},
	{"a barrier is answered when all before it is stored", durable, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 2(U) step 1(V)",
		"client step2 00 → nothing",
		"client update X → update(X)",
		"client barrier a → update(00) ticket 1",
		"client barrier b → update(00) ticket 2",
		"room result 1 → barrier(a)",
		"room result 2 → barrier(b)",
	}},
	{"a barrier waits for what the client wrote before it came", durable, []string{
		"client step1 A → step1(A)",
		"client barrier a → update(00) ticket 1",
		"room result 1 → nothing",
		"room reply U V → step 2(U) step 1(V)",
		"client barrier b → update(00) ticket 2",
		"client step2 S → step2(S) ticket 3",
		"room result 2 → nothing",
		"room result 3 → barrier(a) barrier(b)",
		"client barrier c → update(00) ticket 4",
		"room result 4 → barrier(c)",
	}},
	{"also if that is nothing", durable, []string{
		"client step1 A → step1(A)",
		"client barrier a → update(00) ticket 1",
		"room reply U V → step 2(U) step 1(V)",
		"client step2 00 → step2(00) ticket 2",
		"room result 1 → nothing",
		"room result 2 → barrier(a)",
	}},
	{"a reader isn't asked, so its barriers don't wait", reader, []string{
		"client step1 A → step1(A)",
		"client barrier a → update(00) ticket 1",
		"room result 1 → barrier(a)",
	}},
	{"after a break, barriers wait until what was lost is there", durable, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 2(U) step 1(V)",
		"client step2 00 → nothing",
		"client update X → update(X)",
		"client barrier a → update(00) ticket 1",
		"rejoin → join",
		"resume W → step 1(W)",
		"client barrier b → update(00) ticket 2",
		"room result 2 → nothing",
		"client step2 00 → step2(00) ticket 3",
		"room result 3 → barrier(a) barrier(b)",
		"client barrier c → update(00) ticket 4",
		"room result 4 → barrier(c)",
	}},
	{"asides", acks, []string{
		"client stateless hi → relay(\"\\x01hi\")",
		"room relayed \"\\x01hi\" → stateless(hi)",
		"client data D → relay(\"\\x02\\x00D\")",
		"client id me → nothing",
		"client data D → relay(\"\\x02\\x02meD\")",
		"room relayed \"\\x02\\x02meD\" → id(me) data(D)",
		"room relayed \"\\x02\\x00D\" → data(D)",
		"room relayed \"\\x02\\x09x\" → nothing",
		"room relayed \"\\x09x\" → nothing",
		"room relayed \"\" → nothing",
		"client illegal no → close 4400 no",
	}},
	{"a cross is answered in kind", elva, []string{
		"client step2 S → step2(S)",
		"client cross A → step1(A)",
		"client step1 B → step1(B)",
		"room reply U V → cross(\x01V\x01U)",
		"room reply U V → step 2(U)",
		"client step2 00 → nothing",
	}},
	{"a client may lower its own access", elva, []string{
		"client readonly - → read-only()",
		"client update X → read-only()",
		"client step2 00 → nothing",
		"client readwrite - → read-write()",
		"client update X → update(X)",
	}},
	{"but not raise it", elvaReader, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 2(U) read-only()",
		"client readwrite - → read-only()",
		"client update X → update(X)",
		"room refuse 0 READ_ONLY no → read-only()",
		"room refuse 0 MALFORMED bad → close 4400 bad",
	}},
	{"y-websocket joins", durable, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 2(U) step 1(V)",
		"client step2 00 → nothing",
		"room broadcast X → update(X)",
	}},
	{"our step 1 comes once", durable, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 2(U) step 1(V)",
		"client step1 B → step1(B)",
		"room reply U V → step 2(U)",
	}},
	{"ELVA: awareness first, then step 1, then a full step 2 unasked", durable, []string{
		"client awareness P → awareness(P)",
		"client step1 A → step1(A)",
		"client step2 S → step2(S)",
		"room awareness P → awareness(P)",
		"room reply U V → step 2(U) step 1(V)",
	}},
	{"acks and step 1 first, each time", acks, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 1(V) step 2(U)",
		"client step2 00 → step2(00) ticket 1",
		"client update X → update(X) ticket 2",
		"room result 1 → saved()",
		"room result 2 → saved()",
		"room broadcast X → update(X)",
		"client step1 A → step1(A)",
		"room reply U V → step 1(V) step 2(U)",
	}},
	{"a refusal that can be told doesn't close", acks, []string{
		"client update X → update(X) ticket 1",
		"room refuse 1 READ_ONLY no → refused(no)",
	}},
	{"a refusal that can't be told closes", durable, []string{
		"client update X → update(X)",
		"room refuse 0 MALFORMED bad → close 4400 bad",
	}},
	{"refusals", durable, []string{
		"room refuse 0 TOO_LARGE big → close 4413 big",
		"room refuse 0 READ_ONLY no → close 4403 no",
		"room refuse 0 NOT_ALLOWED no → close 4400 no",
		"room result 0 → nothing",
	}},
	{"ended", durable, []string{
		"room ended READ_ONLY no → close 4403 no",
		"room ended UNSPECIFIED later → close 1013 later",
	}},
	{"a reader isn't asked", reader, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 2(U)",
		"client update X → update(X)",
		"room refuse 0 READ_ONLY no → close 4403 no",
		"resume V → nothing",
	}},
	{"empty updates are for nobody", durable, []string{
		"client update 00 → nothing",
		"client step2 00 → nothing",
	}},
	{"presence is asked for", durable, []string{
		"client query - → query",
		"room awareness P → awareness(P)",
	}},
	{"who may not show themselves see the others", unseen, []string{
		"client step1 A → step1(A)",
		"client awareness P → nothing",
		"client query - → query",
		"room awareness Q → awareness(Q)",
		"client update X → update(X)",
	}},
	{"one who came back and is thought to be gone is asked to show itself", mute, []string{
		"room awareness-alone \x01\x07\x01\x04null → awareness(\x01\x07\x01\x04null) query awareness()",
		"room awareness-alone \x01\x07\x01\x06\"null\" → awareness(\x01\x07\x01\x06\"null\")",
		"room awareness \x01\x07\x01\x04null → awareness(\x01\x07\x01\x04null)",
	}},
	{"one who shows itself anyhow isn't asked", durable, []string{
		"room awareness-alone \x01\x07\x01\x04null → awareness(\x01\x07\x01\x04null)",
	}},
	{"denial is heard by nobody", durable, []string{
		"client denied - → nothing",
	}},
	{"resume asks what the client alone has", durable, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 2(U) step 1(V)",
		"rejoin → join",
		"resume W → step 1(W)",
		"rejoin → join",
		"resume W → step 1(W)",
	}},
	{"presence may be asked for as well", durable, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 2(U) step 1(V)",
		"rejoin → join",
		"resume W presence → step 1(W) query awareness()",
	}},
	{"a reader's presence too", reader, []string{
		"rejoin → join read-only",
		"resume W presence → query awareness()",
	}},
	{"resume before the first reply asks it again, and asks back after it", durable, []string{
		"client step1 A → step1(A)",
		"rejoin → join step1(A)",
		"resume W → nothing",
		"room reply U V → step 2(U) step 1(V)",
		"rejoin → join",
	}},
	{"the newest of several step 1s is asked again", durable, []string{
		"client step1 A → step1(A)",
		"client step1 B → step1(B)",
		"rejoin → join step1(B)",
		"room reply U V → step 2(U) step 1(V)",
		"rejoin → join",
	}},
	{"one of two answers is outstanding", durable, []string{
		"client step1 A → step1(A)",
		"client step1 B → step1(B)",
		"room reply U V → step 2(U) step 1(V)",
		"rejoin → join step1(B)",
	}},
	{"a client that never asked is asked nothing", durable, []string{
		"client update X → update(X)",
		"rejoin → join",
		"resume W → nothing",
	}},
	{"a reader rejoins as one", reader, []string{
		"rejoin → join read-only",
	}},
	{"a reader's asides go nowhere, and it is told why", ackReader, []string{
		"client stateless hi → read-only()",
		"client id me → nothing",
		"client data D → read-only()",
	}},
	{"demotion is told, and promotion asks for what was refused", acks, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 1(V) step 2(U)",
		"client step2 00 → step2(00) ticket 1",
		"room result 1 → saved()",
		"room may READ → read-only()",
		"client update X → update(X) ticket 2",
		"room refuse 2 READ_ONLY no → refused(no)",
		"client stateless hi → read-only()",
		"room may WRITE → read-write() step 1(\x00)",
		"client step2 S → step2(S) ticket 3",
		"room result 3 → nothing",
		"client update Y → update(Y) ticket 4",
		"room result 4 → saved()",
	}},
	{"demotion by a second token", acks, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 1(V) step 2(U)",
		"grant read → grants read-only read-only()",
		"rejoin → join read-only",
		"grant write → grants read-write() step 1(\x00)",
		"rejoin → join",
	}},
	{"y-websocket has one word for it", durable, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 2(U) step 1(V)",
		"room may READ → denied(read-only from now on)",
		"room may READ → nothing",
		"room may WRITE → step 1(\x00)",
	}},
	{"ELVA has words for it", elva, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 2(U) step 1(V)",
		"room may READ → read-only()",
		"client data D → read-only()",
		"room may WRITE → read-write() step 1(\x00)",
	}},
	{"presence is taken back", durable, []string{
		"client awareness P → awareness(P)",
		"room may WRITE unseen → nothing",
		"client awareness P → nothing",
	}},
	{"who was put out comes back with a better token, and nothing is lost", acks, []string{
		"client step1 A → step1(A)",
		"room reply U V → step 1(V) step 2(U)",
		"client step2 00 → step2(00) ticket 1",
		"room result 1 → saved()",
		"client update X → update(X) ticket 2",
		"room ended REVOKED no → close 4401 no",
		"return → join step1(\x00)",
		"room reply U V → step 1(V) step 2(U) query awareness()",
		"client step2 S → step2(S) ticket 3",
		"room result 3 → saved()",
	}},
	{"frames that say nothing to a client", durable, []string{
		"room attached → nothing",
	}},
}

func TestStories(t *testing.T) {
	for _, story := range stories {
		t.Run(story.name, func(t *testing.T) {
			s := session.New(story.config)
			for i, l := range story.lines {
				event, want, _ := strings.Cut(l, " → ")
				if got := tell(t, s, strings.Fields(event)); got != want {
					t.Fatalf("line %d: %s → %s, want %s", i+1, event, got, want)
				}
			}
		})
	}
}

// tell lets one event happen and returns the answer in a story's words.
func tell(t *testing.T, s *session.Session, event []string) string {
	t.Helper()
	switch event[0] {
	case "client":
		f, tell, why := s.FromClient(message(t, event[1], event[2]))
		switch {
		case why != nil:
			return fmt.Sprintf("close %d %s", why.Code, why.Reason)
		case tell.Kind != 0:
			return strings.TrimPrefix(frames(f)+" "+spell([]dialect.Message{tell}), "nothing ")
		default:
			return frames(f)
		}
	case "room":
		messages, why := s.FromRoom(roomFrame(t, event[1:]), nil)
		if why != nil {
			return fmt.Sprintf("close %d %s", why.Code, why.Reason)
		}
		return spell(messages)
	case "resume":
		return spell(s.Resumed([]byte(event[1]), len(event) > 2, nil))
	case "grant":
		g := writes
		if event[1] == "read" {
			g = reads
		}
		f, told := s.Regrant(g, nil)
		return frames(f) + " " + spell(told)
	case "return":
		return frames(s.Return(writes, nil)...)
	case "rejoin":
		return frames(s.Rejoin(nil)...)
	default:
		t.Fatalf("unknown event %q", event)
		return ""
	}
}

var kinds = map[string]dialect.Kind{
	"step1": dialect.Step1, "step2": dialect.Step2, "update": dialect.Update,
	"awareness": dialect.Awareness, "query": dialect.QueryAwareness, "denied": dialect.Denied,
	"stateless": dialect.Stateless, "data": dialect.Data, "id": dialect.ID, "barrier": dialect.Barrier,
	"cross": dialect.Cross, "readonly": dialect.ReadOnly, "readwrite": dialect.ReadWrite, "illegal": dialect.Illegal,
}

func message(t *testing.T, kind, body string) dialect.Message {
	t.Helper()
	k, ok := kinds[kind]
	if !ok {
		t.Fatalf("unknown message %q", kind)
	}
	if body == "00" {
		body = "\x00\x00"
	}
	return dialect.Message{Kind: k, Body: []byte(body)}
}

func roomFrame(t *testing.T, words []string) *roomsv1.RoomFrame {
	t.Helper()
	refusal := func(name string) roomsv1.Refusal {
		n, ok := roomsv1.Refusal_value["REFUSAL_"+name]
		if !ok {
			t.Fatalf("unknown refusal %q", name)
		}
		return roomsv1.Refusal(n)
	}
	ticket := func(s string) (n uint64) {
		if _, err := fmt.Sscan(s, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	switch words[0] {
	case "reply":
		return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_SyncReply{SyncReply: &roomsv1.SyncReply{
			Update: []byte(words[1]), StateVector: []byte(words[2]),
		}}}
	case "broadcast":
		return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Broadcast{Broadcast: &roomsv1.Broadcast{Seq: 1, Update: []byte(words[1])}}}
	case "awareness":
		return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Awareness{Awareness: []byte(words[1])}}
	case "awareness-alone":
		return &roomsv1.RoomFrame{Session: 1, Body: &roomsv1.RoomFrame_Awareness{Awareness: []byte(words[1])}}
	case "result":
		return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Result{Result: &roomsv1.UpdateResult{Ticket: ticket(words[1])}}}
	case "refuse":
		return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Result{Result: &roomsv1.UpdateResult{
			Ticket: ticket(words[1]), Refusal: refusal(words[2]), Message: words[3],
		}}}
	case "ended":
		return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Ended{Ended: &roomsv1.Ended{Refusal: refusal(words[1]), Message: words[2]}}}
	case "relayed":
		data, err := strconv.Unquote(words[1])
		if err != nil {
			t.Fatal(err)
		}
		return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Relayed{Relayed: &roomsv1.Relayed{Data: []byte(data)}}}
	case "may":
		level := roomsv1.Level(roomsv1.Level_value["LEVEL_"+words[1]])
		return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Access{Access: &roomsv1.Access{Level: level, Presence: len(words) == 2}}}
	case "attached":
		return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Attached{Attached: &roomsv1.Attached{}}}
	default:
		t.Fatalf("unknown frame %q", words)
		return nil
	}
}

// spell writes messages in a story's words.
func spell(messages []dialect.Message) string {
	var words []string
	for _, m := range messages {
		words = append(words, fmt.Sprintf("%s(%s)", m.Kind, m.Body))
	}
	if words == nil {
		return "nothing"
	}
	return strings.Join(words, " ")
}

// frames writes frames in a story's words.
func frames(list ...session.Frame) string {
	var words []string
	for _, f := range list {
		body := string(f.Bytes)
		if body == "\x00\x00" {
			body = "00"
		}
		word := ""
		switch f.Kind {
		case session.Join:
			word = "join"
		case session.Step1:
			word = "step1(" + body + ")"
		case session.Step2:
			word = "step2(" + body + ")"
		case session.Update:
			word = "update(" + body + ")"
		case session.Awareness:
			word = "awareness(" + body + ")"
		case session.QueryAwareness:
			word = "query"
		case session.Regrant:
			word = "grants"
		case session.Relay:
			word = fmt.Sprintf("relay(%q)", string(f.Head)+body)
		}
		if f.Ticket != 0 {
			word += fmt.Sprintf(" ticket %d", f.Ticket)
		}
		if f.Grants != nil && f.Grants.Level == roomsv1.Level_LEVEL_READ {
			word += " read-only"
		}
		if word != "" {
			words = append(words, word)
		}
	}
	if words == nil {
		return "nothing"
	}
	return strings.Join(words, " ")
}

func TestRelaySession(t *testing.T) {
	s := session.New(session.Config{Kind: roomsv1.RoomKind_ROOM_KIND_RELAY})
	if !s.Relays() {
		t.Error("doesn't relay")
	}
	if f := s.RawFrame([]byte("any")); f.Kind != session.Relay || string(f.Bytes) != "any" {
		t.Errorf("%v", f)
	}
	messages, why := s.FromRoom(&roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Relayed{Relayed: &roomsv1.Relayed{Data: []byte("x")}}}, nil)
	if why != nil || !slices.EqualFunc(messages, []dialect.Message{{Kind: dialect.Raw, Body: []byte("x")}},
		func(a, b dialect.Message) bool { return a.Kind == b.Kind && string(a.Body) == string(b.Body) }) {
		t.Errorf("%v, %v", messages, why)
	}
	if m := s.Resumed([]byte("V"), true, nil); len(m) != 0 {
		t.Errorf("a relay asks %v", m)
	}
}

// The pure core costs nothing on the keystroke path.
func TestKeystrokeAllocatesNothing(t *testing.T) {
	s := session.New(durable)
	up := dialect.Message{Kind: dialect.Update, Body: []byte("update")}
	down := &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Broadcast{Broadcast: &roomsv1.Broadcast{Seq: 1, Update: []byte("update")}}}
	out := make([]dialect.Message, 0, 2)
	if n := testing.AllocsPerRun(100, func() {
		_, _, _ = s.FromClient(up)
		_, _ = s.FromRoom(down, out)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What waits for an answer is bounded.
func TestBarriersAndAsidesAreBounded(t *testing.T) {
	s := session.New(durable)
	for range 1000 {
		if _, _, why := s.FromClient(dialect.Message{Kind: dialect.Barrier, Body: []byte("x")}); why != nil {
			t.Fatal(why)
		}
	}
	if _, _, why := s.FromClient(dialect.Message{Kind: dialect.Barrier}); why == nil || why.Code != session.CloseLater {
		t.Errorf("%v after 1000 barriers", why)
	}
	s = session.New(durable)
	if _, _, why := s.FromClient(dialect.Message{Kind: dialect.Barrier, Body: make([]byte, 64<<10+1)}); why == nil {
		t.Error("a barrier of 64 KiB and a byte is kept")
	}
	for kind, most := range map[dialect.Kind]int{dialect.Stateless: 1 << 20, dialect.Data: 1 << 20, dialect.ID: 250} {
		if _, _, why := s.FromClient(dialect.Message{Kind: kind, Body: make([]byte, most)}); why != nil {
			t.Errorf("%v of %d bytes: %v", kind, most, why)
		}
		if _, _, why := s.FromClient(dialect.Message{Kind: kind, Body: make([]byte, most+1)}); why == nil || why.Code != session.CloseTooLarge {
			t.Errorf("%v of %d bytes: %v", kind, most+1, why)
		}
	}
}
