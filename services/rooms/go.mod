module github.com/fjord-sync/fjord/services/rooms

go 1.26.0

require github.com/fjord-sync/fjord/gen v0.0.0

replace github.com/fjord-sync/fjord/gen => ../../gen

require github.com/fjord-sync/fjord/internal v0.0.0

replace github.com/fjord-sync/fjord/internal => ../../internal

require github.com/fjord-sync/fjord/yjs v0.0.0

require (
	connectrpc.com/connect v1.21.1 // indirect
	github.com/cenkalti/backoff/v5 v5.0.3 // indirect
	github.com/prometheus/client_golang v1.23.2 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)

replace github.com/fjord-sync/fjord/yjs => ../../yjs
