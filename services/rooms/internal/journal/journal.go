// Package journal is the rooms service's hand on storage.
//
//	room ──┐                      one Append call for all rooms that have
//	room ──┼──▶ queue ──▶ slots ──▶ something; the next gathers meanwhile
//	room ──┘               (2)
//
// A storage error is an unknown outcome: the same (epoch, seq) is sent again
// until its fate is known, so a room never hears of a failure that passes.
//
// Goroutines: the committer, one per call under way or put off, and one per
// snapshot. Close
// ends and waits for them.
package journal

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

const (
	// slots is how many Append calls may be under way: one that syncs, and one
	// whose records storage may already gather for its next sync.
	slots = 2
	// A call carries at most so many items and, beyond the first, bytes.
	maxItems = 512
	maxBytes = 4 << 20
)

// ErrClosed is the outcome of appends that the journal couldn't finish. Nothing
// was acknowledged that depends on them.
var ErrClosed = errors.New("the process ends")

// Journal writes for all rooms of a process.
type Journal struct {
	storage storagev1connect.StorageServiceClient
	owner   string
	log     *slog.Logger
	metrics metrics
	tracer  *trace.Tracer

	ctx    context.Context // ends in Close
	cancel context.CancelFunc
	wake   chan struct{} // capacity 1
	slots  chan struct{} // a token per free slot
	// encoders holds a token per snapshot that is being encoded.
	encoders chan struct{}
	running  sync.WaitGroup

	mu     sync.Mutex // guards queue and closed
	queue  []pending
	closed bool
}

// pending is an append whose outcome isn't known.
type pending struct {
	item *storagev1.AppendItem
	done func(error)
	born time.Time
	// tries counts the answers that left the outcome open.
	tries int
}

// New returns a journal that writes as the given owner; tracer may be nil. Close ends it.
func New(storage storagev1connect.StorageServiceClient, owner string, log *slog.Logger, registerer prometheus.Registerer, tracer *trace.Tracer) *Journal {
	j := &Journal{
		storage: storage,
		owner:   owner,
		log:     log,
		metrics: newMetrics(registerer),
		tracer:  tracer,
		wake:    make(chan struct{}, 1),
		slots:   make(chan struct{}, slots),

		encoders: make(chan struct{}, encoders),
	}
	j.ctx, j.cancel = context.WithCancel(context.Background())
	for range slots {
		j.slots <- struct{}{}
	}
	j.running.Go(j.commit)
	return j
}

// Append has a record stored. done is called once, perhaps before Append
// returns: with nil when storage has it, with an error when the room must be let
// go. It must not block.
func (j *Journal) Append(name string, a room.Append, done func(error)) {
	p := pending{
		item: &storagev1.AppendItem{Room: name, Epoch: a.Epoch, Seq: a.Seq, Data: a.Record},
		done: done,
		born: time.Now(),
	}
	j.enqueue(p)
}

// enqueue adds to what the next calls carry.
func (j *Journal) enqueue(items ...pending) {
	j.mu.Lock()
	closed := j.closed
	if !closed {
		j.queue = append(j.queue, items...)
	}
	j.mu.Unlock()
	if closed {
		for _, p := range items {
			p.done(ErrClosed)
		}
		return
	}
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// commit hands what has gathered to a free slot, again and again.
func (j *Journal) commit() {
	for {
		select {
		case <-j.wake:
		case <-j.ctx.Done():
			return
		}
		for {
			select {
			case <-j.slots:
			case <-j.ctx.Done():
				return
			}
			items := j.gather()
			if len(items) == 0 {
				j.slots <- struct{}{}
				break
			}
			j.running.Go(func() {
				j.settle(items)
				j.slots <- struct{}{}
			})
		}
	}
}

// gather takes the next call's appends off the queue.
func (j *Journal) gather() []pending {
	j.mu.Lock()
	defer j.mu.Unlock()
	n, bytes := 0, 0
	for n < len(j.queue) && n < maxItems {
		bytes += len(j.queue[n].item.GetData())
		if n > 0 && bytes > maxBytes {
			break
		}
		n++
	}
	items := j.queue[:n:n]
	j.queue = j.queue[n:]
	if len(j.queue) == 0 {
		j.queue = nil
	}
	return items
}

// Close ends all calls; appends whose outcome isn't known are done with ErrClosed.
func (j *Journal) Close() {
	j.mu.Lock()
	j.closed = true
	queue := j.queue
	j.queue = nil
	j.mu.Unlock()
	j.cancel()
	for _, p := range queue {
		p.done(ErrClosed)
	}
	j.running.Wait()
}
