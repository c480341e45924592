package content_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/difftest"
)

// scene is clients that work on a document, here and in yjs at once. What each does
// must lead to the same updates, and what it hears to the same events.
type scene struct {
	*testing.T
	oracle  *difftest.Oracle
	clients map[uint64]*client
	order   []uint64
	sent    [][]byte // all updates so far
	gc      bool     // yjs drops deleted content
	undoes  map[uint64]bool
}

type client struct {
	doc  *yjs.Document
	view *content.View
}

// begin opens documents for some clients.
func begun(t *testing.T, o *difftest.Oracle, gc bool, ids ...uint64) *scene {
	t.Helper()
	s := &scene{T: t, oracle: o, clients: map[uint64]*client{}, order: ids, gc: gc, undoes: map[uint64]bool{}}
	for _, id := range ids {
		s.clients[id] = &client{yjs.NewDocument(), empty(t)}
	}
	s.ask("begin", map[string]any{"clients": ids, "roots": natural, "gc": gc}, &struct{}{})
	return s
}

func (s *scene) ask(step string, request map[string]any, answer any) {
	s.Helper()
	request["op"], request["step"] = "scene", step
	var why string
	s.oracle.Ask(s, request, &answerOf{&why, answer})
	if why != "" {
		s.Fatalf("yjs: %s", why)
	}
}

// act lets a client make changes in one transaction.
func (s *scene) act(id uint64, actions ...action) {
	s.Helper()
	c := s.clients[id]
	e, err := c.view.Edit(id)
	if err != nil {
		s.Fatal(err)
	}
	for i, a := range actions {
		if _, ok := a["path"]; !ok {
			a["path"] = []any{}
		}
		if err := perform(e, find(s.T, c.view, a), a); err != nil {
			s.Fatalf("client %d, action %d: %v", id, i, err)
		}
	}
	s.made(id, actions, e.Commit())
}

// made compares the update that a client's actions have made.
func (s *scene) made(id uint64, actions []action, update []byte) {
	s.Helper()
	var answer struct{ Update []byte }
	s.ask("act", map[string]any{"client": id, "actions": actions}, &answer)
	// What is gone before it is sent isn't in our updates; yjs drops it unless told
	// to keep everything, or what undo may bring back.
	if s.gc && !s.undoes[id] && !bytes.Equal(update, answer.Update) {
		s.Errorf("client %d: %v\n makes %x\nin yjs %x", id, actions, update, answer.Update)
	}
	s.take(id, update)
}

// improvise is act with up to n changes that r thinks of.
func (s *scene) improvise(r *editor, id uint64, n int) {
	s.Helper()
	c := s.clients[id]
	e, err := c.view.Edit(id)
	if err != nil {
		s.Fatal(err)
	}
	r.view, r.edit = c.view, e
	actions := []action{}
	for range n {
		a, err := r.act()
		if err != nil {
			s.Fatalf("client %d: %v: %v", id, a, err)
		}
		if a != nil {
			actions = append(actions, a)
		}
	}
	s.made(id, actions, e.Commit())
}

// does lets yjs do what this module can't, and the client here follow.
func (s *scene) does(id uint64, what string, on action) {
	s.Helper()
	s.undoes[id] = s.undoes[id] || what == "watch"
	var answer struct{ Update []byte }
	s.ask("does", map[string]any{"client": id, "what": what, "on": on}, &answer)
	s.take(id, answer.Update)
}

func (s *scene) take(id uint64, update []byte) {
	s.Helper()
	c := s.clients[id]
	if err := c.doc.ApplyUpdate(update); err != nil {
		s.Fatal(err)
	}
	c.read(s.T)
	s.sent = append(s.sent, update)
}

func (c *client) read(t *testing.T) {
	t.Helper()
	var err error
	if c.view, err = content.Of(c.doc); err != nil {
		t.Fatal(err)
	}
}

