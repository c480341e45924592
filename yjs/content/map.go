package content

// Map is a Y.Map.
type Map struct{ Shared }

// Get returns the value of a key.
func (m Map) Get(key string) (value any, ok bool) { return m.entry(key) }

// Values returns all keys with their values, nested types as handles.
func (m Map) Values() map[string]any { return m.entries() }

// Keys returns the keys that have a value, in ascending order.
func (m Map) Keys() []string {
	keys := []string{}
	for _, k := range m.keysNow() {
		keys = append(keys, k.key)
	}
	return keys
}

// Len returns the number of keys that have a value.
func (m Map) Len() int {
	n := 0
	for range m.listsNow() {
		n++
	}
	return n
}

// JSON returns all keys with their values, nested types as their own JSON: see
// Array.JSON.
func (m Map) JSON() map[string]any {
	all := own(m.entries())
	for key := range all {
		all[key] = toJSON(all[key])
	}
	return all
}
