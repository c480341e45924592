// Yjs asks for a random client and GUID for each replica that is made here, a
// quarter of all time, and programs should hang on nothing but their number. To be
// imported before yjs.
import { webcrypto } from 'node:crypto'

let state = 1

Object.defineProperty(webcrypto, 'getRandomValues', {
  value: array => {
    for (let i = 0; i < array.length; i++) array[i] = state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return array
  }
})
