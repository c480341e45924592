package link

import "sync"

// chunkSize is the size at which a chunk of gathered frames is full. One chunk
// is one LinkRequest, so that a request is at most this and one frame.
const chunkSize = 256 << 10

// queue gathers encoded frames while the last request is under way. It lives
// as long as one stream.
type queue struct {
	limit int
	// wake holds a token while frames wait.
	wake chan struct{}

	mu     sync.Mutex // guards following
	closed bool
	// chunks: each is an encoded LinkRequest; the last may still grow.
	chunks [][]byte
	bytes  int
	// space is closed when a full queue has room again, or ends. nil while
	// nobody waits.
	space chan struct{}
	// free is a chunk to gather in, or nil.
	free []byte
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, wake: make(chan struct{}, 1)}
}

// offer gathers what appends adds to a chunk, and returns nil. If the queue is
// full it doesn't, and returns a channel that is closed when it is worth trying
// again.
func (q *queue) offer(appends func(chunk []byte) []byte) <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed && q.bytes >= q.limit {
		if q.space == nil {
			q.space = make(chan struct{})
		}
		return q.space
	}
	q.addLocked(appends)
	return nil
}

// add gathers what appends adds, however full the queue is: what a link says of
// itself is small, and its number is bounded by what was admitted.
func (q *queue) add(appends func(chunk []byte) []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.addLocked(appends)
}

// addLocked forgets everything once the queue is closed.
func (q *queue) addLocked(appends func(chunk []byte) []byte) {
	if q.closed {
		return
	}
	last := len(q.chunks) - 1
	if last < 0 || len(q.chunks[last]) >= chunkSize {
		q.chunks = append(q.chunks, q.free)
		q.free = nil
		last++
	}
	before := len(q.chunks[last])
	q.chunks[last] = appends(q.chunks[last])
	q.bytes += len(q.chunks[last]) - before
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take returns the oldest chunk, nil if nothing waits. Its bytes count until
// sent is called.
func (q *queue) take() []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.chunks) == 0 {
		return nil
	}
	chunk := q.chunks[0]
	q.chunks[0] = nil
	q.chunks = q.chunks[1:]
	if len(q.chunks) == 0 {
		q.chunks = nil
	}
	return chunk
}

// sent takes a chunk's bytes off, keeps it for the next frames, and wakes those
// who wait for room.
func (q *queue) sent(chunk []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bytes -= len(chunk)
	if cap(chunk) <= 2*chunkSize {
		q.free = chunk[:0]
	}
	if q.bytes < q.limit {
		q.signalLocked()
	}
}

// close forgets what waits and turns everything away.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.chunks, q.free = nil, nil
	q.signalLocked()
}

func (q *queue) signalLocked() {
	if q.space != nil {
		close(q.space)
		q.space = nil
	}
}
