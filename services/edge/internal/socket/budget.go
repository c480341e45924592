package socket

import (
	"errors"
	"io"
	"sync/atomic"
)

// Budget bounds the bytes in which all sockets together hold frames that are
// larger than a pooled buffer. Without it, each of ten thousand clients could
// send all but the last byte of its largest frame.
//
// A socket that finds it used up is closed. To wait instead would be to wait for
// others that wait as well: each holds what the other needs.
type Budget struct {
	left atomic.Int64
}

// NewBudget returns a budget of n bytes.
func NewBudget(n int) *Budget {
	b := &Budget{}
	b.left.Store(int64(n))
	return b
}

// take takes n bytes, or reports that they aren't there.
func (b *Budget) take(n int) bool {
	if b.left.Add(-int64(n)) >= 0 {
		return true
	}
	b.give(n)
	return false
}

// give gives n bytes back.
func (b *Budget) give(n int) { b.left.Add(int64(n)) }

// Why Read fails, beside what its reader says.
var (
	ErrTooLarge = errors.New("larger than this server accepts")
	ErrNoRoom   = errors.New("too much is being sent at once, come back")
)

// Read reads r to its end, at most so many bytes, in memory that grows with what
// has come and counts as a frame's does: a body is no way around the budget. free
// gives the memory back; data isn't used after it.
func (b *Budget) Read(r io.Reader, most int) (data []byte, free func(), err error) {
	held := 0
	free = func() { b.give(held) }
	for data = make([]byte, 0, 4<<10); ; {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case len(data) > most:
			return nil, free, ErrTooLarge
		case errors.Is(err, io.EOF):
			return data, free, nil
		case err != nil:
			return nil, free, err
		case len(data) < cap(data):
		case !b.take(cap(data)):
			return nil, free, ErrNoRoom
		default:
			held += cap(data)
			data = append(make([]byte, 0, 2*cap(data)), data...)
		}
	}
}

// Left returns how much is left.
func (b *Budget) Left() int64 { return b.left.Load() }
