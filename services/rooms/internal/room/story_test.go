package room_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/awareness"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

func itoa(n int) string { return strconv.Itoa(n) }

// story plays a transcript's lines to a room. Attachments are called A, B, …
// and a session A/1. An update is written 7:0"text": client 7 inserts at its
// clock 0, behind what it wrote before; 7:0-2 deletes two characters from there.
type story struct {
	t    *testing.T
	room *room.Room
	now  time.Time
	// labels finds an update's spelling from its bytes.
	labels map[string]string
	// revoked are subjects, or what is left of their grants.
	revoked map[string]bool
	// compacted is the document of the last snapshot, or of the last copy.
	compacted *yjs.Document
}

func newStory(t *testing.T) *story {
	return &story{t: t, now: time.Unix(0, 0), labels: make(map[string]string)}
}

// play takes one line, several events of which "+" joins into one step.
func (s *story) play(line string) []string {
	s.t.Helper()
	words := strings.Fields(line)
	switch words[0] {
	case "room":
		return s.open(words[1:])
	case "wait":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			s.t.Fatalf("%q: %v", line, err)
		}
		s.now = s.now.Add(d)
		return s.step(room.Event{Kind: room.Tick})
	case "idle?":
		return []string{fmt.Sprintf("%t", s.room.Idle())}
	case "size?":
		return []string{fmt.Sprintf("%d bytes", s.room.Status().DocumentBytes)}
	case "again": // as the loop does when it is asked to
		if !s.room.Asked() {
			return []string{"nobody asks"}
		}
		return s.step()
	}
	var events []room.Event
	for part := range strings.SplitSeq(line, " + ") {
		events = append(events, s.event(part))
	}
	return s.step(events...)
}

func (s *story) open(words []string) []string {
	kind, err := room.ParseKind(words[0])
	if err != nil {
		s.t.Fatal(err)
	}
	config := room.Config{
		Kind: kind, MaxUnsavedBytes: 72, MaxUpdateBytes: 100, MaxDocumentBytes: 150, MaxPresent: 4, MaxPresentOfOne: 2, MaxStateBytes: 40,
		MaxHeldBytes: 10_000, MaxPendingBytes: 1000, MaxSessions: 100, MaxAnswerBytes: 1000, SnapshotRecords: 1000, SnapshotBytes: 1000, MaxCollectBytes: 1 << 20,
	}
	for _, word := range words[1:] {
		name, n, _ := strings.Cut(word, "=")
		switch name {
		case "snapshot-records":
			config.SnapshotRecords = s.number(n)
		case "keep-deleted":
			config.KeepDeleted = true
		case "held":
			config.MaxHeldBytes = s.number(n)
		case "pending":
			config.MaxPendingBytes = s.number(n)
		case "sessions":
			config.MaxSessions = s.number(n)
		case "answers":
			config.MaxAnswerBytes = s.number(n)
		default:
			s.t.Fatalf("unknown option %q", word)
		}
	}
	s.revoked = make(map[string]bool)
	config.Judge = s.judge
	s.room = room.New(config)
	return nil
}

