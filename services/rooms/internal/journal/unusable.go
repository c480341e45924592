package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// One stored update that can't be applied must not close its room for good: the
// update goes into quarantine, and the room goes on without it. But when many
// can't, something else is wrong, and a document that lacks half of its history is
// nobody's last good state.
const maxUnusable = 16

// place names an update in a room's log: the how-manieth of a record, from 1.
type place struct {
	seq   uint64
	index int
}

// unusable are the updates that a load leaves out, and why.
type unusable map[place]failure

type failure struct {
	update []byte
	reason string
}

// errPanicked ends a load whose document may be half changed: the next one leaves
// the update out.
var errPanicked = errors.New("an update made the engine panic")

// errTooMany is why a load with too many unusable updates fails.
var errTooMany = fmt.Errorf("more than %d updates of the room can't be applied", maxUnusable)

// apply loads an update into a document unless it is known to be unusable, and
// notes if it is. A refused update changes nothing, and the load goes on.
func (u unusable) apply(load func([]byte) error, at place, update []byte) (err error) {
	if _, known := u[at]; known {
		return nil
	}
	defer func() {
		if cause := recover(); cause != nil {
			err = errors.Join(errPanicked, u.note(at, update, fmt.Sprintf("panic: %v\n%s", cause, debug.Stack())))
		}
	}()
	if err := load(update); err != nil {
		return u.note(at, update, err.Error())
	}
	return nil
}

func (u unusable) note(at place, update []byte, reason string) error {
	if len(u) >= maxUnusable {
		return errTooMany
	}
	u[at] = failure{update: bytes.Clone(update), reason: reason}
	return nil
}

// around loads again for as long as another update makes it panic.
func (j *Journal) around(name string, load func(unusable) (*room.Load, error)) (*room.Load, error) {
	around := make(unusable)
	for {
		loaded, err := load(around)
		if !errors.Is(err, errPanicked) || errors.Is(err, errTooMany) {
			return loaded, err
		}
		j.log.Error("an update of the room made the engine panic; loading without it", "room", shorten(name), "error", err)
	}
}

// isolate has storage keep the updates that a load left out, before anybody may
// see the document without them.
func (j *Journal) isolate(ctx context.Context, name string, left unusable) error {
	for at, f := range left {
		s := room.Suspect{Seq: at.seq, Update: f.update, Reason: f.reason, Who: j.owner + " while loading"}
		id, err := j.quarantine(ctx, name, s)
		if err != nil {
			return fmt.Errorf("update %d of record %d can't be applied, nor put into quarantine: %w", at.index, at.seq, err)
		}
		j.log.Error("an update of the room can't be applied; it is in quarantine, and the room goes on without it",
			"room", shorten(name), "id", id, "seq", at.seq, "reason", f.reason)
	}
	return nil
}

// shorten keeps a name that a stranger chose from filling the log.
func shorten(name string) string {
	const most = 128
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}
