// Package difftest holds the engine against the npm package yjs, the only oracle
// there is for the format.
//
//	go test ──seeds──►  node oracle.mjs   makes random sessions of 2 to 6 clients
//	        ◄─updates─
//	  applies them to a yjs.Document, reads it with content
//	        ──state, vector, diffs──►     rebuilds replicas from them and compares
//	        ◄─errors, views──             view, units, vector, deletes, pending
//
// Programs are numbered; a number makes the same program every time:
//
//	YJS_PROGRAMS=20000 go test ./internal/difftest     more of them
//	YJS_SEED=4711 go test ./internal/difftest          begin at one
//	make differential                                  the 20 000 of CI
//	make fuzz                                          a million
//
// Half of the programs are the same every time, the other half begins at a number
// that is drawn and logged. What fails is run again with ever fewer steps and
// updates, and what is left of it is kept in testdata/cases, which every run begins
// with.
//
// What programs have in them and what is compared is counted, and 20 000 of them must
// have enough of each (census_test.go). Programs that cut surrogate pairs are
// compared apart (cuts_test.go, YJS_CUTS of them).
//
// That the comparison sees something is shown by bugs that are put into the engine
// one by one (make mutants, mutants_test.go): each must make a test fail. Which test
// and which bug belongs to which claim is in proof.md.
//
// Beside it, lib0.mjs holds yjs/lib0 against the npm package lib0 (YJS_ANYS values), and
// the tests of yjs/awareness hold it against y-protocols (YJS_AWARENESS sessions).
//
// It needs Node 20 and npm, and installs what package-lock.json names if
// node_modules is missing. Without them it fails: an engine that wasn't compared
// isn't tested. What is here outside of tests is for content's tests as well.
package difftest
