// What Yjs' garbage collector would drop is dropped from snapshots, and from what
// volatile rooms hold: the insides of deleted paragraphs above all. Whoever was away,
// or takes a deletion back, finds what he would find at y-websocket's own server,
// which collects too.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import * as Y from 'yjs'
import { Client } from '../lib/client.mjs'
import { content, converge } from '../lib/content.mjs'
import { ServerProcess } from '../lib/process.mjs'
import { applyUpdate, getDocument } from '../lib/rpc.mjs'
import { Fjord, dataDirectory, freshRoom, needsFjord } from '../lib/servers.mjs'
import { longest, until } from '../lib/wait.mjs'

const paragraphs = 300
const pace = ['--max-messages-per-second', '1000000']

/** A person with a client id of her own, so that two runs come to the same bytes. */
const person = (t, server, room, id, version) => {
  const doc = new Y.Doc()
  doc.clientID = id
  return Client.open(t, { version, url: server.url, room, doc })
}

const body = ({ doc }) => doc.getXmlFragment('xml')
const textOf = (who, at) => body(who).get(at).get(0)

const write = (who, at, words) => {
  const paragraph = new Y.XmlElement('paragraph')
  const text = new Y.XmlText()
  paragraph.insert(0, [text])
  body(who).insert(at, [paragraph])
  for (const word of words) text.insert(0, word) // each before the last one: none can be joined
}

/**
 * Has the server make snapshots: the log grows, by what is known, and the document
 * doesn't. In a volatile room that is a compaction, which is counted elsewhere. The
 * first that is stored may have been begun before all was said; the second wasn't.
 */
const snapshot = async (fjord, room, update, counted = 'snapshots_total{outcome="stored"}') => {
  const count = async () => {
    const metrics = await fjord.process.metrics()
    const line = metrics.split('\n').find((line) => line.startsWith('fjord_rooms_' + counted))
    return Number(line?.split(' ')[1] ?? 0)
  }
  for (let snapshots = 0; snapshots < 2; snapshots++) {
    const before = await count()
    for (let n = 0; n < 200 && await count() === before; n++) await applyUpdate(fjord.process.rpc, room, update)
    await until('a snapshot is stored', async () => await count() > before)
  }
}

/** What the server has is what all have, and hardly larger than what Yjs makes of it. */
const assertSmall = async (t, fjord, room, people) => {
  const kept = await getDocument(fjord.process.rpc, room)
  const yjs = new Y.Doc()
  Y.applyUpdate(yjs, kept)
  await converge([yjs, ...people.map(({ doc }) => doc)])
  const size = Y.encodeStateAsUpdate(yjs).length
  t.diagnostic(`${kept.length} bytes, Yjs has ${size}`)
  assert.ok(kept.length <= 1.05 * size, `${kept.length} bytes, Yjs has ${size}`)
}

const assertSameAsYjs = async (t, got) => {
  assert.equal(got.back, 'a paragraph 7 ')
  assert.match(got.xml, /seen /)
  assert.doesNotMatch(got.xml, /unseen/)
  assert.deepEqual(got, await story(t, await reference(t), () => {}))
}

/**
 * Paragraphs come and go while one writer is away; then the server's process dies,
 * the deletion is taken back, and the writer who was away comes back.
 *
 * @param server where, with a url
 * @param collect is called when all is said that the snapshot has, with an update
 *   that the server has already, and again when nobody is there
 */