func (s *story) number(word string) int {
	s.t.Helper()
	n, err := strconv.Atoi(word)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *story) event(line string) room.Event {
	s.t.Helper()
	words := strings.Fields(line)
	if strings.Contains(words[0], "/") {
		return s.sessionEvent(words)
	}
	switch words[0] {
	case "loaded":
		load := &room.Load{Document: yjs.NewDocument(), Epoch: 1}
		for _, word := range words[1:] {
			load.Seq++
			if err := load.Document.ApplyUpdate(s.update(word)); err != nil {
				s.t.Fatal(err)
			}
		}
		return room.Event{Kind: room.Loaded, Load: load}
	case "load-failed":
		return room.Event{Kind: room.LoadFailed, Err: errors.New(strings.Join(words[1:], " "))}
	case "stored":
		return room.Event{Kind: room.Stored, Seq: uint64(s.number(words[1]))}
	case "fenced":
		return room.Event{Kind: room.Fenced, Err: errors.New("epoch 1 is stale")}
	case "compacted":
		return room.Event{Kind: room.Compacted, Document: s.compacted}
	case "compaction-failed":
		return room.Event{Kind: room.Compacted}
	case "snapshot-stored":
		return room.Event{Kind: room.SnapshotStored}
	case "snapshot-failed":
		return room.Event{Kind: room.SnapshotFailed}
	case "drain":
		return room.Event{Kind: room.Drain}
	case "revoke", "restore":
		s.revoked[words[1]] = words[0] == "revoke"
		return room.Event{Kind: room.Reconsider}
	}
	e := room.Event{Session: room.SessionID{Attachment: room.AttachmentID(words[0][0])}}
	switch words[1] {
	case "attaches":
		e.Kind = room.Attach
		if len(words) > 2 {
			seq := uint64(s.number(words[3]))
			e.Resume = &seq
		}
		e.Crowded = words[len(words)-1] == "crowded"
	case "detaches":
		e.Kind = room.Detach
	case "crowded":
		e.Kind = room.Crowded
	case "relieved":
		e.Kind = room.Relieved
	default:
		s.t.Fatalf("unknown line %q", line)
	}
	return e
}

func (s *story) sessionEvent(words []string) room.Event {
	s.t.Helper()
	e := room.Event{Session: room.SessionID{
		Attachment: room.AttachmentID(words[0][0]),
		Number:     uint64(s.number(words[0][2:])),
	}}
	rest := strings.Join(words[2:], " ")
	switch words[1] {
	case "joins":
		e.Kind, e.Grants = room.Join, s.grants(words[2:])
	case "is-granted":
		e.Kind, e.Grants = room.Regrant, s.grants(words[2:])
	case "leaves":
		e.Kind = room.Leave
	case "step1":
		e.Kind, e.Data = room.Step1, s.stateVector(words[2:])
	case "update", "step2":
		e.Kind, e.Step2 = room.Update, words[1] == "step2"
		e.Data = s.update(words[2])
		if len(words) > 3 {
			e.Ticket = uint64(s.number(strings.TrimPrefix(words[3], "ticket=")))
		}
	case "shows":
		e.Kind, e.Data = room.Awareness, s.presence(words[2:])
	case "asks-who":
		e.Kind = room.QueryAwareness
	case "relays":
		e.Kind, e.Data = room.RelayData, []byte(rest)
	default:
		s.t.Fatalf("unknown line %q", words)
	}
	return e
}

// writer may do what most sessions may.
var writer = &room.Grants{Level: room.Write, Presence: true, Create: true}

// grants reads what somebody may do: write, show themselves and make rooms, but
// for what the words say.
func (s *story) grants(words []string) *room.Grants {
	s.t.Helper()
	g := *writer
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "read-only":
			g.Level, g.Create = room.Read, false
		case "reader":
			g.Level = room.Read
		case "nothing":
			g.Level = room.Nothing
		case "unseen":
			g.Presence = false
		case "no-create":
			g.Create = false
		case "subject":
			g.Subject = value
		default:
			s.t.Fatalf("unknown grant %q", word)
		}
	}
	return &g
}

// judge lets those whose subject was revoked do nothing, and those of whom
// subject/write was revoked read.
func (s *story) judge(g room.Grants) room.Level {
	switch {
	case s.revoked[g.Subject]:
		return room.Nothing
	case s.revoked[g.Subject+"/write"]:
		return room.Read
	default:
		return room.Admin
	}
}

// update builds a v1 update from its spelling; "garbage" is none, "empty" is the one
// without content, and "deep" nests types too deep.
func (s *story) update(word string) []byte {
	s.t.Helper()
	var update []byte
	switch client, rest, ok := strings.Cut(word, ":"); {
	case word == "garbage":
		update = []byte{1, 1, 7}
	case word == "empty":
		update = []byte{0, 0}
	case word == "deep":
		update = deep(yjs.MaxNesting + 1)
	case !ok:
		s.t.Fatalf("unknown update %q", word)
	case strings.Contains(rest, "-"):
		clock, n, _ := strings.Cut(rest, "-")
		update = []byte{0, 1}
		for _, number := range []string{client, "1", clock, n} {
			update = lib0.AppendVarUint(update, uint64(s.number(number)))
		}
	default:
		clock, text, _ := strings.Cut(rest, `"`)
		update = insert(uint64(s.number(client)), uint64(s.number(clock)), strings.TrimSuffix(text, `"`))
	}
	s.labels[string(update)] = word
	return update
}

