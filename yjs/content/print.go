package content

import "fmt"

// What is printed is the JSON of it, so that a log shows no pointers, and no document
// byte by byte.

// String returns the elements as JSON: see AppendJSON.
func (a Array) String() string { return printed(a) }

// String returns the keys with their values as JSON: see AppendJSON.
func (m Map) String() string { return printed(m) }

// String returns the operation as JSON: see AppendJSON.
func (o Op) String() string { return printed(o) }

func printed(value any) string {
	text, err := AppendJSON(nil, value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// String returns the position as JSON: see MarshalJSON.
func (p Position) String() string {
	text, err := p.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// String names the roots and says how many nodes the view has. What is in it, its types
// say.
func (v *View) String() string {
	return fmt.Sprintf("view of %d nodes, with the roots %q", v.Nodes(), v.Roots())
}
