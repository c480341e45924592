package link

import (
	"errors"
	"sync"

	"google.golang.org/protobuf/proto"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

// messageBytes is about how much one LinkResponse carries; a single frame may be
// larger.
const messageBytes = 1 << 20

var errOverflow = errors.New("the edge doesn't read what its rooms say; link again and resume")

// outbox gathers frames for an edge while the last message is being sent.
type outbox struct {
	wake chan struct{} // capacity 1
	max  int

	mu       sync.Mutex // guards what follows
	frames   []*roomsv1.RoomFrame
	sizes    []int
	bytes    int
	overflow bool
}

func newOutbox(maxBytes int) *outbox {
	return &outbox{wake: make(chan struct{}, 1), max: maxBytes}
}

// put adds a frame unless max bytes wait already: then the link is lost, and
// with it all that waits; the edge resumes from what it has seen. One large
// frame always fits an empty outbox.
func (o *outbox) put(frame *roomsv1.RoomFrame) {
	size := proto.Size(frame)
	o.mu.Lock()
	switch {
	case o.overflow:
	case o.bytes >= o.max:
		o.overflow = true
		o.frames, o.sizes, o.bytes = nil, nil, 0
	default:
		o.frames = append(o.frames, frame)
		o.sizes = append(o.sizes, size)
		o.bytes += size
	}
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take returns what one message should carry, nothing if nothing waits.
func (o *outbox) take() ([]*roomsv1.RoomFrame, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.overflow {
		return nil, errOverflow
	}
	n, bytes := 0, 0
	for n < len(o.frames) {
		bytes += o.sizes[n]
		if n > 0 && bytes > messageBytes {
			bytes -= o.sizes[n]
			break
		}
		n++
	}
	frames := o.frames[:n:n]
	o.frames = o.frames[n:]
	o.sizes = o.sizes[n:]
	o.bytes -= bytes
	if len(o.frames) == 0 {
		o.frames, o.sizes = nil, nil
	}
	return frames, nil
}
