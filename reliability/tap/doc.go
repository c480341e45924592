// Package tap stands between rooms and storage: it speaks the storage protocol to
// both, passes every call on, records what was asked and answered, and loses or
// repeats what it is told to.
//
//	rooms-1 ══▶ Port "rooms-1" ┐
//	                           ├─ Tap ══▶ storage (its address may change)
//	rooms-2 ══▶ Port "rooms-2" ┘   │
//	                               └─ []Op, in the order of their calls
//
// An answer that the tap loses is a call whose outcome rooms doesn't know, though
// the history does not either: it is recorded as unknown, as rooms saw it.
package tap
