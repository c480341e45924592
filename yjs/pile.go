package yjs

// pile is a list that grows by adding chunks. append would move what there is into a
// larger one, again and again, which takes up to five times the memory that stays.
type pile[T any] struct {
	chunks [][]T // of chunkPile values, but the first, which grows up to that
	count  int   // of values; there may be room behind them
}

// chunkPile is how many values a chunk has.
const chunkPile = 128

// at returns a value. The pointer is good until the next push.
func (p *pile[T]) at(i int) *T { return &p.chunks[uint(i)/chunkPile][uint(i)%chunkPile] }

// push puts a value behind all others.
func (p *pile[T]) push(v T) {
	i, j := p.count/chunkPile, p.count%chunkPile
	p.count++
	switch {
	case i > 0 && i == len(p.chunks):
		p.chunks = append(p.chunks, make([]T, chunkPile))
	case i == len(p.chunks):
		p.chunks = append(p.chunks, []T{v})
		return
	case j == len(p.chunks[i]):
		p.chunks[0] = append(p.chunks[0], v)
		p.chunks[0] = p.chunks[0][:min(cap(p.chunks[0]), chunkPile)]
		return
	}
	p.chunks[i][j] = v
}

// drop forgets all values but the first n, and keeps their room.
func (p *pile[T]) drop(n int) { p.count = n }

// cut is drop that gives back the room.
func (p *pile[T]) cut(n int) {
	chunks := (n + chunkPile - 1) / chunkPile
	p.chunks = cut(p.chunks, chunks)
	p.count = n
	if n == 0 {
		return
	}
	last := p.chunks[chunks-1]
	used := n - (chunks-1)*chunkPile
	clear(last[used:])
	if chunks == 1 && len(last) > 2*used+keepRoom {
		p.chunks[0] = append([]T(nil), last[:used]...)
	}
}

// reset forgets all values, and keeps room for a few.
func (p *pile[T]) reset() {
	if len(p.chunks) != 1 || len(p.chunks[0]) > keepRoom {
		*p = pile[T]{}
		return
	}
	clear(p.chunks[0])
	p.count = 0
}
