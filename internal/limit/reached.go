package limit

import "github.com/prometheus/client_golang/prometheus"

// Reached counts how often each limit was reached.
type Reached struct{ counters map[string]prometheus.Counter }

// NewReached makes the counter called name, with a label for each row of a table,
// and registers it if reg isn't nil.
func NewReached[C any](reg prometheus.Registerer, name string, t Table[C]) (*Reached, error) {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: name, Help: "How often a limit was reached, by the name of its flag.",
	}, []string{"limit"})
	r := &Reached{counters: make(map[string]prometheus.Counter, len(t))}
	for _, row := range t {
		r.counters[row.Name] = v.WithLabelValues(row.Name)
	}
	if reg == nil {
		return r, nil
	}
	return r, reg.Register(v)
}

// Hit counts that the limit of that name was reached. It panics if the table has
// no such limit, and does nothing for a nil Reached.
func (r *Reached) Hit(name string) {
	if r == nil {
		return
	}
	c, ok := r.counters[name]
	if !ok {
		panic("no limit is called " + name)
	}
	c.Inc()
}