// insert returns an update that writes text into the root text "t".
func insert(client, clock uint64, text string) []byte {
	u := []byte{1, 1} // one client, one struct
	u = lib0.AppendVarUint(u, client)
	u = lib0.AppendVarUint(u, clock)
	const contentString, hasOrigin = 4, 0x80
	if clock == 0 {
		u = append(u, contentString, 1)
		u = lib0.AppendVarString(u, "t")
	} else {
		u = append(u, contentString|hasOrigin)
		u = lib0.AppendVarUint(u, client)
		u = lib0.AppendVarUint(u, clock-1)
	}
	u = lib0.AppendVarString(u, text)
	return append(u, 0) // no deletes
}

// deep returns an update of client 7 with n arrays in each other.
func deep(n int) []byte {
	const contentType, array = 7, 0
	u := lib0.AppendVarUint([]byte{1}, uint64(n))
	u = append(u, 7, 0)
	for i := range n {
		if u = append(u, contentType); i == 0 {
			u = lib0.AppendVarString(append(u, 1), "a")
		} else {
			u = lib0.AppendVarUint(append(u, 0, 7), uint64(i-1))
		}
		u = append(u, array)
	}
	return append(u, 0) // no deletes
}

// stateVector builds one from 7:2 8:1.
func (s *story) stateVector(words []string) []byte {
	v := lib0.AppendVarUint(nil, uint64(len(words)))
	for _, word := range words {
		if word == "garbage" {
			return []byte{0xff}
		}
		client, clock, _ := strings.Cut(word, ":")
		v = lib0.AppendVarUint(v, uint64(s.number(client)))
		v = lib0.AppendVarUint(v, uint64(s.number(clock)))
	}
	return v
}

// presence builds an awareness update from 7@1{"name":"x"} 8@2null; a "_" is a
// blank.
func (s *story) presence(words []string) []byte {
	if words[0] == "garbage" {
		return []byte{5}
	}
	var entries []awareness.Entry
	for _, word := range words {
		client, rest, _ := strings.Cut(word, "@")
		end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		entries = append(entries, awareness.Entry{
			Client: uint64(s.number(client)),
			Clock:  uint64(s.number(rest[:end])),
			State:  []byte(strings.ReplaceAll(rest[end:], "_", " ")),
		})
	}
	return awareness.Append(nil, entries...)
}

func (s *story) step(events ...room.Event) []string {
	ready := s.room.Step(s.now, events...)
	var done []string
	for _, f := range ready.Frames {
		to := string(rune(f.To))
		if f.Message.GetSession() != 0 {
			to += "/" + strconv.FormatUint(f.Message.GetSession(), 10)
		}
		done = append(done, "→ "+to+" "+s.describe(f.Message))
	}
	if a := ready.Append; a != nil {
		var labels []string
		err := room.ReadRecord(a.Record, func(update []byte) error {
			labels = append(labels, s.label(update))
			return nil
		})
		if err != nil {
			s.t.Errorf("record: %v", err)
		}
		done = append(done, fmt.Sprintf("⇒ storage: append epoch %d seq %d: %s", a.Epoch, a.Seq, strings.Join(labels, " ")))
	}
	if p := ready.Snapshot; p != nil {
		data, compacted, err := p.Encode()
		if err != nil {
			s.t.Fatal(err)
		}
		s.compacted = compacted
		update, err := room.ReadSnapshot(data)
		if err != nil {
			s.t.Errorf("snapshot: %v", err)
		}
		done = append(done, fmt.Sprintf("⇒ storage: snapshot epoch %d up to seq %d: %s, %d bytes", p.Epoch, p.Seq, s.label(update), len(update)))
	}
	if c := ready.Compact; c != nil {
		compacted, err := c.Compacted()
		if err != nil {
			s.t.Fatal(err)
		}
		s.compacted = compacted
		done = append(done, fmt.Sprintf("⇒ compact: %s, %d bytes become %d", s.label(c.State), len(c.State), compacted.Size()))
	}
	return done
}

