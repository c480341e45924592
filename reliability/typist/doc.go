// Package typist is a y-websocket client in Go that remembers everything: each
// update that it said, when it heard it back, and all that it heard of others.
//
//	Type ──▶ document ──▶ socket ══▶ edge
//	  │         ▲            │
//	  ▼         └── seen ◀───┘    what came from the server, and nothing else
//	history: Said{bytes, sent, echoed}
//
// It does what the npm client does: it stays connected, sends step 1 with all that
// its document has, answers the server's step 1, and takes an update as saved when
// the server has shown it: as an echo, in a step 2, or in a state vector.
//
// Goroutines: one for a Typist, which dials and reads; it ends with Close. Type
// writes to the socket in its caller's goroutine.
package typist
