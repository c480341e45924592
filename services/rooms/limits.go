package rooms

import (
	"time"

	"github.com/fjord-sync/fjord/internal/limit"
	"github.com/fjord-sync/fjord/services/rooms/internal/link"
	"github.com/fjord-sync/fjord/services/rooms/internal/registry"
	"github.com/fjord-sync/fjord/services/rooms/internal/revocations"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// Limits bounds what rooms hold and how long they do. 0 means the default, which
// the table LimitTable gives.
type Limits struct {
	// Rooms is how many are open at once; Memory what they take together, in bytes,
	// by their own count. From 85 % of it on, unused rooms are closed, and no other
	// is opened if that isn't enough.
	Rooms, Memory int
	// Update, Document, Pending and Unsaved bound, in bytes, one update, the encoded
	// document, what it holds of updates that wait for others, and the updates that
	// wait for storage. One RPC message carries Update and Unsaved: at most 16 MiB.
	Update, Document, Pending, Unsaved int
	// EdgeQueue is how much may wait for one edge, in bytes, beside the largest
	// frame.
	EdgeQueue int
	// Sessions is how many are in a room over all edges, Present how many clients
	// show themselves there, State the bytes of what one shows.
	Sessions, Present, State int
	// Idle is how long a durable room stays in memory when nobody is in it, and
	// Volatile the same for volatile rooms, whose documents are gone afterwards.
	Idle, Volatile time.Duration
	// Revocations is how many subjects, rooms and tokens are revoked at a time.
	Revocations int
	// Stale is how long a room may be read here that another process has taken, or
	// that was deleted: the time between two questions to storage.
	Stale time.Duration
}

// LimitTable is the limits of a rooms process.
var LimitTable = limit.Table[Config]{{
	Name: registry.LimitRooms, Default: 100_000,
	What: "rooms that are open", Then: "who wants another waits, and is closed with 1013",
	Count: func(c *Config) *int { return &c.Limits.Rooms },
}, {
	Name: registry.LimitMemory, Default: 4 << 30, Least: 1 << 20,
	What: "bytes that open rooms take together: documents, what is cached of them, what waits", Then: "from 85 % on unused rooms are closed, the coldest first; if that isn't enough, who wants another room waits, and is closed with 1013",
	Bytes: func(c *Config) *int { return &c.Limits.Memory },
}, {
	Name: room.LimitUpdate, Default: 16 << 20, Most: 16 << 20,
	What: "one update", Then: "close 4413",
	Bytes: func(c *Config) *int { return &c.Limits.Update },
}, {
	Name: room.LimitDocument, Default: 256 << 20, Most: 256 << 20,
	What: "an encoded document", Then: "who would take it further: close 4413",
	Bytes: func(c *Config) *int { return &c.Limits.Document },
}, {
	Name: room.LimitPending, Default: 1 << 20,
	What: "bytes of updates in a document that wait for others that have not arrived", Then: "who sends another such: close 4413. What fills a gap is taken, and nothing that was taken is given up",
	Bytes: func(c *Config) *int { return &c.Limits.Pending },
}, {
	Name: room.LimitUnsaved, Default: 16 << 20, Most: 16 << 20,
	What: "updates of a room that aren't stored yet", Then: "the edge is put off: its sockets stay, and are asked again when storage has caught up",
	Bytes: func(c *Config) *int { return &c.Limits.Unsaved },
}, {
	Name: link.LimitQueue, Default: 64 << 20, Least: 64 << 10,
	What: "bytes that wait for an edge, beside the largest frame", Then: "the link is dropped; the edge links again, and its rooms tell what it missed",
	Bytes: func(c *Config) *int { return &c.Limits.EdgeQueue },
}, {
	Name: room.LimitSessions, Default: 5000,
	What: "sessions in a room, over all edges", Then: "close 1013",
	Count: func(c *Config) *int { return &c.Limits.Sessions },
}, {
	Name: room.LimitPresent, Default: 1000,
	What: "clients who show themselves in a room, those gone for less than a minute included", Then: "the newcomer isn't seen until there is a place",
	Count: func(c *Config) *int { return &c.Limits.Present },
}, {
	Name: room.LimitState, Default: 16 << 10,
	What: "what one client shows of itself", Then: "close 4413",
	Bytes: func(c *Config) *int { return &c.Limits.State },
}, {
	Name: "max-idle", Default: int64(time.Minute),
	What: "time that an unused durable room stays in memory, once all is stored", Then: "closed; nothing is lost",
	Time: func(c *Config) *time.Duration { return &c.Limits.Idle },
}, {
	Name: "max-volatile", Default: int64(time.Hour),
	What: "time that an unused volatile room stays", Then: "closed; **its document is gone**",
	Time: func(c *Config) *time.Duration { return &c.Limits.Volatile },
}, {
	Name: revocations.Limit, Default: 10_000,
	What: "subjects, rooms and tokens that are revoked at a time", Then: "`Revoke` answers `resource_exhausted`",
	Count: func(c *Config) *int { return &c.Limits.Revocations },
}, {
	Name: "max-stale", Default: int64(2 * time.Second),
	What: "time that an open room may be read which another process has taken, or which was deleted", Then: "the room is let go",
	Time: func(c *Config) *time.Duration { return &c.Limits.Stale },
}}
