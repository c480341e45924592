module github.com/fjord-sync/fjord/internal

go 1.26.0

require github.com/fjord-sync/fjord/gen v0.0.0

replace github.com/fjord-sync/fjord/gen => ../gen

require github.com/fjord-sync/fjord/yjs v0.0.0

require (
	connectrpc.com/connect v1.21.1 // indirect
	connectrpc.com/grpchealth v1.4.0 // indirect
	connectrpc.com/grpcreflect v1.3.0 // indirect
	github.com/prometheus/client_golang v1.23.2 // indirect
	github.com/urfave/cli/v3 v3.6.1 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	golang.org/x/net v0.47.0 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)

replace github.com/fjord-sync/fjord/yjs => ../yjs
