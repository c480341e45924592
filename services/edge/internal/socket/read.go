package socket

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// scratch holds the buffers that frames are read into: a socket that waits for
// a frame owns none.
var scratch = sync.Pool{New: func() any {
	b := make([]byte, 0, 4<<10)
	return &b
}}

// maxPooledScratch is the largest buffer worth keeping for the next frame.
const maxPooledScratch = 64 << 10

// progress is how much of a frame must come within the pong time.
const progress = 16 << 10

var (
	errTooLarge = errors.New("frame is too large")
	errNoRoom   = errors.New("no room for a large frame")
)

// The codes of what a reader closes for.
const (
	closeText     = 1003
	closeNoRoom   = 1013
	closeTooLarge = 4413
)

// Run reads frames until the socket ends, and gives each to frame, which may
// block and must not keep data. It returns when the connection is closed and
// the writer has ended.
func (s *Socket) Run(frame func(data []byte)) {
	defer s.finish()
	for {
		s.extend()
		kind, r, err := s.ws.NextReader()
		if err != nil {
			s.readFailed(err)
			return
		}
		select {
		case <-s.leaving:
			// Read on for the peer's close frame, and hear nothing else.
			continue
		default:
		}
		if kind != websocket.BinaryMessage {
			s.Close(closeText, "text frames are not understood here: send binary")
			continue
		}
		n, err := s.readFrame(r, frame)
		switch {
		case err == nil:
			s.pace.wait(s, n)
		case errors.Is(err, errTooLarge):
			s.Close(closeTooLarge, "frame is larger than this server accepts")
		case errors.Is(err, errNoRoom):
			s.cfg.Reached.Hit("max-inbound")
			s.Close(closeNoRoom, "too many large frames at once, come back")
		default:
			s.readFailed(err)
			return
		}
	}
}

// readFrame reads one frame to its end and hands it on. Memory grows with what
// has come, never with what a header claims, and all sockets together grow
// within a budget. The limit is kept here and not by gorilla, which would answer
// 1009: clients come back after that one, with the same frame. It returns the
// frame's size.
func (s *Socket) readFrame(r io.Reader, frame func([]byte)) (n int, err error) {
	pooled := scratch.Get().(*[]byte)
	buf := (*pooled)[:0]
	held := 0 // of the budget
	defer func() {
		s.cfg.Inbound.give(held)
		if cap(buf) <= maxPooledScratch {
			*pooled = buf[:0]
			scratch.Put(pooled)
		}
	}()
	most := s.frameLimit()
	extended := 0
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if len(buf) > most.bytes {
			s.cfg.Reached.Hit(most.name)
			return 0, errTooLarge
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		if len(buf) == cap(buf) {
			if !s.cfg.Inbound.take(cap(buf)) {
				return 0, errNoRoom
			}
			held += cap(buf)
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
		}
		if len(buf)-extended >= progress {
			extended = len(buf)
			s.extend()
		}
	}
	s.cfg.Metrics.framesIn.Inc()
	s.cfg.Metrics.bytesIn.Add(float64(len(buf)))
	frame(buf)
	return len(buf), nil
}

// frameLimit returns how large the next frame may be.
func (s *Socket) frameLimit() frameLimit {
	if l := s.frames.Load(); l != nil {
		return *l
	}
	return frameLimit{s.cfg.FrameLimit, "max-frame"}
}

// extend gives the peer another pong time, unless the socket is closing.
func (s *Socket) extend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == open {
		_ = s.ws.SetReadDeadline(time.Now().Add(s.cfg.Pong))
	}
}

// pinged queues a pong.
func (s *Socket) pinged(data string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == open {
		s.out.pong = append(make([]byte, 0, len(data)), data...)
		s.wakeLocked()
	}
	return nil
}

func (s *Socket) ponged(string) error {
	s.extend()
	return nil
}

// closedByPeer answers a close frame with its own code, or notes that ours was
// answered.
func (s *Socket) closedByPeer(code int, _ string) error {
	s.Close(code, "")
	return nil
}

// readFailed notes why reading ended.
func (s *Socket) readFailed(err error) {
	var closed *websocket.CloseError
	if errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
		return // closedByPeer has noted it
	}
	var network net.Error
	if s.Closed() == 0 && errors.As(err, &network) && network.Timeout() {
		s.cfg.Reached.Hit("max-silence")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.brokenLocked()
}

// brokenLocked notes that an open connection broke.
func (s *Socket) brokenLocked() {
	if s.state != open {
		return
	}
	s.state = gone
	s.code = websocket.CloseAbnormalClosure
	s.out.drop()
	close(s.leaving)
}

// finish lets the writer take leave if there is a leave to take, and closes the
// connection.
func (s *Socket) finish() {
	s.mu.Lock()
	s.timer.Stop()
	abort := s.state == gone || s.state == told
	s.mu.Unlock()
	if abort {
		_ = s.ws.Close()
	}
	s.writers.Wait()
	_ = s.ws.Close()

	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = gone
	s.out.drop()
	s.cfg.Metrics.closed(s.code)
}
