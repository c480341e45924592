package revocations

import (
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

// run learns from storage what is revoked, and what ends by itself.
func (l *List) run(ctx context.Context) {
	defer close(l.done)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	standing := readable
	for {
		if err := l.poll(ctx); ctx.Err() == nil {
			standing = l.told(standing, err)
		}
		l.expire()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// standing is whether the log can be read.
type standing int

const (
	readable   standing = iota
	away                // storage doesn't answer: this passes
	unreadable          // it does, and what it says can't be used
)

// told tells of a poll's outcome if it is another than before, and returns it.
func (l *List) told(before standing, err error) (now standing) {
	const meanwhile = "what was known before holds, and no edge is let in until it was read once"
	if now = standingOf(err); now == before {
		return now
	}
	switch now {
	case readable:
		l.config.Logger.Info("what is revoked can be read again")
	case away:
		l.config.Logger.Warn("what is revoked can't be read while storage is away; "+meanwhile, "error", err)
	default:
		l.config.Logger.Error("what is revoked can't be read; "+meanwhile, "error", err)
	}
	return now
}

func standingOf(err error) standing {
	var wire *connect.Error
	switch {
	case err == nil:
		return readable
	case errors.Is(err, context.DeadlineExceeded):
		return away
	case !errors.As(err, &wire):
		return unreadable
	}
	switch wire.Code() {
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeCanceled, connect.CodeAborted,
		connect.CodeUnknown: // the connection broke
		return away
	default:
		return unreadable
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
