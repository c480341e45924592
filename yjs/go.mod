module github.com/fjord-sync/fjord/yjs

go 1.26.0
