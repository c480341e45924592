//go:build mutants

package difftest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutant is a bug: in a file of this module, old replaced by new. tests names the
// tests that must see it.
type mutant struct{ name, file, old, new, tests string }

// The packages whose tests hold the engine against yjs.
const (
	tier1 = "internal/difftest"
	tier2 = "content"
	// long holds a keystroke against the same update taken apart, and kept deletes
	// against what encoding them anew gives.
	long = "."
	// presence is held against y-protocols.
	presence = "awareness"
)

// mutants are bugs that a replica could have, most of which somebody's had.
var mutants = []mutant{
	{"slice's origin one too low", "slice.go", "ID{client, from - 1}", "ID{client, from - 2}", tier1},
	{"slice loses the right origin", "slice.go", "\tif info&flagRight != 0 {\n\t\tdst = appendID(dst, b.right)", "\tif info&flagRight != 0 {\n\t\tdst = appendID(dst, ID{b.right.Client, b.right.Clock + 1})", tier1},
	{"list slice off by one", "slice.go", "end = r.skipValues(b.kind(), to-from)", "end = r.skipValues(b.kind(), to-from-1)", tier1},
	{"cut pair kept whole", "slice.go", "\t\tpart.before = replacement\n\t\tbegin += 4\n", "\t\tpart.before = \"\"\n", tier1},
	{"join ignores the right origin", "run.go", "b.info&flagRight != 0 && b.right != last.right", "false", tier1},
	{"join ignores the origin", "run.go", "b.info&flagOrigin != 0 && b.origin == ID{id.Client, id.Clock - 1}", "true", tier1},
	{"length prefix not moved", "run.go", "\tcopy(r.buf[at+width:]", "\tcopy(r.buf[at+have:]", tier1},
	{"vector counts gaps", "vector.go", "dst = lib0.AppendVarUint(dst, uint64(c.main.end))", "dst = lib0.AppendVarUint(dst, c.end())", tier1},
	{"no Skip for a gap", "encode.go", "\t\t\tdst = append(dst, kindSkip)\n\t\t\tdst = lib0.AppendVarUint(dst, uint64(p.start)-at)\n", "", tier1},
	{"GC isn't deleted", "client.go", "\tif b.dead() {", "\tif false {", tier1},
	{"GC never replaces", "apply.go", "\tif s.buries {", "\tif false {", tier1},
	{"tail of an overlap lost", "client.go", "\t\tfrom = stop\n\t}\n\tc.close()", "\t\tfrom = to\n\t}\n\tc.close()", tier1},
	{"clients ascending", "document.go", "cmp.Compare(d.clients[b].id, d.clients[a].id)", "cmp.Compare(d.clients[a].id, d.clients[b].id)", tier1},
	{"ranges don't swallow", "deletes.go", "\t\ts.swallow(at)\n", "\t\t_ = at\n", tier1},
	{"Contains forgets deletes", "contains.go", "if !d.containsDeletes(&u) || u.close() != nil {", "if u.close() != nil {", tier1},
	{"copy ignores a hole in the input", "intake.go", "if in.to != b.start || b.loose", "if b.loose", tier1},
	{"own references unchecked", "update.go", "\t\tcase b.refersAhead(u.client):\n\t\t\tu.fail(faultSelf)\n", "", tier1},
	{"UTF-8 unchecked", "reader.go", "if !r.trusted && !utf8.Valid(b) {", "if false && !utf8.Valid(b) {", tier1},
	{"units are code points", "internal/units/units.go", "\t\tif b >= 0xf0 {\n\t\t\tn++\n\t\t}\n", "", tier1},
	{"diff from the next struct", "encode.go", "p.rest = p.first.end\n\tif p.first.clock == clock {", "p.rest = p.first.end\n\tif false {", tier1},
	{"embedded JSON unchecked", "reader.go", "if !r.trusted && r.fault == noFault {", "if false {", tier1},
	{"dead form loses its right origin", "compact.go", "p.other.info = b.info&^kindBits | kindDeleted", "p.other.info = b.info&^(kindBits|flagRight) | kindDeleted", tier1},
	{"compacts one unit too much", "compact.go", "return true, min(limit, uint64(d.end))", "return true, min(limit, uint64(d.end)+1)", tier1},
	{"diff of an update keeps a leading Skip", "merge.go", "b.kind() != kindSkip && b.limit() > wanted {", "b.limit() > wanted {", tier1},
	{"vector of an update over a gap", "merge.go", "if b.kind() != kindSkip && b.clock == prefix {", "if b.kind() != kindSkip {", tier1},
	{"version 2: half rounds to zero", "columns.go", "c.diff = twice >> 1", "c.diff = twice / 2", tier1},
	{"version 2: length of a delete", "v2decode.go", "length := c.rest.uvarint() + 1", "length := c.rest.uvarint()", tier1},
	{"version 2: right clock among the left", "v2encode.go", "w.rightClocks.put(b.right.Clock)", "w.leftClocks.put(b.right.Clock)", tier1},
	{"version 2: lengths in bytes", "columns.go", "w.lengths.put(uint64(units.Count(s)))", "w.lengths.put(uint64(len(s)))", tier1},
	{"version 2: every float has 64 bits", "lib0/anywrite.go", "case float64(float32(f)) == f:", "case false:", tier1},
	{"stale encoded deletes", "deletes.go", "\ts.encoded = nil\n\tif end < d.start", "\tif end < d.start", long},
	{"gap's structs lost", "client.go", "\tfor c.gaps.pop(uint64(c.main.end), &b) {", "\tif c.gaps.pop(uint64(c.main.end), &b) {", tier1},
	{"keystroke ignores the right origin", "keystroke.go", "string(update[at:letters-1]) != string(right)", "false", long},
	{"keystroke ignores the origin", "keystroke.go", "if origin != clock-1 {", "if origin > clock {", long},
	{"keystroke into a gap", "keystroke.go", " || c.gaps != nil", "", long},
	{"keystroke ignores deletes", "keystroke.go", " || update[letters+n] != 0", "", long},
	{"keystroke counts bytes", "keystroke.go", " || !ascii(text)", "", long},
	{"keystroke after another struct", "run.go", "r.tail, r.body = at, 0", "r.tail = at", long},
	{"keystroke deletes beyond the last clock", "keystroke.go", " || from+n > MaxClock", "", long},
	{"right origins say nothing of the place", "nesting.go", "\tcase b.info&flagRight != 0:\n\t\treturn bond{ID: b.right}, true\n", "", long},
	{"types that wait are never too deep", "knot.go", "if k.most += to.types; k.most > MaxNesting {", "if k.most += to.types; false {", long},
	{"a key pressed ties nothing", "keystroke.go", "return !d.nesting.awaits(id) && ", "return ", long},
	{"long walks are forgotten", "walk.go", "at.isType || since == stride", "at.isType", long},
	{"the later of two structs for a unit", "nest.go", "\tif s.disordered {", "\tif false {", long},

	{"lower client stands right", "content/conflict.go", "if b.id(x) < id {", "if b.id(x) > id {", tier1},
	{"followers of a sibling aren't passed", "content/conflict.go", "case b.stamps[o] <= cleared:\n\t\t\tleft, cleared = x, b.tick", "case b.stamps[o] <= cleared:\n\t\t\tleft = x", tier1},
	{"lower client stands right in a ring", "content/siblings.go", "if b.id(s) < id {", "if b.id(s) > id {", tier1},
	{"followers of the last sibling aren't passed", "content/siblings.go", "left, ok = b.lastOn(after)", "left, ok = after, true", tier1},
	{"torn kids are trusted", "content/conflict.go", "\t\tb.seats[parent].kids = torn\n", "", tier2},
	{"a struct's deletes end early", "content/split.go", "clock < d.end; at++", "clock+1 < d.end; at++", tier1},
	{"clocks of long deletes are off by one", "content/ruler.go", "\t\tif !ok {\n\t\t\tat--", "\t\tif ok {\n\t\t\tat--", tier2},
	{"a tangled list ends early", "content/tangle.go", "case beyond.low == origin && beyond.clean != nothing:", "case false:", tier2},
	{"a crossing from the right is overlooked", "content/forest.go", "if left.clean != nothing && f.label(left.clean) > r {", "if false {", tier2},
	{"the second origin is overlooked", "content/forest.go", "left.clean == nothing || f.label(left.clean) > f.label(right.second)", "left.clean == nothing", tier2},
	{"trees aren't built anew", "content/forest.go", "if 100*depth > ", "if 0*depth > ", tier2},
	{"first value of a key", "content/shared.go", "return v.valueAt(n, n.length-1), true", "return v.valueAt(n, 0), true", tier2},
	{"cut pair loses a half", "content/split.go", "\t\tr.flags |= headHalf\n", "", tier2},
	{"formats count", "content/node.go", "return n.kind != kindFormat && n.kind > kindDeleted", "return n.kind > kindDeleted", tier1},
	{"null sets a format", "content/text.go", "\tif value == nil {\n\t\tdelete(d.current, key)\n\t\treturn\n\t}\n", "", tier1},
	{"marks of an edit forget their value", "content/caret.go", "\twhich, ok := v.marks[i]", "\twhich, ok := 0, false", tier2},
	{"restored marks stay", "content/caret.go", "\tc.restore(&negated)\n}\n\n// format gives", "\t_ = negated\n}\n\n// format gives", tier2},
	{"redundant marks stay", "content/tidy.go", "if last[key] != i || held.same(value) {", "if last[key] != i {", tier2},
	{"positions count deleted units", "content/position.go", "\tfor i = v.nodes[i].left; i != none; i = v.nodes[i].left {\n\t\tif v.counts(i) {", "\tfor i = v.nodes[i].left; i != none; i = v.nodes[i].left {\n\t\tif v.nodes[i].countable() {", tier2},
	{"snapshot forgets who has nothing deleted", "content/snapshot.go", "s.Vector[a.id] = uint64(a.end)", "s.Vector[a.id] = uint64(a.end) - 1", tier1},
	{"formats that ended aren't told", "content/changewriter.go", "\t\t\tset(key, nil)\n", "\t\t\t_ = key\n", tier2},
	{"what came and went is told", "content/since.go", "case before == none && gone, before == now && !gone:", "case before == now && !gone:", tier2},
	{"the past ends early", "content/scan.go", "if gap || n.clock >= limit {", "if gap || n.end() > limit {", tier2},

	{"any: integers end a number early", "lib0/anywrite.go", "math.Abs(f) <= math.MaxInt32:", "math.Abs(f) < math.MaxInt32:", tier1},
	{"any: keys that are numbers aren't first", "internal/ecma/keys.go", "\t\tcase isIndex:\n\t\t\treturn -1\n", "\t\tcase isIndex:\n\t\t\treturn 0\n", tier1},
	{"any: -0 reads 0", "lib0/anyread.go", "return math.Copysign(float64(magnitude), -1)", "return -float64(magnitude) + 0", tier1},
	{"JSON keeps properties that are undefined", "content/json.go", "undefined := object[key].(Undefined); undefined {", "undefined := object[key].(Undefined); undefined && false {", tier1},

	{"unknown clients at clock 0 are news", "awareness/states.go", "e.Clock == old.clock && !leaves ||", "ok && e.Clock == old.clock && !leaves ||", presence},
	{"that somebody unknown has left is told", "awareness/states.go", "if ok || !e.Gone() {", "if true {", presence},
	{"null needs a higher clock", "awareness/states.go", "e.Clock == old.clock && !leaves ||", "e.Clock == old.clock ||", presence},
	{"our own client leaves on hearsay", "awareness/states.go", "case leaves && old.own:", "case false:", presence},
	{"removing raises the clock", "awareness/states.go", "\t\tif k.own {\n\t\t\tk.clock = raised", "\t\tif true {\n\t\t\tk.clock = raised", presence},
	{"renewed too late", "awareness/states.go", "return k.heard.Add(Outdated / 2)", "return k.heard.Add(Outdated)", presence},
	{"null with white space is a state", "awareness/awareness.go", "bytes.Trim(e.State, \" \\t\\r\\n\")", "e.State", presence},
}

// TestMutants puts each bug into the engine by itself, and wants the tests to fail.
func TestMutants(t *testing.T) {
	module := filepath.Join(directory(), "..", "..")
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			file := filepath.Join(module, m.file)
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(source), m.old); n != 1 {
				t.Fatalf("%s has the place %d times", m.file, n)
			}
			dir := t.TempDir()
			changed := filepath.Join(dir, "changed.go")
			if err := os.WriteFile(changed, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{file: changed}})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
				t.Fatal(err)
			}
			binary := filepath.Join(dir, "mutant.test")
			build := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, "./"+m.tests)
			build.Dir = module
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			run := exec.CommandContext(t.Context(), binary, "-test.failfast", "-test.timeout=300s")
			run.Dir = filepath.Join(module, m.tests)
			run.Env = append(os.Environ(), "YJS_SEED=1", "YJS_PROGRAMS=3000", "YJS_MUTANTS=6000", "YJS_KEEP=0")
			if out, err := run.CombinedOutput(); err == nil {
				t.Errorf("nothing was seen:\n%s", out)
			}
		})
	}
}
