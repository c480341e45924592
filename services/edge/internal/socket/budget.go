package socket

import "sync/atomic"

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

// Left returns how much is left.
func (b *Budget) Left() int64 { return b.left.Load() }
