package revocations

import (
	"context"
	"errors"
	"fmt"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

// change makes a change to what is revoked now, and has it stored. A nil change is
// none.
func (l *List) change(ctx context.Context, decide func() (*roomsv1.Revocations, error)) error {
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	select {
	case <-l.turn:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	defer func() { l.turn <- struct{}{} }()
	if l.log == nil {
		c, err := decide()
		if c != nil {
			l.apply(c)
		}
		return err
	}
	for {
		err := l.tryChange(ctx, decide)
		switch {
		case err == nil || errors.Is(err, ErrFull):
			return err
		case !errors.Is(err, errStale):
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}

// tryChange reads what others have changed, and appends.
func (l *List) tryChange(ctx context.Context, decide func() (*roomsv1.Revocations, error)) error {
	epoch, seq, err := l.log.claim(ctx)
	if err != nil {
		return err
	}
	if err := l.catchUp(ctx, seq); err != nil {
		return err
	}
	c, err := decide()
	if c == nil {
		return err
	}
	record, err := appendRecord(nil, c)
	if err != nil {
		return err
	}
	if err := l.log.append(ctx, epoch, seq+1, record); err != nil {
		return err
	}
	l.seq = seq + 1
	l.apply(c)
	l.compact(ctx, epoch)
	return nil
}

// compact replaces the log by what it comes to, once it is worth it. That it fails
// means nothing: the next change tries again.
func (l *List) compact(ctx context.Context, epoch uint64) {
	l.mu.RLock()
	all, n := l.table.all(), len(l.table)
	l.mu.RUnlock()
	if l.log.records < max(compactAfter, n) {
		return
	}
	data, err := appendRecord(nil, all)
	if err == nil {
		err = l.log.compact(ctx, epoch, l.seq, data)
	}
	if err != nil {
		l.config.Logger.Warn("the log of revocations couldn't be compacted; it will be tried again", "error", err)
	}
}