// label spells an update: as it was written, or by what it leads to.
func (s *story) label(update []byte) string {
	if label, ok := s.labels[string(update)]; ok {
		return label
	}
	d := yjs.NewDocument()
	if err := d.ApplyUpdate(update); err != nil {
		s.t.Errorf("update %x: %v", update, err)
	}
	return "state{" + s.vector(d.StateVector()) + "}"
}

func (s *story) vector(v []byte) string {
	n, rest, err := lib0.VarUint(v)
	var words []string
	for range n {
		var client, clock uint64
		client, rest, _ = lib0.VarUint(rest)
		clock, rest, err = lib0.VarUint(rest)
		words = append(words, fmt.Sprintf("%d:%d", client, clock))
	}
	if err != nil || len(rest) > 0 {
		s.t.Errorf("state vector %x: %v", v, err)
	}
	return strings.Join(words, " ")
}

func (s *story) describe(m *roomsv1.RoomFrame) string {
	switch body := m.Body.(type) {
	case *roomsv1.RoomFrame_Attached:
		a := body.Attached
		if a.GetKind() == roomsv1.RoomKind_ROOM_KIND_RELAY {
			return "attached to a relay room"
		}
		return fmt.Sprintf("attached epoch %d seq %d vector{%s}", a.GetEpoch(), a.GetSeq(), s.vector(a.GetStateVector()))
	case *roomsv1.RoomFrame_Detached:
		return fmt.Sprintf("DETACHED %s: %s", strings.TrimPrefix(body.Detached.GetReason().String(), "DETACH_REASON_"), body.Detached.GetMessage())
	case *roomsv1.RoomFrame_SyncReply:
		r := body.SyncReply
		return fmt.Sprintf("sync reply seq %d: %s vector{%s}", r.GetSeq(), s.label(r.GetUpdate()), s.vector(r.GetStateVector()))
	case *roomsv1.RoomFrame_Broadcast:
		seq := ""
		if n := body.Broadcast.GetSeq(); n != 0 {
			seq = fmt.Sprintf(" seq %d", n)
		}
		return fmt.Sprintf("broadcast%s: %s", seq, s.label(body.Broadcast.GetUpdate()))
	case *roomsv1.RoomFrame_Awareness:
		return "presence: " + s.entries(body.Awareness)
	case *roomsv1.RoomFrame_Access:
		level := strings.ToLower(strings.TrimPrefix(body.Access.GetLevel().String(), "LEVEL_"))
		if !body.Access.GetPresence() {
			level += ", unseen"
		}
		return "may " + level
	case *roomsv1.RoomFrame_Result:
		r := body.Result
		if r.GetRefusal() == roomsv1.Refusal_REFUSAL_UNSPECIFIED {
			return fmt.Sprintf("stored: ticket %d seq %d", r.GetTicket(), r.GetSeq())
		}
		return fmt.Sprintf("REFUSED %s: ticket %d", strings.TrimPrefix(r.GetRefusal().String(), "REFUSAL_"), r.GetTicket())
	case *roomsv1.RoomFrame_Relayed:
		return fmt.Sprintf("relayed from %d: %s", body.Relayed.GetFromSession(), body.Relayed.GetData())
	case *roomsv1.RoomFrame_Ended:
		if why := body.Ended.GetMessage(); body.Ended.GetRefusal() == roomsv1.Refusal_REFUSAL_NO_ACCESS {
			return "ENDED NO_ACCESS: " + why
		}
		return "ENDED " + strings.TrimPrefix(body.Ended.GetRefusal().String(), "REFUSAL_")
	default:
		return fmt.Sprintf("%T", body)
	}
}

func (s *story) entries(update []byte) string {
	entries, err := awareness.Decode(update)
	if err != nil {
		s.t.Errorf("awareness %x: %v", update, err)
	}
	var words []string
	for _, e := range entries {
		words = append(words, fmt.Sprintf("%d@%d%s", e.Client, e.Clock, e.State))
	}
	return strings.Join(words, " ")
}
