// Package edge is the service that browsers speak to: it ends websockets and
// forwards what they say, decoded, to the rooms processes that own documents.
//
//		           ┌───────────────── Edge ─────────────────┐
//		websocket ─┤ socket ─ dialect ─ session ─ link ─────┼─ Connect ─ rooms
//		websocket ─┤ socket ─ dialect ─ session ─┘  │       │
//		websocket ─┤ socket ─ dialect ─ session ─ link ─────┼─ Connect ─ rooms
//		           └────────────────────────────────────────┘
//
//	  - A socket is one websocket (internal/socket).
//	  - A dialect is the byte language of a socket (internal/dialect).
//	  - A session is one client in one room; it decides what may be said and what
//	    is told (internal/session).
//	  - A link is the stream to one rooms process, shared by all its rooms
//	    (internal/link); which process a room lives in is placement's answer
//	    (internal/placement).
//
// An edge keeps nothing: no document, no update, no queue but bounded ones. When
// a rooms process goes away, its sockets stay and are caught up afterwards.
//
// Goroutines: each socket has a reader, started by ServeHTTP and awaited by
// Close, and a writer while something waits for it. Each link has a receiver and
// a sender, awaited by Close too.
//
// The wire of y-websocket: https://github.com/yjs/y-websocket and
// https://github.com/yjs/y-protocols/blob/master/PROTOCOL.md.
package edge
