package socket

import (
	"math/rand/v2"
	"time"
)

// startTimer begins the pings. The first comes at a random moment, or all the
// sockets that came back after a restart would ping together for ever.
func (s *Socket) startTimer() {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wroteData = now
	s.nextPing = now.Add(s.cfg.Ping - time.Duration(rand.Int64N(int64(s.cfg.Ping/2)+1)))
	s.timer = time.AfterFunc(s.nextPing.Sub(now), s.tick)
}

// tick queues the ping and the keepalive that are due.
func (s *Socket) tick() {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != open {
		return
	}
	if !now.Before(s.nextPing) {
		s.out.ping = true
		s.nextPing = now.Add(s.cfg.Ping)
	}
	// While data waits or is being written, it does what a keepalive does.
	if s.keepalive != nil && now.Sub(s.wroteData) >= s.cfg.Keepalive {
		if s.out.bytes == 0 {
			s.out.push(s.keepalive)
		}
		s.wroteData = now
	}
	if !s.out.empty() {
		s.wakeLocked()
	}
	s.armLocked(now)
}

// armLocked sets the timer to what is due next. The keepalive's time moves with
// each data frame; the timer isn't moved with it but looks when it fires.
func (s *Socket) armLocked(now time.Time) {
	due := s.nextPing
	if s.keepalive != nil {
		if k := s.wroteData.Add(s.cfg.Keepalive); k.Before(due) {
			due = k
		}
	}
	s.timer.Reset(due.Sub(now))
}
