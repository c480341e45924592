package store

import (
	"bytes"
	"errors"
	"io"
)

// Body reads a snapshot's bytes and answers io.EOF only after exactly as many as
// its header says. Fewer or more are an error of kind [Invalid]; another error of
// the reader below is passed on.
type Body struct {
	from io.Reader
	size uint64
	left uint64
}

// NewBody returns a Body of size bytes, read from r.
func NewBody(r io.Reader, size uint64) *Body {
	return &Body{from: r, size: size, left: size}
}

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, b.end()
	}
	if uint64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.from.Read(p)
	b.left -= uint64(n)
	switch {
	case errors.Is(err, io.EOF) && b.left > 0:
		return n, Errorf(Invalid, Head{}, "the snapshot ends after %d bytes: its header says %d", b.size-b.left, b.size)
	case errors.Is(err, io.EOF):
		return n, nil // the next call says so
	}
	return n, err
}

// end returns io.EOF if nothing follows the snapshot.
func (b *Body) end() error {
	var one [1]byte
	switch n, err := io.ReadFull(b.from, one[:]); {
	case n > 0:
		return Errorf(Invalid, Head{}, "the snapshot goes on after the %d bytes that its header says", b.size)
	default:
		return err
	}
}

// firstRead bounds what ReadSnapshot sets aside before any byte came.
const firstRead = 256 << 10

// ReadSnapshot reads all of s from body into one slice, which grows with what
// really arrives.
func ReadSnapshot(s Snapshot, body io.Reader) ([]byte, error) {
	var buf bytes.Buffer
	buf.Grow(int(min(s.Size, firstRead)))
	if _, err := buf.ReadFrom(NewBody(body, s.Size)); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
