// Package content reads and edits what a Yjs document says.
//
// A yjs.Document holds structs as they travel, in no order but that of their
// clocks. Who reads or edits makes a View of it: every struct in its place, as Yjs
// would put it. A view costs some 36 bytes a piece of a struct, beside the update
// that it reads the content from, and a fraction of a microsecond to make; it is
// made when it is needed and dropped afterwards.
//
//	update ──Read──► View
//	                   roots   "body" ─► shared type ─► sequence  n─n─n─n
//	                                               └─► keys   "a" n─n  "b" n
//	                   nodes   a piece of a struct each, in the order of clocks
//	                   lists   nodes from left to right: a sequence, or all
//	                           values that a key has had
//
//	node      a struct, or a part of one, in its place in a list
//	list      nodes from left to right
//	shared    a shared type: a sequence and keys; Text, Map … are ways to read one
//	value     what is in a document: see below
//	snapshot  a moment in the life of a document
//	position  a place in a sequence that moves with what is around it
//	changed   what isn't as it was at a snapshot: deltas and keys
//
// Values of a document are, in Go:
//
//	null        nil                 array        []any
//	undefined   Undefined{}         object       map[string]any
//	boolean     bool                Uint8Array   []byte
//	number      float64             bigint       BigInt
//	string      string              Y.Doc        Subdocument
//
// and the shared types Text, Array, Map, XMLFragment, XMLElement, XMLText, XMLHook.
// Half a surrogate pair, which JavaScript's strings can hold and UTF-8 can't, is
// U+FFFD. Values are larger in Go than in a document, up to a hundred times: see
// lib0.Any. Text and XML aren't.
//
// Lengths and indices are in UTF-16 units, as in JavaScript. The oracle is the npm
// package yjs 13.6.33: what a view reads, and what its edits lead to, is compared
// with it by the tests.
//
// What a view returns is the caller's to change, and what an edit is given is copied;
// only the updates that Read and ReadAt are given are kept. Arrays and maps print
// themselves as JSON, texts as their characters, and XML as XML.
//
// The package starts no goroutines. A view may be read by many at once, but not
// while it is edited.
//
// Source: https://github.com/yjs/yjs, src/structs/Item.js and src/types; "Near
// Real-Time Peer-to-Peer Shared Editing on Extensible Data Types" (YATA), 2016.
package content
