package link

import (
	"errors"
	"slices"
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

	mu     sync.Mutex // guards what follows
	frames []*roomsv1.RoomFrame
	sizes  []int
	bytes  int
	// largest is the size of the largest frame that waits.
	largest  int
	overflow bool
	// relieved are those who want to know that the outbox isn't crowded any more.
	relieved []func()
}

func newOutbox(maxBytes int) *outbox {
	return &outbox{wake: make(chan struct{}, 1), max: maxBytes}
}

// put adds a frame unless max bytes wait already: then the link is lost, and
// with it all that waits; the edge resumes from what it has seen. The largest
// frame that waits isn't counted: it may hold a whole document, and what all
// rooms say while it leaves is no flood.
func (o *outbox) put(frame *roomsv1.RoomFrame) {
	size := proto.Size(frame)
	o.mu.Lock()
	switch {
	case o.overflow:
	case o.bytes-o.largest >= o.max:
		o.overflow = true
		o.frames, o.sizes, o.bytes, o.largest, o.relieved = nil, nil, 0, 0, nil
	default:
		o.frames = append(o.frames, frame)
		o.sizes = append(o.sizes, size)
		o.bytes += size
		o.largest = max(o.largest, size)
	}
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// crowded reports whether a quarter of what may wait does. Then relieved is called
// when it is half of that.
func (o *outbox) crowded(relieved func()) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.overflow:
		return true // for ever: the link's attachments are about to end
	case o.bytes < o.max/4:
		return false
	}
	o.relieved = append(o.relieved, relieved)
	return true
}

// take returns what one message should carry, nothing if nothing waits.
func (o *outbox) take() ([]*roomsv1.RoomFrame, error) {
	frames, relieved, err := o.shift()
	for _, tell := range relieved {
		tell()
	}
	return frames, err
}

func (o *outbox) shift() (frames []*roomsv1.RoomFrame, relieved []func(), err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.overflow {
		return nil, nil, errOverflow
	}
	n, bytes, largest := 0, 0, 0
	for n < len(o.frames) {
		if n > 0 && bytes+o.sizes[n] > messageBytes {
			break
		}
		bytes += o.sizes[n]
		largest = max(largest, o.sizes[n])
		n++
	}
	frames = o.frames[:n:n]
	o.frames = o.frames[n:]
	o.sizes = o.sizes[n:]
	o.bytes -= bytes
	if len(o.frames) == 0 {
		o.frames, o.sizes, o.largest = nil, nil, 0
	} else if largest == o.largest {
		o.largest = slices.Max(o.sizes)
	}
	if o.bytes < o.max/8 {
		relieved, o.relieved = o.relieved, nil
	}
	return frames, relieved, nil
}
