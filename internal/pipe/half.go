package pipe

import (
	"io"
	"os"
	"sync"
	"time"
)

// bufferSize bounds the bytes that one direction holds unread. It is a few of
// HTTP/2's frames: enough that writer and reader need not take turns.
const bufferSize = 64 << 10

// half is one direction of a connection: written at one end, read at the other.
type half struct {
	mu   sync.Mutex // guards all below
	cond sync.Cond  // signalled at every change

	// The unread bytes are ring[start:start+size], modulo its length. The ring
	// is made by the first write: an idle direction costs nothing.
	ring        []byte
	start, size int

	writerClosed bool // reads drain what is there, then io.EOF
	readerClosed bool // writes fail at once

	readDeadline, writeDeadline deadline
}

func newHalf() *half {
	h := &half{}
	h.cond.L = &h.mu
	return h
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.readerClosed:
			return 0, io.ErrClosedPipe
		case h.readDeadline.passed:
			return 0, os.ErrDeadlineExceeded
		case h.size > 0:
			n := 0
			for n < len(p) && h.size > 0 {
				end := min(h.start+h.size, len(h.ring))
				c := copy(p[n:], h.ring[h.start:end])
				h.start = (h.start + c) % len(h.ring)
				h.size -= c
				n += c
			}
			h.cond.Broadcast()
			return n, nil
		case h.writerClosed:
			return 0, io.EOF
		case len(p) == 0:
			return 0, nil
		}
		h.cond.Wait()
	}
}

func (h *half) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ring == nil && len(p) > 0 {
		h.ring = make([]byte, bufferSize)
	}
	written := 0
	for {
		switch {
		case h.writerClosed || h.readerClosed:
			return written, io.ErrClosedPipe
		case h.writeDeadline.passed:
			return written, os.ErrDeadlineExceeded
		case written == len(p):
			return written, nil
		case h.size < len(h.ring):
			end := (h.start + h.size) % len(h.ring)
			limit := len(h.ring)
			if end < h.start {
				limit = h.start
			}
			c := copy(h.ring[end:limit], p[written:])
			h.size += c
			written += c
			h.cond.Broadcast()
		default:
			h.cond.Wait()
		}
	}
}

func (h *half) closeWriter() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writerClosed = true
	h.writeDeadline.stop()
	h.cond.Broadcast()
}

func (h *half) closeReader() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readerClosed = true
	h.readDeadline.stop()
	h.cond.Broadcast()
}

func (h *half) setDeadline(d *deadline, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d.setLocked(h, t)
	h.cond.Broadcast()
}

// deadline wakes a half when its time has come. It is guarded by the half's mu.
type deadline struct {
	passed bool
	timer  *time.Timer
	// turn counts settings, so that a timer that fired just before it was
	// stopped changes nothing.
	turn int
}

func (d *deadline) stop() {
	d.turn++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (d *deadline) setLocked(h *half, t time.Time) {
	d.stop()
	d.passed = false
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.passed = true
		return
	}
	turn := d.turn
	d.timer = time.AfterFunc(wait, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if d.turn == turn {
			d.passed = true
			h.cond.Broadcast()
		}
	})
}
