// Command bench compares the engine with yjs and with yrs as WebAssembly (ywasm), on
// the same bytes, in one run, on one machine:
//
//	data      histories and documents, made here, written to a directory
//	go run    ──rows──► fjord.txt     this process's child, the engine
//	node      ──rows──► yjs.txt       bench.mjs, the npm package yjs
//	node      ──rows──► ywasm.txt     bench.mjs, the npm package ywasm
//	table     medians, ratios, the goal of each row, the number of samples
//
// The files are in the format of Go's benchmarks, several samples a row; benchstat
// reads them. Each line has wall time and the CPU time of the whole process, garbage
// collection included: on a busy machine only the latter means something.
//
// Rows have ten samples, those that take long fewer, but at least three; what takes
// longer than 20 seconds has one. That makes ten minutes in all on an idle machine.
//
//	go run ./internal/bench [-n samples] [-out directory] [-row regexp] [-only fjord,yjs,ywasm] [-linear=false] [-crowd=false]
//	go run ./internal/bench -markdown file    put the last results into docs/engine.md
//
// It needs Node 20 and npm, and installs what package-lock.json names.
package main
