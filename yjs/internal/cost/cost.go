// Package cost measures what a function takes, for tests and benchmarks: bytes that it
// allocates, bytes that stay, and CPU time.
package cost

import "runtime"

// Allocated returns how many bytes f allocates. What others allocate beside it counts
// too: see Least.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Least returns how many bytes f allocates, the least of three tries.
func Least(f func()) uint64 {
	return min(Allocated(f), Allocated(f), Allocated(f))
}

// Heap returns how many bytes are held. It collects garbage twice: what a pool gave up
// goes with the second time.
func Heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
