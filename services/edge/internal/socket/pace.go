package socket

import (
	"time"

	"golang.org/x/time/rate"
)

// pace holds up the reader of a client that sends more than it may. Nothing is
// refused: what we don't read waits in TCP, and then in the client. To close the
// socket would make an honest client come back and send the same again.
type pace struct {
	messages, bytes *rate.Limiter // nil: no limit
}

// burst is how much may come at once, in seconds.
const burst = 4

func newPace(c *Config) pace {
	var p pace
	if c.Messages > 0 {
		p.messages = rate.NewLimiter(rate.Limit(c.Messages), burst*c.Messages)
	}
	if c.Bytes > 0 {
		// The largest frame must fit, or it would never be paid for.
		p.bytes = rate.NewLimiter(rate.Limit(c.Bytes), max(burst*c.Bytes, c.FrameLimit))
	}
	return p
}

// wait pays for a frame of n bytes that was read, and waits while it is in debt
// or until the socket closes.
func (p pace) wait(s *Socket, n int) {
	if p.messages == nil && p.bytes == nil {
		return
	}
	now := time.Now()
	p.pay(s, p.messages, now, 1, "max-messages-per-second")
	p.pay(s, p.bytes, now, n, "max-bytes-per-second")
}

func (p pace) pay(s *Socket, l *rate.Limiter, now time.Time, n int, name string) {
	if l == nil || l.AllowN(now, n) {
		return
	}
	s.cfg.Reached.Hit(name)
	timer := time.NewTimer(l.ReserveN(now, n).DelayFrom(now))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.leaving:
	}
}
