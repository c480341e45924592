package difftest

// wireMutants are bugs in what travels beside updates: values, and who is there.
var wireMutants = []mutant{
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
