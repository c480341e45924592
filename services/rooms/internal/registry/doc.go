// Package registry keeps the rooms that are open in this process.
//
//	Registry   name → open room; opens each once, lets go of idle ones
//	openRoom   one loop goroutine around one room.Room, and its inbox
//	Attachment a link's (or an RPC's) hold on an open room
//	Sink       where an attachment's frames go
//
// Goroutines: each open room has its loop, which the registry waits for in
// Close, and while it loads a loader, which the loop waits for.
package registry