const story = async (t, server, collect) => {
  const room = freshRoom('collected')
  const author = await person(t, server, room, 101, 3)
  const undo = new Y.UndoManager(body(author), { captureTimeout: 0 })
  for (let n = 0; n < paragraphs; n++) write(author, n, [`${n} `, 'paragraph ', 'a '])
  const away = await person(t, server, room, 102, 2)
  const reader = await person(t, server, room, 103, 3)
  await converge([author.doc, away.doc, reader.doc])
  const whole = Y.snapshot(author.doc)

  away.goOffline()
  const redo = new Y.UndoManager(body(away), { captureTimeout: 0 })
  textOf(away, 3).insert(5, 'unseen ') // 3 is deleted for good
  textOf(away, 5).insert(5, 'seen ')
  textOf(away, 7).insert(5, 'unseen ') // 7 is deleted, and comes back as it was here
  textOf(away, 9).delete(0, 2) // 9 is deleted
  body(away).get(5).setAttribute('align', 'left')
  body(away).get(3).setAttribute('align', 'left')
  body(away).delete(11, 1) // both delete 11
  write(away, 4, ['beside what is deleted '])
  away.doc.getMap('map').set('k', 'away')

  for (const value of ['one', 'two', 'three']) reader.doc.getMap('map').set('k', value)
  for (const align of ['center', 'right']) body(reader).get(5).setAttribute('align', align)
  await converge([author.doc, reader.doc])
  body(author).delete(20, paragraphs - 60)
  for (const at of [11, 9, 3]) body(author).delete(at, 1)
  textOf(author, 5).delete(0, 4)
  body(author).delete(6, 1) // it was 7
  let last
  reader.doc.on('update', (update, origin) => { if (origin === null) last = update })
  reader.doc.getText('text').insert(0, 'x'.repeat(8192))
  await converge([author.doc, reader.doc])
  await collect({ room, update: last, whole, people: [author, reader] })

  const fresh = await person(t, server, room, 104, 2)
  await converge([author.doc, reader.doc, fresh.doc])
  undo.undo() // the last deletion: 7 is back
  await converge([author.doc, reader.doc, fresh.doc])
  const back = textOf(author, 6).toString()
  textOf(fresh, 6).insert(0, 'written into what came back ')
  away.goOnline()
  await away.synced()
  await converge([author.doc, reader.doc, fresh.doc, away.doc])
  for (let n = 0; n < 3; n++) redo.undo() // the map isn't its own: the new paragraph, 11, an attribute
  await converge([author.doc, reader.doc, fresh.doc, away.doc])
  undo.undo()
  undo.undo()
  undo.redo()
  const late = await person(t, server, room, 105, 3)
  await converge([author.doc, reader.doc, fresh.doc, away.doc, late.doc])
  const next = await Client.open(t, { version: 4, url: server.url, room }) // Yjs 14
  await until('Yjs 14 has the same', () => next.identity === late.identity)
  return { back, ...content(late.doc) }
}

/** y-websocket's own server, which is Yjs with its garbage collector on. */
const reference = async (t) => {
  const script = fileURLToPath(new URL('../reference/server.mjs', import.meta.url))
  const server = await ServerProcess.start(process.execPath, [script], ['websocket'])
  t.after(() => server.kill())
  return { url: server.websocket }
}

test('who was away, and who takes a deletion back, find what Yjs gives them', { skip: needsFjord, timeout: longest }, async (t) => {
  const fjord = await Fjord.start(t, { data: dataDirectory(), args: pace })
  const got = await story(t, fjord, async ({ room, update, people }) => {
    await snapshot(fjord, room, update)
    fjord.process.kill()
    await fjord.process.exited
    await fjord.start()
    await assertSmall(t, fjord, room, people)
    await Promise.all(people.map((p) => until('they are back', () => p.client.wsconnected && p.client.synced)))
  })
  await assertSameAsYjs(t, got)
})

test('in a volatile room too, whose document is compacted in memory', { skip: needsFjord, timeout: longest }, async (t) => {
  const fjord = await Fjord.start(t, { data: dataDirectory(), rooms: 'volatile', args: pace })
  const got = await story(t, fjord, async ({ room, update, people }) => {
    await snapshot(fjord, room, update, 'compactions_total{outcome="compacted"}')
    await assertSmall(t, fjord, room, people)
  })
  await assertSameAsYjs(t, got)
})

test('--keep-deleted keeps what the history shows', { skip: needsFjord, timeout: longest }, async (t) => {
  const fjord = await Fjord.start(t, { data: dataDirectory(), args: [...pace, '--keep-deleted'] })
  await story(t, fjord, async ({ room, update, whole, people }) => {
    const past = () => Y.createDocFromSnapshot(history, whole).getXmlFragment('xml').toString()
    await snapshot(fjord, room, update)
    fjord.process.kill()
    await fjord.process.exited
    await fjord.start()
    const history = new Y.Doc({ gc: false })
    Y.applyUpdate(history, await getDocument(fjord.process.rpc, room))
    assert.equal(past().match(/<paragraph>/g).length, paragraphs)
    assert.match(past(), /a paragraph 150 /)
    assert.doesNotMatch(body({ doc: history }).toString(), /a paragraph 150 /)
    await Promise.all(people.map((p) => until('they are back', () => p.client.wsconnected && p.client.synced)))
  })
})
