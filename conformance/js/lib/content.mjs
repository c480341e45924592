// What a document holds, in a form in which two documents can be compared.

import { inspect, isDeepStrictEqual } from 'node:util'
import * as Y from 'yjs'
import { until } from './wait.mjs'

/** The encoded state vector and delete set: the same bytes iff two documents hold the same. */
export const identity = (doc) => Buffer.from(Y.encodeSnapshot(Y.snapshot(doc))).toString('hex')

const pending = (doc) => doc.store.pendingStructs !== null || doc.store.pendingDs !== null

/** Everything readable, under the names that lib/edits.mjs writes to. */
export const content = (doc) => ({
  stateVector: Buffer.from(Y.encodeStateVector(doc)).toString('hex'),
  identity: identity(doc),
  text: doc.getText('text').toDelta(),
  map: doc.getMap('map').toJSON(),
  array: doc.getArray('array').toJSON(),
  xml: doc.getXmlFragment('xml').toString()
})

/** Waits until all documents hold the same, then proves it field by field. */
export const converge = async (docs, { within } = {}) => {
  try {
    await until('the documents are the same', () => {
      const first = identity(docs[0])
      return docs.every((doc) => identity(doc) === first && !pending(doc))
    }, { within })
  } catch (error) {
    error.message += '; state vectors: ' + JSON.stringify(docs.map((doc) => Object.fromEntries(Y.decodeStateVector(Y.encodeStateVector(doc)))))
    throw error
  }
  const first = content(docs[0])
  for (const [i, doc] of docs.entries()) {
    const other = content(doc)
    for (const field of Object.keys(first)) {
      if (!isDeepStrictEqual(first[field], other[field])) throw new Error(`documents 0 and ${i} differ in ${field}: ${difference(first[field], other[field])}`)
    }
  }
  return first
}

/** The surroundings of the first difference: whole documents help nobody. */
const difference = (a, b) => {
  const [left, right] = [a, b].map((value) => inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null, compact: true, sorted: true }))
  let at = 0
  while (left[at] === right[at]) at++
  const around = (text) => text.slice(Math.max(0, at - 60), at + 60)
  return `\n  …${around(left)}…\n  …${around(right)}…`
}
