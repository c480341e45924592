package reliability_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/check"
	"github.com/fjord-sync/fjord/reliability/fleet"
	"github.com/fjord-sync/fjord/reliability/typist"
)

// crowd is many typists in a few rooms of one fleet.
type crowd struct {
	t     *testing.T
	fleet *fleet.Fleet
	rooms []string
	all   []*typist.Typist
	// others are authors that aren't typists, for the verdict.
	others map[string][]check.Author

	mu     sync.Mutex           // guards latest
	latest map[string]time.Time // by room: when the newest echoed update was said

	echoes atomic.Int64
	news   chan struct{} // has something after an echo

	stop    chan struct{}
	typing  sync.WaitGroup
	late    int // rooms processes that left without storing all; see drain
	latency struct {
		sync.Mutex // guards times
		times      []time.Duration
	}
}

// gather opens n typists in so many rooms, whose names begin with the prefix.
func gather(t *testing.T, f *fleet.Fleet, prefix string, n, rooms int) *crowd {
	t.Helper()
	c := &crowd{t: t, fleet: f, news: make(chan struct{}, 1), others: make(map[string][]check.Author), latest: make(map[string]time.Time)}
	for i := range rooms {
		c.rooms = append(c.rooms, fmt.Sprintf("%s-%d", prefix, i))
	}
	for i := range n {
		c.all = append(c.all, typist.Open(typist.Config{
			URL: f.URL(i), Room: c.rooms[i%rooms], Client: 1<<30 + uint64(i),
			OnEcho: func(s *typist.Said) { c.onEcho(c.rooms[i%rooms], s) },
		}))
	}
	t.Cleanup(c.leave)
	return c
}

func (c *crowd) onEcho(room string, s *typist.Said) {
	c.echoes.Add(1)
	c.mu.Lock()
	if s.At.After(c.latest[room]) {
		c.latest[room] = s.At
	}
	c.mu.Unlock()
	if s.Online && s.Replied == "echo" {
		c.latency.Lock()
		c.latency.times = append(c.latency.times, s.EchoAt.Sub(s.At))
		c.latency.Unlock()
	}
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// leave closes all typists.
func (c *crowd) leave() {
	c.rest()
	var closing sync.WaitGroup
	for _, y := range c.all {
		closing.Go(y.Close)
	}
	closing.Wait()
}

// typeOn makes each typist type once in a pause, half to one and a half of it.
func (c *crowd) typeOn(pause time.Duration) {
	if c.stop != nil {
		return
	}
	c.stop = make(chan struct{})
	for _, y := range c.all {
		c.typing.Go(func() {
			for {
				select {
				case <-c.stop:
					return
				case <-time.After(pause/2 + rand.N(pause)):
					y.Type()
				}
			}
		})
	}
}

// rest stops the typing.
func (c *crowd) rest() {
	if c.stop != nil {
		close(c.stop)
		c.typing.Wait()
		c.stop = nil
	}
}

// echoed waits for n more echoes and returns how long they took.
func (c *crowd) echoed(ctx context.Context, n int64) (time.Duration, error) {
	began, want := time.Now(), c.echoes.Load()+n
	for c.echoes.Load() < want {
		select {
		case <-c.news:
		case <-ctx.Done():
			return 0, fmt.Errorf("waited in vain for %d more echoes: %w", want-c.echoes.Load(), ctx.Err())
		}
	}
	return time.Since(began), nil
}

// recovered waits until, in every room, something that was said after a moment is
// echoed, and returns how long after that moment it was.
func (c *crowd) recovered(ctx context.Context, since time.Time) (time.Duration, error) {
	for {
		behind := ""
		c.mu.Lock()
		for _, room := range c.rooms {
			if !c.latest[room].After(since) {
				behind = room
			}
		}
		c.mu.Unlock()
		if behind == "" {
			return time.Since(since), nil
		}
		if _, err := c.echoed(ctx, 1); err != nil {
			return 0, fmt.Errorf("%s doesn't recover: %w", behind, err)
		}
	}
}

// settle waits until all that was said is echoed, and all know it.
func (c *crowd) settle() {
	c.t.Helper()
	c.rest()
	ctx := within(c.t, patience)
	for _, y := range c.all {
		must(c.t, y.Settled(ctx))
	}
	for _, room := range c.rooms {
		members := c.in(room)
		for _, author := range members {
			h, err := author.History()
			must(c.t, err)
			for _, y := range members {
				must(c.t, y.Knows(ctx, h.Document))
			}
		}
	}
}

func (c *crowd) in(room string) []*typist.Typist {
	var members []*typist.Typist
	for _, y := range c.all {
		if y.Room == room {
			members = append(members, y)
		}
	}
	return members
}

func percentile(times []time.Duration, p int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	times = slices.Clone(times)
	slices.Sort(times)
	return times[min(len(times)-1, len(times)*p/100)].Round(10 * time.Microsecond)
}

// totals returns how much was said and echoed, and how often typists dialled.
func (c *crowd) totals() (said, echoed, dials int) {
	for _, y := range c.all {
		s, e := y.Counts()
		said, echoed, dials = said+s, echoed+e, dials+y.Dials()
	}
	return said, echoed, dials
}

// authors returns the histories of a room's clients. settled says that they had
// the chance to hear everything.
func (c *crowd) authors(room string, settled bool) ([]check.Author, error) {
	authors := slices.Clone(c.others[room])
	for _, y := range c.in(room) {
		h, err := y.History()
		if err != nil {
			return nil, err
		}
		if h.Wrong != nil {
			return nil, h.Wrong
		}
		a := check.Author{Name: fmt.Sprintf("typist %d", h.Client), Seen: h.Seen}
		if settled {
			a.Document = h.Document
		}
		for _, s := range h.Said {
			a.Said = append(a.Said, s.Bytes)
			a.Echoed = append(a.Echoed, !s.EchoAt.IsZero())
		}
		authors = append(authors, a)
	}
	return authors, nil
}
