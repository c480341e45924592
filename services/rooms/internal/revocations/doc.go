// Package revocations keeps what was taken back from whom, and tells those who have
// to act on it.
//
//	operators ─ Revoke ─▶ List ──▶ log in storage
//	                       │ stored, and only then:
//	                       ├──▶ open rooms, which reconsider who is in them
//	                       └──▶ links, and so edges, which turn away who comes
//
// The log is one of storage's, under a name that no room can have. All rooms
// processes share it: each claims it for the moment of a change, and the others
// look every pollEvery whether it has grown. Without durable rooms there is no
// storage, and the list is gone with the process.
//
//	record   = 01 Revocations   what has changed
//	snapshot = 01 Revocations   all of it
//
// Goroutines: run, started by New and awaited by Rest.
package revocations
