// Package fleet runs Fjord's binaries as processes that can be killed, frozen,
// drained and started again, behind proxies whose addresses stay.
//
//	Binaries   built once for a set of build tags
//	Process    one binary: its arguments, its log, the addresses that it prints
//	Proxy      a TCP address that stays, and can cut, hold back and delay
//	Fleet      edges, rooms and storage, wired through proxies and taps
//
// Goroutines: each started process has one that waits for its end, and one that
// reads its output; each proxy one that accepts and four for a connection. They end
// with Fleet.Close, which waits for them.
package fleet
