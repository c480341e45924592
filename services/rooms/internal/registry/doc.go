// Package registry keeps the rooms that are open in this process.
//
//	Registry   name → open room; opens each once, lets go of idle ones
//	openRoom   one loop goroutine around one room.Room, and its inbox
//	Attachment a link's (or an RPC's) hold on an open room
//	Sink       where an attachment's frames go
//
// Goroutines: each open room has its loop, and beside it a loader while it loads, or
// one that compacts a volatile room's document, which the loop waits for; the
// registry has its heartbeat. Drain waits for all of them.
package registry
