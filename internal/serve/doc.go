// Package serve is the hallway that Fjord's processes share: how they listen,
// how they call one another, and how an operator looks in.
//
//	Server     one listener: HTTP/1.1 and HTTP/2 in clear text
//	NewClient  calls another service over HTTP/2
//	RPC        Connect handlers + gRPC health + gRPC reflection on one mux
//	Ops        /healthz, /readyz and /metrics
//
// Every listener belongs to one Server, whose Serve goroutine ends in Shutdown.
package serve
