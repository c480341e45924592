package revocations

import (
	"context"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

// run learns from storage what is revoked, and what ends by itself.
func (l *List) run(ctx context.Context) {
	defer close(l.done)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	failed := false
	for {
		err := l.poll(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			l.config.Logger.Error("what is revoked can't be read; what was known before holds, and no edge is let in until it was read once", "error", err)
		}
		failed = err != nil
		l.expire()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// poll reads what other processes have changed.
func (l *List) poll(ctx context.Context) error {
	if l.log == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	select {
	case <-l.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { l.turn <- struct{}{} }()
	seq, err := l.log.last(ctx)
	if err != nil {
		return err
	}
	return l.catchUp(ctx, seq)
}

// catchUp reads the log if its newest record isn't the one that we know.
func (l *List) catchUp(ctx context.Context, seq uint64) error {
	if seq == l.seq && l.isLoaded() {
		return nil
	}
	t, seq, err := l.log.load(ctx)
	if err != nil {
		return err
	}
	l.seq = seq
	t.prune(time.Now())
	l.apply(t.all())
	if !l.isLoaded() {
		close(l.loaded)
	}
	return nil
}

// expire takes out what has ended by itself.
func (l *List) expire() {
	now := time.Now()
	l.mu.RLock()
	c := &roomsv1.Revocations{}
	for _, r := range l.table {
		if over(r, now) {
			c.Restored = append(c.Restored, r)
		}
	}
	l.mu.RUnlock()
	if len(c.Restored) > 0 {
		l.apply(c)
	}
}