// send brings a client what another one has and it lacks.
func (s *scene) send(from, to uint64) {
	s.Helper()
	diff, err := s.clients[from].doc.EncodeStateAsUpdate(s.clients[to].doc.StateVector())
	if err != nil {
		s.Fatal(err)
	}
	s.deliver(to, diff)
}

// deliver gives a client an update, and compares what it is told to have changed.
func (s *scene) deliver(to uint64, update []byte) {
	s.Helper()
	c := s.clients[to]
	then := c.view.Snapshot()
	if err := c.doc.ApplyUpdate(update); err != nil {
		s.Fatal(err)
	}
	c.read(s.T)
	var answer struct {
		Events []struct {
			At, Says string
			Text     bool
		}
	}
	s.ask("deliver", map[string]any{"client": to, "update": update}, &answer)
	ours := map[string]string{}
	for _, change := range c.view.Changed(then) {
		at, says := told(c.view, change, then)
		ours[at] = says
	}
	for _, e := range answer.Events {
		says, ok := ours[e.At]
		if !e.Text && says != e.Says && (ok || e.Says != " ") {
			s.Errorf("client %d is told of %s: %q (%v), yjs: %q", to, e.At, says, ok, e.Says)
		}
		delete(ours, e.At)
	}
	if len(ours) > 0 {
		s.Errorf("client %d is told of %v, yjs tells nothing", to, ours)
	}
}

// sync lets all clients know what all others know, and compares what they have.
func (s *scene) sync() {
	s.Helper()
	for range 2 {
		for _, from := range s.order {
			for _, to := range s.order {
				if from != to {
					s.send(from, to)
				}
			}
		}
	}
	var first []string
	for _, id := range s.order {
		views := s.look(id)
		if first == nil {
			first = views
		}
		if !slices.Equal(views, first) {
			s.Errorf("client %d reads %v\nclient %d %v", s.order[0], first, id, views)
		}
	}
}

// look compares what a client reads.
func (s *scene) look(id uint64) (views []string) {
	s.Helper()
	c := s.clients[id]
	var answer struct {
		Views                   []string
		Snapshot, Vector, State []byte
	}
	s.ask("look", map[string]any{"client": id}, &answer)
	for i, r := range natural {
		views = append(views, look(c.view, r))
		if !difftest.Agree(views[i], answer.Views[i]) {
			s.Errorf("client %d reads %s as\n %s\nyjs\n %s", id, r[0], views[i], answer.Views[i])
		}
	}
	if got := c.view.Snapshot().Append(nil); !bytes.Equal(got, answer.Snapshot) {
		s.Errorf("client %d: snapshot %x, yjs %x", id, got, answer.Snapshot)
	}
	if got := c.doc.StateVector(); !bytes.Equal(got, answer.Vector) {
		s.Errorf("client %d: vector %x, yjs %x", id, got, answer.Vector)
	}
	// The state of yjs must be nothing new here, and what is derived from it the same.
	there, err := content.Read(answer.State)
	if err != nil {
		s.Fatal(err)
	}
	for i, r := range natural {
		if got := look(there, r); got != views[i] {
			s.Errorf("client %d: %s from yjs' state\n %s\nwant\n %s", id, r[0], got, views[i])
		}
	}
	return views
}

// past compares a document as it was. Yjs refuses to look back if it collects
// garbage.
func (s *scene) past(id uint64, at content.Snapshot) {
	s.Helper()
	if s.gc {
		return
	}
	state, err := s.clients[id].doc.EncodeStateAsUpdate(nil)
	if err != nil {
		s.Fatal(err)
	}
	v, err := content.ReadAt(state, at)
	if err != nil {
		s.Fatal(err)
	}
	var answer struct{ Views []string }
	s.ask("past", map[string]any{"client": id, "snapshot": at.Append(nil)}, &answer)
	for i, r := range natural {
		if got := look(v, r); !difftest.Agree(got, answer.Views[i]) {
			s.Errorf("%s was\n %s\nyjs\n %s", r[0], got, answer.Views[i])
		}
	}
}

