package socket

import (
	"time"

	"github.com/gorilla/websocket"
)

// write is the writer: it writes batches until nothing waits.
func (s *Socket) write() {
	defer s.writers.Done()
	defer s.caught()
	for {
		s.mu.Lock()
		if s.out.empty() || s.state == gone {
			s.writing = false
			s.mu.Unlock()
			return
		}
		b := s.out.take()
		s.mu.Unlock()

		err := s.writeBatch(&b)
		if !s.wrote(&b, err) {
			return
		}
	}
}

// caught breaks the socket if its writer panicked.
func (s *Socket) caught() {
	if p := recover(); p != nil {
		s.cfg.Rescuer.Caught("writer", p, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.brokenLocked()
			s.Abort()
		})
	}
}

// writeBatch writes everything in b, with one write(2) if the connection corks.
func (s *Socket) writeBatch(b *batch) error {
	deadline := time.Now().Add(s.cfg.WriteTimeout + time.Duration(b.bytes)*time.Second/minRate)
	if b.close != nil {
		deadline = time.Now().Add(s.cfg.CloseTimeout)
	}
	if err := s.ws.SetWriteDeadline(deadline); err != nil {
		return err
	}
	if b.writes() < 2 {
		return s.writeFrames(b, deadline)
	}
	s.cork.Cork()
	err := s.writeFrames(b, deadline)
	if flushed := s.cork.Uncork(); err == nil {
		err = flushed
	}
	return err
}

// writeFrames writes pong and ping first, since somebody measures them, and the
// close frame last.
func (s *Socket) writeFrames(b *batch, deadline time.Time) error {
	if b.pong != nil {
		if err := s.ws.WriteControl(websocket.PongMessage, b.pong, deadline); err != nil {
			return err
		}
	}
	if b.ping {
		if err := s.ws.WriteControl(websocket.PingMessage, nil, deadline); err != nil {
			return err
		}
	}
	for _, f := range b.data() {
		if s.overflown.Load() {
			break
		}
		if err := s.ws.WriteMessage(websocket.BinaryMessage, f); err != nil {
			return err
		}
	}
	if b.close != nil {
		return s.ws.WriteControl(websocket.CloseMessage, b.close, deadline)
	}
	return nil
}

// wrote settles a batch and reports whether the writer goes on. A connection
// whose write failed has sent part of a frame: it can only be closed.
func (s *Socket) wrote(b *batch, err error) bool {
	frames := len(b.data())
	release(b.frames)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.settle(b)
	if err != nil {
		s.writing = false
		s.brokenLocked()
		s.Abort()
		return false
	}
	if frames > 0 {
		s.wroteData = time.Now()
		s.cfg.Metrics.framesOut.Add(float64(frames))
		s.cfg.Metrics.bytesOut.Add(float64(b.bytes))
	}
	if b.close != nil && s.state == closing {
		s.state = told
	}
	return true
}
