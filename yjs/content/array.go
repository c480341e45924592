package content

// Array is a Y.Array.
type Array struct{ Shared }

// Values returns all elements, nested types as handles.
func (a Array) Values() []any { return a.elements() }

// Get returns the element at an index. It takes time linear in the nodes before it.
func (a Array) Get(index int) (value any, ok bool) { return a.element(index) }

// JSON returns all elements, nested types as their own JSON: arrays as []any, maps
// as map[string]any, texts and XML as strings.
func (a Array) JSON() []any {
	all := a.elements()
	for i := range all {
		all[i] = toJSON(all[i])
	}
	return all
}