// contains compares which updates a snapshot has.
func (s *scene) contains(at content.Snapshot) {
	s.Helper()
	var answer struct{ Contained []bool }
	s.ask("contain", map[string]any{"snapshot": at.Append(nil), "updates": append([][]byte{}, s.sent...)}, &answer)
	for i, want := range answer.Contained {
		if got, err := at.Contains(s.sent[i]); got != want || err != nil {
			s.Errorf("snapshot %x has %x: %v, %v, yjs %v", at.Append(nil), s.sent[i], got, err, want)
		}
	}
	read, err := content.ParseSnapshot(at.Append(nil))
	if err != nil || !read.Equal(at) {
		s.Errorf("%v came back as %v, %v", at, read, err)
	}
}

// position compares a place as a position.
func (s *scene) position(id uint64, on action, index, assoc int) content.Position {
	s.Helper()
	on["path"] = []any{}
	h := find(s.T, s.clients[id].view, on).(interface {
		Position(index, assoc int) (content.Position, error)
	})
	p, err := h.Position(index, assoc)
	if err != nil {
		s.Fatal(err)
	}
	if q, err := content.ParsePosition(p.Append(nil)); err != nil || !q.Equal(p) || q.Equal(content.Position{Assoc: assoc}) {
		s.Errorf("%v came back as %v, %v", p, q, err)
	}
	var answer struct{ Position []byte }
	s.ask("position", map[string]any{"client": id, "on": on, "index": index, "assoc": assoc}, &answer)
	if got := p.Append(nil); !bytes.Equal(got, answer.Position) {
		s.Errorf("%d as a position is %x, yjs %x", index, got, answer.Position)
	}
	return p
}

// at compares where a position is.
func (s *scene) at(id uint64, p content.Position, want int) {
	s.Helper()
	got := -1
	if place, ok := s.clients[id].view.Resolve(p); ok {
		got = place.Index
	}
	var answer struct{ Index int }
	s.ask("resolve", map[string]any{"client": id, "position": p.Append(nil)}, &answer)
	if got != answer.Index || got != want {
		s.Errorf("position %x is at %d, yjs %d, want %d", p.Append(nil), got, answer.Index, want)
	}
}

// told is what scene.mjs makes of an event.
func told(v *content.View, c content.Changed, then content.Snapshot) (at, says string) {
	shared := c.Type
	if shared == nil {
		i := slices.IndexFunc(natural, func(r root) bool { return r[0] == c.Root })
		shared = natural[i].handle(v)
	}
	delta, keys := since(shared, then)
	ops := []string{}
	for _, op := range delta {
		switch {
		case op.Retain > 0:
			ops = append(ops, strconv.Itoa(op.Retain))
		case op.Delete > 0:
			ops = append(ops, "-"+strconv.Itoa(op.Delete))
		default:
			ops = append(ops, difftest.Canonical(op.Insert))
		}
	}
	changes := []string{}
	for key, change := range keys {
		old := difftest.Canonical(change.Old)
		if _, isType := change.Old.(interface{ Len() int }); isType {
			old = "type"
		}
		changes = append(changes, difftest.Quote(key)+string(change.Action)+old)
	}
	slices.Sort(changes)
	path := []any{}
	for _, step := range c.Path {
		if index, ok := step.(int); ok {
			step = float64(index)
		}
		path = append(path, step)
	}
	return c.Root + " " + difftest.Canonical(path), strings.Join(ops, ",") + " " + strings.Join(changes, ",")
}

// answerOf reads an answer that may be an error instead.
type answerOf struct {
	why    *string
	answer any
}

func (a *answerOf) UnmarshalJSON(src []byte) error {
	var failed struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(src, &failed); err != nil {
		return err
	}
	*a.why = failed.Error
	return json.Unmarshal(src, a.answer)
}
