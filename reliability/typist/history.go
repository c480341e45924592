package typist

import (
	"context"
	"fmt"
	"maps"
)

// History is what a typist knows, at one moment.
type History struct {
	Client uint64
	Room   string
	Said   []Said
	// Document is the client's own state; Seen only what came from the server.
	Document, Seen []byte
	Closes         map[int]int
	Dials          int
	Wrong          error
}

// History returns what the typist knows now.
func (t *Typist) History() (History, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := History{Client: t.Client, Room: t.Room, Closes: maps.Clone(t.closes), Dials: t.dials, Wrong: t.wrong}
	for _, s := range t.said {
		h.Said = append(h.Said, *s)
	}
	var err error
	if h.Document, err = t.document.EncodeStateAsUpdate(nil); err != nil {
		return h, err
	}
	h.Seen, err = t.seen.EncodeStateAsUpdate(nil)
	return h, err
}

// Counts returns how many updates were said, and how many of them are shown.
func (t *Typist) Counts() (said, echoed int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.said), len(t.said) - len(t.open)
}

// Dials returns how many connections there have been.
func (t *Typist) Dials() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dials
}

// Online reports whether there is a connection.
func (t *Typist) Online() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn != nil
}

// Settled waits until everything that was said so far is shown.
func (t *Typist) Settled(ctx context.Context) error {
	t.mu.Lock()
	last := len(t.said)
	t.mu.Unlock()
	return t.await(ctx, func() bool { return len(t.open) == 0 || t.open[0].N >= last })
}

// Synced waits until the server has sent its step 2 to some connection.
func (t *Typist) Synced(ctx context.Context) error {
	return t.await(ctx, func() bool { return t.synced > 0 })
}

// Echoed waits until one update is shown.
func (t *Typist) Echoed(ctx context.Context, s *Said) error {
	return t.await(ctx, func() bool { return !s.EchoAt.IsZero() })
}

// Knows waits until the document holds an update of anybody's.
func (t *Typist) Knows(ctx context.Context, update []byte) error {
	return t.await(ctx, func() bool { return t.document.Contains(update) })
}

// await waits for what only news can make true.
func (t *Typist) await(ctx context.Context, holds func() bool) error {
	for {
		t.mu.Lock()
		done, news := holds(), t.news
		open, dials, closes, online := len(t.open), t.dials, maps.Clone(t.closes), t.conn != nil
		t.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("client %d in %s: %d updates aren't echoed; online %v after %d connections, closes %v: %w",
				t.Client, t.Room, open, online, dials, closes, ctx.Err())
		}
	}
}
