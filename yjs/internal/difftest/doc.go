// Package difftest holds the engine against the npm package yjs, the only oracle
// there is for the format.
//
//	go test ──seeds──►  node oracle.mjs   makes random sessions of 2 to 6 clients
//	        ◄─updates─
//	  applies them to a yjs.Document
//	        ──state, vector, diffs──►     rebuilds replicas from them and compares
//	        ◄─errors──                    view, units, vector, deletes, pending
//
// Programs are numbered; a number makes the same program every time:
//
//	YJS_PROGRAMS=20000 go test ./internal/difftest   more of them
//	YJS_SEED=4711 go test ./internal/difftest        begin at one
//
// It needs Node 20 and npm, and installs what package-lock.json names if
// node_modules is missing. Without them it fails: an engine that wasn't compared
// isn't tested.
package difftest
