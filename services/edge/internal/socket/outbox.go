package socket

import (
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// outbox is what waits to be written. Its bytes count until they are written,
// not until the writer takes them, so that a stalled writer fills it too.
type outbox struct {
	frames *[][]byte // pooled; nil while no data waits
	bytes  int
	// largest is the size of the largest frame in frames, taken that of the
	// batch that is being written.
	largest, taken int
	// fullSince is when the outbox was found full, zero while it isn't and
	// whenever a batch has been written to its end.
	fullSince time.Time

	ping bool
	// pong answers the newest ping; older ones need no answer (RFC 6455,
	// section 5.5.3), so a flood of pings fills nothing.
	pong  []byte
	close []byte
}

// queues holds slices of frames: an idle socket owns none.
var queues = sync.Pool{New: func() any {
	q := make([][]byte, 0, 16)
	return &q
}}

// maxPooledQueue is the largest slice worth keeping for the next socket.
const maxPooledQueue = 1024

// full reports whether limit bytes wait beside the largest frame. A newcomer's
// step 2 may be many times the limit, and what happens in the room while it is
// on its way must find room too, or nobody could join a large document while
// others write.
func (o *outbox) full(limit int) bool {
	return o.bytes-max(o.largest, o.taken) >= limit
}

// overflows names the limit for which the peer is too slow for another n bytes,
// "" if it isn't: the outbox is full, and either nothing of it was taken for the
// grace, or it would hold more than burst. A burst alone says nothing about the peer: two clients
// that read as fast as they can are behind for a moment when a third pastes.
func (o *outbox) overflows(c *Config, n int) string {
	if !o.full(c.OutboxLimit) {
		return ""
	}
	now := time.Now()
	if o.fullSince.IsZero() {
		o.fullSince = now
	}
	switch {
	case now.Sub(o.fullSince) >= c.OutboxGrace:
		return "max-queued"
	case o.bytes+n-max(o.largest, o.taken, n) > c.OutboxBurst:
		return "max-queued-burst"
	default:
		return ""
	}
}

// push adds a data frame.
func (o *outbox) push(frame []byte) {
	if o.frames == nil {
		o.frames = queues.Get().(*[][]byte)
	}
	*o.frames = append(*o.frames, frame)
	o.bytes += len(frame)
	o.largest = max(o.largest, len(frame))
}

// drop forgets the data that no writer has taken.
func (o *outbox) drop() {
	if o.frames == nil {
		return
	}
	for _, f := range *o.frames {
		o.bytes -= len(f)
	}
	release(o.frames)
	o.frames = nil
	o.largest = 0
}

// empty reports whether there is nothing to write.
func (o *outbox) empty() bool {
	return o.frames == nil && !o.ping && o.pong == nil && o.close == nil
}

// take moves everything that waits into a batch. bytes stay counted until
// settle is called.
func (o *outbox) take() batch {
	b := batch{frames: o.frames, ping: o.ping, pong: o.pong, close: o.close}
	for _, f := range b.data() {
		b.bytes += len(f)
	}
	o.frames, o.ping, o.pong, o.close = nil, false, nil, nil
	o.taken, o.largest = o.largest, 0
	return b
}

// settle takes a written batch's bytes off.
func (o *outbox) settle(b *batch) {
	o.bytes -= b.bytes
	o.taken = 0
	o.fullSince = time.Time{}
}

// batch is what one turn of the writer writes.
type batch struct {
	frames *[][]byte // nil if it holds no data
	bytes  int       // of the data
	ping   bool
	pong   []byte
	close  []byte
}

// data returns the batch's data frames.
func (b *batch) data() [][]byte {
	if b.frames == nil {
		return nil
	}
	return *b.frames
}

// writes returns how many websocket frames the batch becomes.
func (b *batch) writes() int {
	n := len(b.data())
	for _, is := range [...]bool{b.ping, b.pong != nil, b.close != nil} {
		if is {
			n++
		}
	}
	return n
}

// release gives a slice of frames back.
func release(frames *[][]byte) {
	if frames == nil || cap(*frames) > maxPooledQueue {
		return
	}
	clear(*frames)
	*frames = (*frames)[:0]
	queues.Put(frames)
}

// maxReason is what a close frame holds beside its code (RFC 6455, 5.5).
const maxReason = 123

// closeFrame returns the payload of a close frame; reason is cut at a rune's
// end. A code that must not be sent (1005, 1006) makes it empty, not nil.
func closeFrame(code int, reason string) []byte {
	if code == websocket.CloseNoStatusReceived || code == websocket.CloseAbnormalClosure {
		return []byte{}
	}
	if len(reason) > maxReason {
		cut := maxReason
		for cut > 0 && !utf8.RuneStart(reason[cut]) {
			cut--
		}
		reason = reason[:cut]
	}
	return websocket.FormatCloseMessage(code, reason)
}
