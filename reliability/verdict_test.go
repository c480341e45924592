package reliability_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/fjord-sync/fjord/reliability/check"
	"github.com/fjord-sync/fjord/reliability/typist"
)

// judge settles the crowd, reads its rooms from the running server, kills
// everything, and compares with what a new start finds on disk.
func (c *crowd) judge(y *check.Yjs) error {
	c.t.Helper()
	c.settle()
	return c.verdict(y, true)
}

// verdict is judge for a crowd that can't settle: its unechoed updates may be
// there or not.
func (c *crowd) verdict(y *check.Yjs, settled bool) error {
	c.t.Helper()
	c.rest()
	ctx := within(c.t, 3*patience)
	hot := make(map[string][]byte)
	if settled {
		var err error
		if hot, err = c.running(ctx); err != nil {
			return fmt.Errorf("the running server: %w", err)
		}
	}
	histories := make(map[string][]check.Author)
	for _, room := range c.rooms {
		var err error
		if histories[room], err = c.authors(room, settled); err != nil {
			return err
		}
	}
	// Nobody may say anything to the new start before it is read.
	c.leave()
	if err := errors.Join(c.fleet.Kill(), c.fleet.Start()); err != nil {
		return err
	}
	cold, err := read(ctx, c.fleet.URL, c.rooms)
	if err != nil {
		return fmt.Errorf("the new start: %w", err)
	}
	return errors.Join(c.documents(y, histories, hot, cold), c.logs(ctx))
}

// running reads the rooms from the running server, until nothing more comes to them and
// all typists know what there is: a client of npm's that comes back says what follows
// from others' updates by Yjs's rules, and a slow disk has that later than all echoes.
func (c *crowd) running(ctx context.Context) (map[string][]byte, error) {
	var hot map[string][]byte
	for {
		now, err := read(ctx, c.fleet.URL, c.rooms)
		if err != nil || maps.EqualFunc(hot, now, bytes.Equal) {
			return now, err
		}
		for _, y := range c.all {
			if len(c.others[y.Room]) > 0 {
				continue // see whole
			}
			if err := y.Knows(ctx, now[y.Room]); err != nil {
				return nil, err
			}
		}
		hot = now
	}
}

func (c *crowd) documents(y *check.Yjs, histories map[string][]check.Author, hot, cold map[string][]byte) error {
	var errs []error
	for _, room := range c.rooms {
		var follows []byte
		if len(c.others[room]) > 0 {
			var said [][]byte
			for _, a := range histories[room] {
				said = append(said, a.Said...)
			}
			var err error
			if follows, err = y.Union(said); err != nil {
				return err
			}
		}
		authors, running, stored := histories[room], hot[room], cold[room]
		if follows != nil {
			var err error
			if authors, err = whole(y, authors, &running, &stored); err != nil {
				return err
			}
		}
		err := check.Room(authors, follows, running, stored)
		names, documents := []string{"the disk"}, [][]byte{cold[room]}
		for _, a := range histories[room] {
			if a.Document != nil {
				names, documents = append(names, a.Name), append(documents, a.Document)
			}
		}
		if err = errors.Join(err, y.Agree(names, documents)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", room, err))
		}
	}
	return errors.Join(errs...)
}

// whole adds to documents the deletions that follow from them by Yjs's rules. A client
// of npm's finds those out by itself, and so does the server when it compacts a room
// that has outgrown its document, which a typist is not told.
func whole(y *check.Yjs, authors []check.Author, documents ...*[]byte) ([]check.Author, error) {
	authors = slices.Clone(authors)
	for i := range authors {
		documents = append(documents, &authors[i].Document)
	}
	for _, document := range documents {
		if *document == nil {
			continue
		}
		var err error
		if *document, err = y.Union([][]byte{*document}); err != nil {
			return nil, err
		}
	}
	return authors, nil
}

// logs checks storage's side: the rooms' logs and, where there is a tap, all calls.
func (c *crowd) logs(ctx context.Context) error {
	if c.fleet.Tap != nil {
		if err := c.fleet.Tap.Quiet(ctx); err != nil {
			return err
		}
	}
	stored := make(map[string]check.Stored)
	var errs []error
	for _, room := range c.rooms {
		s, err := check.Log(ctx, c.fleet.Store(), room)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		stored[room] = s
	}
	if c.fleet.Tap != nil {
		errs = append(errs, check.Calls(c.fleet.Tap.Ops(), stored))
		c.fleet.Tap.Forget()
	}
	return errors.Join(errs...)
}

// audit looks at what is on disk while no client can help: the server has just been
// started after a fault that hit all of it, and its front still refuses. Clients
// that came back would send what was lost again, and hide it.
func (c *crowd) audit(ctx context.Context) error {
	c.t.Helper()
	histories := make(map[string][]check.Author)
	for _, room := range c.rooms {
		var err error
		if histories[room], err = c.authors(room, false); err != nil {
			return err
		}
	}
	cold, err := read(ctx, c.fleet.Direct, c.rooms)
	if err != nil {
		return fmt.Errorf("the new start: %w", err)
	}
	var errs []error
	for _, room := range c.rooms {
		if err := check.Kept(histories[room], cold[room]); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", room, err))
		}
	}
	return errors.Join(errs...)
}

// refuse keeps clients out; heal lets them in.
func (c *crowd) refuse() {
	for _, p := range c.fleet.Front {
		p.Refuse()
	}
}

func (c *crowd) heal() {
	for _, p := range c.fleet.Proxies() {
		p.Heal()
	}
}

// read joins each room as a newcomer does, and returns what it is given.
func read(ctx context.Context, url func(int) string, rooms []string) (map[string][]byte, error) {
	documents := make(map[string][]byte)
	var mu sync.Mutex // guards documents and errs
	var errs []error
	var readers sync.WaitGroup
	for i, room := range rooms {
		readers.Go(func() {
			y := typist.Open(typist.Config{URL: url(i), Room: room, Client: 1})
			defer y.Close()
			err := y.Synced(ctx)
			h, encode := y.History()
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err, encode, h.Wrong)
			documents[room] = h.Seen
		})
	}
	readers.Wait()
	return documents, errors.Join(errs...)
}
