module github.com/fjord-sync/fjord/services/edge

go 1.26.0

require github.com/fjord-sync/fjord/gen v0.0.0

replace github.com/fjord-sync/fjord/gen => ../../gen

require github.com/fjord-sync/fjord/internal v0.0.0

replace github.com/fjord-sync/fjord/internal => ../../internal

require (
	connectrpc.com/connect v1.21.1
	github.com/MicahParks/jwkset v0.11.0
	github.com/cenkalti/backoff/v5 v5.0.3
	github.com/cespare/xxhash/v2 v2.3.0
	github.com/fjord-sync/fjord/yjs v0.0.0
	github.com/golang-jwt/jwt/v5 v5.3.0
	github.com/gorilla/websocket v1.5.3
	github.com/hashicorp/golang-lru/v2 v2.0.7
	github.com/prometheus/client_golang v1.23.2
	github.com/urfave/cli/v3 v3.6.1
	go.uber.org/goleak v1.3.0
	golang.org/x/crypto v0.45.0
	golang.org/x/sync v0.17.0
	golang.org/x/time v0.14.0
	google.golang.org/protobuf v1.36.11
)

require (
	connectrpc.com/grpchealth v1.4.0 // indirect
	connectrpc.com/grpcreflect v1.3.0 // indirect
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/prometheus/client_model v0.6.2 // indirect
	github.com/prometheus/common v0.66.1 // indirect
	github.com/prometheus/procfs v0.16.1 // indirect
	go.yaml.in/yaml/v2 v2.4.2 // indirect
	golang.org/x/sys v0.38.0 // indirect
)

replace github.com/fjord-sync/fjord/yjs => ../../yjs
