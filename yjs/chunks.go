package yjs

import "slices"

// insertAt puts a value before a spot of a sorted list in chunks, of which none is
// empty and none longer than most. One long slice would be simpler, but making room for
// each value in front of a million takes quadratic time. It also returns where the value
// stands now.
//
// A chunk that is full is cut in two, so that what comes in any order leaves them three
// quarters full or so. But what comes in order or from behind fills them.
func insertAt[T any](chunks [][]T, at spot, v T, most int) ([][]T, spot) {
	if at.i == len(chunks) {
		chunks = push(chunks, v, most)
		last := len(chunks) - 1
		return chunks, spot{last, len(chunks[last]) - 1}
	}
	if len(chunks[at.i]) == most {
		if before := at.i - 1; at.j == 0 && before >= 0 && len(chunks[before]) < most {
			chunks[before] = append(chunks[before], v)
			return chunks, spot{before, len(chunks[before]) - 1}
		} else if at.j == 0 {
			chunks = slices.Insert(chunks, at.i, append(make([]T, 0, most), v))
			return chunks, at
		}
		half := most / 2
		chunk := chunks[at.i]
		right := append(make([]T, 0, most), chunk[half:]...)
		clear(chunk[half:])
		chunks = slices.Insert(chunks, at.i+1, right)
		chunks[at.i] = chunk[:half]
		if at.j > half {
			at = spot{at.i + 1, at.j - half}
		}
	}
	chunks[at.i] = slices.Insert(chunks[at.i], at.j, v)
	return chunks, at
}

// push puts a value behind all others.
func push[T any](chunks [][]T, v T, most int) [][]T {
	switch last := len(chunks) - 1; {
	case last < 0:
		return append(chunks, []T{v})
	case len(chunks[last]) == most:
		return append(chunks, append(make([]T, 0, most), v))
	default:
		chunks[last] = append(chunks[last], v)
		return chunks
	}
}

// removeAt is the opposite of insertAt, and returns the spot of what followed. Chunks
// are joined with neighbours long before they are empty: what was put between values
// and is removed again would else leave each of them a chunk to itself.
func removeAt[T any](chunks [][]T, at spot, most int) ([][]T, spot) {
	chunks[at.i] = slices.Delete(chunks[at.i], at.j, at.j+1)
	if i := at.i - 1; i >= 0 && len(chunks[i])+len(chunks[at.i]) <= most/2 {
		at = spot{i, len(chunks[i]) + at.j}
		chunks = joinAt(chunks, i)
	}
	if i := at.i; i+1 < len(chunks) && len(chunks[i])+len(chunks[i+1]) <= most/2 {
		chunks = joinAt(chunks, i)
	}
	switch {
	case len(chunks[at.i]) == 0:
		chunks = slices.Delete(chunks, at.i, at.i+1)
	case at.j == len(chunks[at.i]):
		at = spot{at.i + 1, 0}
	}
	return chunks, at
}

// joinAt joins a chunk with the next.
func joinAt[T any](chunks [][]T, i int) [][]T {
	chunks[i] = append(chunks[i], chunks[i+1]...)
	return slices.Delete(chunks, i+1, i+2)
}

// afterOf returns the spot behind one that holds a value.
func afterOf[T any](chunks [][]T, at spot) spot {
	if at.j++; at.j == len(chunks[at.i]) {
		return spot{at.i + 1, 0}
	}
	return at
}
