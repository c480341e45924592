// A document with the whole editing history of a long paper.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { Client } from '../lib/client.mjs'
import { converge } from '../lib/content.mjs'
import { freshRoom, serverURL } from '../lib/servers.mjs'
import { finalText, longPaper } from '../lib/trace.mjs'
import { longest, turn, until } from '../lib/wait.mjs'

const { name, edits } = longPaper()
const expected = finalText(edits)

const apply = (text, [position, deleted, inserted = '']) => {
  if (deleted > 0) text.delete(position, deleted)
  if (inserted !== '') text.insert(position, inserted)
}

const timed = async (t, what, work) => {
  const started = performance.now()
  const result = await work()
  t.diagnostic(`${what}: ${Math.round(performance.now() - started)} ms`)
  return result
}

const latecomersGetIt = async (t, url, room, doc) => {
  for (const version of [2, 3]) {
    const late = await timed(t, `y-websocket ${version} joins late`, () => Client.open(t, { version, url, room }))
    assert.equal(late.text.toString(), expected)
    await converge([doc, late.doc])
    late.close()
  }
}

test(`${edits.length} single edits (${name}), as one update`, { timeout: longest }, async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('paper-at-once')
  const doc = new Y.Doc()
  for (const edit of edits) apply(doc.getText('text'), edit)
  assert.equal(doc.getText('text').toString(), expected, 'the trace was not replayed as it should be')
  t.diagnostic(`${Y.encodeStateAsUpdate(doc).length} bytes`)
  const watcher = await Client.open(t, { version: 2, url, room })
  const writer = await Client.open(t, { version: 3, url, room, doc })
  await timed(t, 'the watcher has it', () => until('the watcher has it', () => watcher.text.length === expected.length))
  await converge([writer.doc, watcher.doc])
  await latecomersGetIt(t, url, room, writer.doc)
})

test(`${edits.length} single edits (${name}), typed live`, { timeout: longest }, async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('paper-typed')
  const writer = await Client.open(t, { version: 3, url, room })
  const watcher = await Client.open(t, { version: 2, url, room })
  await timed(t, 'typed', async () => {
    for (const [i, edit] of edits.entries()) {
      apply(writer.text, edit)
      if (i % 200 !== 199) continue
      await turn()
      // As fast as the server takes them, but not faster: what a socket holds
      // back is kept by the client and proves nothing.
      if (writer.client.ws?.bufferedAmount > 1 << 20) await until('the socket drains', () => !(writer.client.ws?.bufferedAmount > 1 << 16))
    }
  })
  await timed(t, 'the watcher has the last edit', () => until('the watcher has it', () => watcher.text.toString() === expected))
  await converge([writer.doc, watcher.doc])
  assert.deepEqual(writer.closes, [], 'the writer was cut off')
  await latecomersGetIt(t, url, room, writer.doc)
})
