package revocations

import roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"

// maxNoted is how many changes a Watch keeps that aren't taken: then it is shorter
// to say all.
const maxNoted = 1000

// Watch is how somebody hears of what is revoked: first of all, then of changes.
type Watch struct {
	// C holds a token when Take has something.
	C    chan struct{}
	list *List

	// guarded by list.mu
	all     bool
	changes []*roomsv1.Revocations
}

// Watch returns a Watch. Close it.
func (l *List) Watch() *Watch {
	w := &Watch{C: make(chan struct{}, 1), list: l, all: true}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers[w] = struct{}{}
	return w
}

// Close ends the Watch.
func (w *Watch) Close() {
	w.list.mu.Lock()
	defer w.list.mu.Unlock()
	delete(w.list.watchers, w)
}

// noteLocked keeps a change until it is taken. The caller holds list.mu.
func (w *Watch) noteLocked(c *roomsv1.Revocations) {
	w.changes = append(w.changes, c)
	if c.GetAll() || len(w.changes) > maxNoted {
		w.all, w.changes = true, nil
	}
	select {
	case w.C <- struct{}{}:
	default:
	}
}

// Take returns what has changed since it was last called, nil if nothing has. The
// first time it returns all, even if that is nothing.
func (w *Watch) Take() *roomsv1.Revocations {
	w.list.mu.Lock()
	defer w.list.mu.Unlock()
	if w.all {
		w.all, w.changes = false, nil
		return w.list.table.all()
	}
	changes := w.changes
	w.changes = nil
	if len(changes) == 0 {
		return nil
	}
	if len(changes) == 1 {
		return changes[0]
	}
	// The last word about a key counts.
	gone, kept := make(table), make(table)
	for _, c := range changes {
		for _, r := range c.GetRestored() {
			delete(kept, keyOf(r))
			gone[keyOf(r)] = r
		}
		for _, r := range c.GetRevoked() {
			delete(gone, keyOf(r))
			kept[keyOf(r)] = r
		}
	}
	return &roomsv1.Revocations{Revoked: kept.all().GetRevoked(), Restored: gone.all().GetRevoked()}
}
