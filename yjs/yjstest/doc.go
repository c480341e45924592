// Package yjstest makes editing histories for tests and benchmarks: what one
// author of a long paper typed and deleted, as one version 1 update per edit; and
// documents of many authors.
//
//	History()  []Edit     the real one where it lies beside the checkout, else Paper
//	Paper(n)   []Edit     a made one of the same shape
//	Updates    [][]byte   an update per edit, as yjs's YText would send it
//	Book       []byte     the state of a text that many wrote over a long time
//	Crowd      []byte     the state of a text that many wrote at once
//	Text       string     what the reader sees in the end
package yjstest
