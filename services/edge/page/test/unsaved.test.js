import { test } from 'node:test'
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { Ranges, Unsaved } from '../src/unsaved.js'

const writer = () => {
  const doc = new Y.Doc()
  const unsaved = new Unsaved()
  const updates = []
  doc.on('update', (update) => { updates.push(update); unsaved.made(update) })
  return { doc, text: doc.getText('t'), unsaved, updates }
}

test('an insert is saved when it comes back, and not before', () => {
  const { text, unsaved, updates } = writer()
  text.insert(0, 'a')
  text.insert(1, 'b')
  assert.equal(unsaved.empty, false)
  unsaved.cameBack(updates[0])
  assert.equal(unsaved.empty, false)
  unsaved.cameBack(updates[1])
  assert.equal(unsaved.empty, true)
})

test('a merged echo saves all that it holds', () => {
  const { text, unsaved, updates } = writer()
  for (let i = 0; i < 50; i++) text.insert(0, 'x')
  unsaved.cameBack(Y.mergeUpdates(updates))
  assert.equal(unsaved.empty, true)
})

test("somebody else's update saves nothing of ours", () => {
  const { text, unsaved } = writer()
  text.insert(0, 'ours')
  const other = writer()
  other.text.insert(0, 'theirs')
  unsaved.cameBack(other.updates[0])
  assert.equal(unsaved.empty, false)
})

test('a gap in an update is not taken for content', () => {
  const { text, unsaved, updates } = writer()
  for (const c of 'abc') text.insert(text.length, c)
  unsaved.cameBack(Y.mergeUpdates([updates[0], updates[2]]))
  assert.deepEqual([...unsaved.inserted.clients.values()], [[[1, 2]]])
})

test('a state vector saves inserts but never deletes', () => {
  const { doc, text, unsaved, updates } = writer()
  text.insert(0, 'abc')
  text.delete(1, 1)
  unsaved.serverHas(Y.encodeStateVector(doc))
  assert.equal(unsaved.empty, false)
  unsaved.cameBack(updates[1])
  assert.equal(unsaved.empty, true)
})

test("deleting others' text is an edit of ours", () => {
  const other = writer()
  other.text.insert(0, 'theirs')
  const { doc, unsaved, text, updates } = writer()
  Y.applyUpdate(doc, other.updates[0])
  unsaved.cameBack(other.updates[0])
  assert.equal(unsaved.empty, true)
  text.delete(0, 3)
  assert.equal(unsaved.empty, false)
  unsaved.cameBack(updates.at(-1))
  assert.equal(unsaved.empty, true)
})

test('ranges agree with a set of numbers', () => {
  let seed = 7
  const random = (n) => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed % n }
  const ranges = new Ranges()
  const model = new Set()
  for (let i = 0; i < 2000; i++) {
    const from = random(100)
    const to = from + 1 + random(20)
    const add = random(2) === 0
    if (add) ranges.add(1, from, to)
    else ranges.remove(1, from, to)
    for (let n = from; n < to; n++) add ? model.add(n) : model.delete(n)
    const flat = (ranges.clients.get(1) ?? []).flatMap(([a, b]) => Array.from({ length: b - a }, (_, k) => a + k))
    assert.deepEqual(flat, [...model].sort((x, y) => x - y))
  }
})
