// Package rescue keeps a panic to those it concerns: a goroutine that serves one
// socket or one link catches it, and ends that one instead of the process.
//
//	defer func() { rescuer.Caught("socket", recover(), end) }()
//
// What can't be caught stays fatal: a stack that overflows, a map that is written
// twice at a time, a bad page. A panic means that we are wrong, so each is counted,
// and logged with its stack.
package rescue

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// ErrPanic is what a caught panic is to those who want an error.
var ErrPanic = errors.New("internal error")

// Rescuer counts and logs panics. A nil Rescuer catches them too, in silence.
type Rescuer struct {
	log    *slog.Logger
	caught *prometheus.CounterVec
}

// New makes a Rescuer with the counter called name, labelled with where panics may
// be caught, and registers it if reg isn't nil.
func New(log *slog.Logger, reg prometheus.Registerer, name string, where ...string) (*Rescuer, error) {
	r := &Rescuer{log: log, caught: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: name, Help: "Panics that ended what they concern, and not the process: any is a defect.",
	}, []string{"where"})}
	for _, w := range where {
		r.caught.WithLabelValues(w)
	}
	if reg == nil {
		return r, nil
	}
	return r, reg.Register(r.caught)
}

// Caught takes what recover returned. If that was a panic, it is counted and
// logged, and then is called unless it is nil.
func (r *Rescuer) Caught(where string, panicked any, then func()) {
	if panicked == nil {
		return
	}
	if r != nil {
		r.caught.WithLabelValues(where).Inc()
		r.log.Error("panic: this is a defect, please report it", "where", where, "panic", fmt.Sprint(panicked), "stack", string(debug.Stack()))
	}
	if then != nil {
		then()
	}
}
