// Package yjs is a Yjs replica that holds bytes instead of objects.
//
// A Document takes updates and gives back its state vector, the difference to a
// peer's, or everything; it is what a server needs. It doesn't know what the
// text reads: that takes the order of the structs, which is worked out by those
// who read. For a server the structs of each client in the order of their
// clocks are enough, because every struct names its neighbours by absolute ids.
//
//	update ──check──► Document
//	                    client 812   clock 0 ───────── end    … gap …
//	                      main       |s|s|s|s|s|s|s|tail|     gaps |s| |s|
//	                      deletes    [2,5) [9,31)
//	                    client 311 …
//
// On the wire and in a run, a struct is (more in block.go, update.go):
//
//	info | origin? | right origin? | parent? key? | content
//	kind and flags   ids: varUint client, varUint clock
//
//	document   clients, each with a run of structs from clock 0, structs that wait
//	           behind gaps, and the set of deleted clocks
//	run        structs back to back as they travel: a full state is a copy of it
//	block      one struct while it is being read: offsets into bytes
//	span       a range of deleted clocks
//	vector     a peer's state vector
//	nesting    how deep each shared type stands, if anybody writes
//
// A letter typed after the last one makes the last struct a byte longer. Nothing
// points at anything, so a document costs about what its bytes cost.
//
// What comes in is checked to its last byte before anything changes: that it can
// be read, that every Yjs client can load it, that it keeps within the limits, and
// that it doesn't contradict what is held. What isn't refused is kept, also while
// what it hangs on is missing. Time and memory are linear in the bytes given.
//
// The same without a document: ValidateUpdate, MergeUpdates, DiffUpdate,
// StateVectorFromUpdate, and the conversions between versions 1 and 2 of the
// format. Version 1 is what travels and what a document holds; version 2 is smaller,
// half as large where many single letters were typed, and for storage. Nothing in the
// bytes says which of the two they are: who gives one for the other gets ErrMalformed
// or ErrLimit, as good as always.
//
// No bytes that are given are kept, and those that are returned are the caller's. The
// package starts no goroutines. A Document belongs to one goroutine; functions may be
// called by many at once.
//
// The format is that of Yjs 13; the oracle is the npm package yjs, against which
// internal/difftest runs. Source: https://github.com/yjs/yjs.
package yjs
