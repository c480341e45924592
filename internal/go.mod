module github.com/fjord-sync/fjord/internal

go 1.26.0

require github.com/fjord-sync/fjord/gen v0.0.0

replace github.com/fjord-sync/fjord/gen => ../gen

require github.com/fjord-sync/fjord/yjs v0.0.0

replace github.com/fjord-sync/fjord/yjs => ../yjs
