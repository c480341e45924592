// Package protocol reads and writes what Yjs peers say to each other: the payloads of
// the npm package y-protocols, and the messages in which the npm package y-websocket
// packs them.
//
//	sync     = varUint(type) varBytes(body)
//	type 0     step 1: body is an encoded state vector, "send me what I lack"
//	type 1     step 2: body is an update, the answer to a step 1
//	type 2     update: body is an update that has just happened
//	auth     = varUint(0) varString(reason)        permission denied
//
//	frame    = message+                            a binary websocket message
//	message  = 0 sync
//	         | 1 varBytes(awareness update)        see package awareness
//	         | 2 auth
//	         | 3                                   who is there? answered by a 1
//
// ReadSync and ReadPermissionDenied are for those who have a framing of their own, as
// Hocuspocus and ELVA have; ReadMessage is for y-websocket's. Nothing is copied: bodies
// alias what they were read from. Updates and state vectors aren't looked at here;
// yjs.Document checks what it is given.
//
// What a server says: step 2 to each step 1, and a step 1 of its own, once; every update
// to the others as an update, never as the step 2 that it may have come in, because
// clients take any step 2 for the end of their synchronisation; one message a frame,
// because clients of y-websocket up to 3.1 read only the first. Awareness of nobody
// (1 1 0) keeps a silent connection alive: clients close it after 30 s.
//
// Source: https://github.com/yjs/y-protocols, sync.js, auth.js and PROTOCOL.md, and
// https://github.com/yjs/y-websocket, y-websocket.js.
package protocol
