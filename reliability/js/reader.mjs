// Reads documents into fresh Y.Docs. Lines in are JSON: ["read", updates] with a
// line out that says of each what Yjs makes of it; ["union", updates] with the
// document, in quotes, that has all of them. Updates are in base64.

import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import * as Y from 'yjs'

const read = (update) => {
  const doc = new Y.Doc()
  try {
    Y.applyUpdate(doc, Buffer.from(update, 'base64'))
    const rest = { map: doc.getMap('map').toJSON(), array: doc.getArray('array').toJSON() }
    return {
      identity: Buffer.from(Y.encodeSnapshot(Y.snapshot(doc))).toString('hex'),
      text: createHash('sha256').update(JSON.stringify(doc.getText('text').toDelta())).digest('hex'),
      rest: createHash('sha256').update(JSON.stringify(rest, sorted)).digest('hex'),
      pending: doc.store.pendingStructs !== null || doc.store.pendingDs !== null
    }
  } catch (error) {
    return { error: error.message }
  } finally {
    doc.destroy()
  }
}

// The order of keys in a Y.Map is nobody's promise.
const sorted = (_, value) => value !== null && typeof value === 'object' && !Array.isArray(value)
  ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1))
  : value

const union = (updates) => {
  const doc = new Y.Doc({ gc: false })
  for (const update of updates) Y.applyUpdate(doc, Buffer.from(update, 'base64'))
  return Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64')
}

for await (const line of createInterface({ input: process.stdin })) {
  const [what, updates] = JSON.parse(line)
  console.log(JSON.stringify(what === 'union' ? union(updates) : updates.map(read)))
}
