package content

import "reflect"

// changeWriter writes a delta of what has changed. Its current formats are those of
// now; before are those of then.
type changeWriter struct {
	deltaWriter
	before deltaWriter
	values []any
}

// change meets a mark that was or is there.
func (w *changeWriter) change(key string, value any, was, is bool) {
	if was {
		w.before.mark(key, value)
	}
	if is {
		w.flush()
		w.mark(key, value)
	}
}

// changed returns the formats that hold now and held otherwise then.
func (w *changeWriter) changed() map[string]any {
	var changed map[string]any
	set := func(key string, value any) {
		if changed == nil {
			changed = map[string]any{}
		}
		changed[key] = value
	}
	for key, value := range w.attributes() {
		if old, ok := w.before.current[key]; !ok || !reflect.DeepEqual(old, value) {
			set(key, value)
		}
	}
	for key := range w.before.attributes() {
		if _, ok := w.current[key]; !ok {
			set(key, nil)
		}
	}
	return changed
}

// skip appends a retain or a delete, or makes the last one longer.
func (w *changeWriter) skip(op Op) {
	w.close()
	if n := len(w.ops); n > 0 {
		last := &w.ops[n-1]
		if last.Retain+last.Delete > 0 && (last.Retain > 0) == (op.Retain > 0) && reflect.DeepEqual(last.Attributes, op.Attributes) {
			last.Retain += op.Retain
			last.Delete += op.Delete
			return
		}
	}
	w.ops = append(w.ops, op)
}

func (w *changeWriter) insert(values []any) { w.values = append(w.values, values...) }

// close ends an insert.
func (w *changeWriter) close() {
	w.flush()
	if w.values != nil {
		w.ops = append(w.ops, Op{Insert: w.values})
		w.values = nil
	}
}

// end returns the delta without what it retains at the end.
func (w *changeWriter) end() []Op {
	w.close()
	for n := len(w.ops); n > 0 && w.ops[n-1].Retain > 0 && w.ops[n-1].Attributes == nil; n-- {
		w.ops = w.ops[:n-1]
	}
	return w.ops
}
