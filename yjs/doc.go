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
//	                      main       |s|s|s|s|s|s|s|tail|     |s|s|
//	                      deletes    [2,5) [9,31)
//	                    client 311 …
//
//	document  clients, each with a run of structs from clock 0, runs behind gaps,
//	          and the set of deleted clocks
//	run       structs back to back as they travel; a full state is a copy of it
//	block     one struct while it is being read: offsets into bytes
//	span      a range of deleted clocks
//	vector    a peer's state vector
//
// A letter typed after the last one makes the last struct a byte longer. Nothing
// points at anything, so a document costs about what its bytes cost.
//
// The package starts no goroutines. A Document belongs to one goroutine.
//
// The format is that of Yjs 13, version 1; the oracle is the npm package yjs,
// against which the tests run. Source: https://github.com/yjs/yjs.
package yjs
