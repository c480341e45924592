package link

import (
	"bytes"
	"testing"
)

func put(n int) func([]byte) []byte {
	return func(chunk []byte) []byte { return append(chunk, make([]byte, n)...) }
}

func TestQueueAdmitsBelowItsLimit(t *testing.T) {
	q := newQueue(100)
	if q.offer(put(99)) != nil || q.offer(put(1000)) != nil {
		t.Fatal("turned away below the limit")
	}
	wait := q.offer(put(1))
	if wait == nil {
		t.Fatal("admitted above the limit")
	}
	q.add(put(5)) // what a link says of itself always goes
	chunk := q.take()
	if len(chunk) != 99+1000+5 {
		t.Fatalf("%d bytes, want 1104", len(chunk))
	}
	select {
	case <-wait:
		t.Fatal("woken before the bytes were sent")
	default:
	}
	q.sent(chunk)
	select {
	case <-wait:
	default:
		t.Fatal("not woken by room")
	}
	if q.offer(put(1)) != nil {
		t.Fatal("turned away by an empty queue")
	}
}

func TestQueueFillsChunks(t *testing.T) {
	q := newQueue(1 << 30)
	for range 100 {
		q.add(put(10_000))
	}
	total, chunks := 0, 0
	for chunk := q.take(); chunk != nil; chunk = q.take() {
		if len(chunk) >= chunkSize+10_000 {
			t.Errorf("a chunk of %d bytes", len(chunk))
		}
		total += len(chunk)
		chunks++
		q.sent(chunk)
	}
	if total != 1_000_000 || chunks != 4 || q.bytes != 0 {
		t.Errorf("%d bytes in %d chunks, %d left", total, chunks, q.bytes)
	}
}

func TestQueueWakesTheSenderOnce(t *testing.T) {
	q := newQueue(100)
	q.add(put(1))
	q.add(put(1))
	<-q.wake
	select {
	case <-q.wake:
		t.Error("two tokens")
	default:
	}
}

func TestClosedQueue(t *testing.T) {
	q := newQueue(10)
	q.add(put(10))
	wait := q.offer(put(1))
	q.close()
	select {
	case <-wait:
	default:
		t.Error("not woken by the end")
	}
	if q.offer(put(1)) != nil || q.take() != nil {
		t.Error("a closed queue keeps something")
	}
}

// A chunk is used again, and never while it is being sent.
func TestChunksAreNotShared(t *testing.T) {
	q := newQueue(1000)
	q.add(func(c []byte) []byte { return append(c, "first"...) })
	first := q.take()
	q.add(func(c []byte) []byte { return append(c, "second"...) })
	if !bytes.Equal(first, []byte("first")) {
		t.Errorf("a chunk on its way became %q", first)
	}
	q.sent(first)
	second := q.take()
	q.add(func(c []byte) []byte { return append(c, "third"...) })
	if !bytes.Equal(second, []byte("second")) {
		t.Errorf("a chunk on its way became %q", second)
	}
}
