// Package ecma is what Yjs leaves to JavaScript: how numbers and strings become
// text, which numbers there are, and in which order an object has its keys.
//
// Source: ECMA-262, https://tc39.es/ecma262.
package ecma
