// A long working day in short: each kind of client types on while its network
// breaks, while it is offline, while the server is killed, drained and started
// anew. In the end each has everything, knows that all is saved, has complained
// of nothing and connected no oftener than it had to.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { arrive, kinds } from '../lib/people.mjs'
import { seeded } from '../lib/random.mjs'
import { getDocument } from '../lib/rpc.mjs'
import { Fjord, dataDirectory, freshRoom, needsFjord } from '../lib/servers.mjs'
import { longest, until } from '../lib/wait.mjs'

/** What clients say about breaks that aren't theirs. */
const expected = /connect\(\) called while a connect loop is already running/ // y-sweet, at each close

/**
 * Those who show whether all is saved, and what they show. Version 2 counts what
 * it queued while it was away twice, and goes below zero. y-websocket's candidate
 * isn't here: an echo that a break swallows doesn't come again, and it waits.
 */
const shows = {
  'Hocuspocus 2': ({ client }) => !client.hasUnsyncedChanges,
  'Hocuspocus 3': (person) => person.saved,
  'Hocuspocus 4': (person) => person.saved,
  'y-sweet': (person) => person.saved
}

const listen = (t) => {
  const noise = []
  for (const level of ['error', 'warn']) {
    const before = console[level]
    console[level] = (...words) => { if (!expected.test(words.join(' '))) noise.push(words.join(' ')) }
    t.after(() => { console[level] = before })
  }
  return noise
}

test('a working day', { skip: needsFjord, timeout: longest }, async (t) => {
  const began = performance.now()
  const random = seeded(t)
  const noise = listen(t)
  const fjord = await Fjord.start(t, { data: dataDirectory() })
  const room = freshRoom('day')
  const people = new Map()
  for (const kind of kinds) people.set(kind, await arrive(t, kind, { url: fjord.url, room }))
  const all = [...people.values()]

  let count = 0
  const write = () => {
    for (const [kind, person] of people) {
      person.text.insert(random.below(person.text.length + 1), `${kind} ${count} `)
      if (person.text.length > 40 && random.below(3) === 0) person.text.delete(random.below(person.text.length - 5), 4)
      person.put(kind, count)
    }
    count++
  }
  const typing = async (ms) => {
    const until = performance.now() + ms
    while (performance.now() < until) {
      write()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const settled = (what) => t.test(what, async () => {
    await until('everybody has everything', () => all.every((person) => person.isSynced && person.identity === all[0].identity), { shows: () => all.map((person) => person.trouble) })
    for (const [kind, saved] of Object.entries(shows)) await until(`${kind} knows that all is saved`, () => saved(people.get(kind)), { shows: () => people.get(kind).trouble })
    const doc = new Y.Doc()
    Y.applyUpdate(doc, await getDocument(fjord.process.rpc, room))
    assert.equal(doc.getText('text').toString(), all[0].text.toString(), 'the server has something else')
  })
  let breaks = 0
  const opened = () => all.map((person) => person.wire.opened)

  await typing(300)
  await settled('a quiet morning')
  assert.deepEqual(opened(), all.map(() => 1))

  for (let n = 0; n < 5; n++) {
    write()
    for (const person of all) if (random.below(2) === 0) person.cutOff()
    breaks++
    await typing(150)
  }
  await settled('a bad network')

  for (const person of all) person.wire.down()
  breaks++
  await typing(1_500)
  for (const person of all) person.wire.up()
  await settled('a train ride')

  const stop = typing(600)
  await fjord.process.kill()
  breaks++
  await stop
  await fjord.start()
  await settled('the server is killed')

  const more = typing(400)
  await fjord.process.stop()
  breaks++
  await more
  await fjord.start()
  await settled('the server is drained')

  // Nobody is still trying: each has one socket, and keeps it. Hocuspocus 3, cut off
  // between open and the first message, tries twice at a time: so it has its second.
  await typing(1_500)
  await settled('nobody is still trying')
  const before = opened()
  await typing(1_500)
  await settled('an evening')
  assert.deepEqual(opened(), before, 'somebody connected again without a break')
  const took = (performance.now() - began) / 1000
  t.diagnostic(`sockets for ${breaks} breaks in ${Math.round(took)} s: ${[...people].map(([kind, { wire }]) => `${kind} ${wire.opened}`).join(', ')}`)
  // None tries oftener than that for long, however long the server was away.
  for (const [kind, { wire }] of people) assert.ok(wire.opened < 10 + 6 * took, `${kind} opened ${wire.opened} sockets in ${took} s`)
  assert.deepEqual([...new Set(noise)], [], 'a client complained')
})
