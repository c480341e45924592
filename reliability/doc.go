// Package reliability breaks Fjord on purpose: real binaries, real disks, real
// sockets. Its tests are named T1 to T17 as in docs/reliability.md, which says
// what each of them promises and what it last measured.
//
//	typist ══▶ proxy ══▶ edge ══▶ proxy ══▶ rooms ══▶ tap ══▶ storage ──▶ disk
//	  │ history            │                  │         │ history │         │
//	  │                    └── kill, stop, continue, restart ─────┘   cut, fill
//	  ▼                                                 ▼
//	check: what was echoed exists, nothing else does, all agree, one log, one owner
//
//	fleet    the binaries as processes, and TCP proxies between them
//	typist   a y-websocket client that remembers what it said and heard
//	tap      stands before storage, records every call, loses what it is told to
//	check    the verdict over the histories and what is on the disk
//	js       the npm clients, and npm's yjs as the reader of what was kept
//
// It knows the services by their binaries and their protocols only. The package
// imports none of them, so that nothing but the wire can make a test pass.
package reliability
