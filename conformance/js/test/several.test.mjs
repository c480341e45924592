// Several edges and several rooms processes, on one storage.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Client, versions } from '../lib/client.mjs'
import { converge, identity } from '../lib/content.mjs'
import { edit } from '../lib/edits.mjs'
import { seeded } from '../lib/random.mjs'
import { Split, dataDirectory, freshRoom, needsSplit } from '../lib/servers.mjs'
import { atOnce, longest, turn, until } from '../lib/wait.mjs'

test('two edges and two rooms processes are one server', { skip: needsSplit, timeout: longest }, async (t) => {
  const random = seeded(t)
  // The edges know the same processes, in another order: the place of a room
  // must not depend on that.
  const split = await Split.start(t, {
    data: dataDirectory(),
    rooms: ['rooms-1', 'rooms-2'],
    edges: { east: ['rooms-1', 'rooms-2'], west: ['rooms-2', 'rooms-1'] }
  })
  const rooms = await Promise.all(Array.from({ length: 12 }, async () => {
    const room = freshRoom('several')
    const east = await Client.open(t, { version: 2, url: split.urlOf('east'), room, user: 'east' })
    const west = await Client.open(t, { version: 3, url: split.urlOf('west'), room, user: 'west' })
    return { room, east, west }
  }))
  for (let n = 0; n < 20; n++) {
    for (const { east, west } of rooms) { edit(random, east.doc); edit(random, west.doc) }
    await turn()
  }
  for (const { east, west } of rooms) {
    await converge([east.doc, west.doc])
    await until('they see each other', () => String(east.sees) === 'east,west' && String(west.sees) === 'east,west')
  }
  await t.test('when an edge dies, its people are gone for the others, and come back by the other edge', async (t) => {
    await split.services.east.kill()
    for (const { west } of rooms) await until('east is gone', () => String(west.sees) === 'west', { within: atOnce, shows: () => west.sees })
    for (const { room, east, west } of rooms) {
      edit(random, east.doc)
      const back = await Client.open(t, { url: split.urlOf('west'), room, doc: east.doc, user: 'back' })
      await converge([back.doc, west.doc])
    }
  })
})

test('edges that disagree on where a room lives lose nothing', { skip: needsSplit, timeout: longest }, async (t) => {
  const random = seeded(t)
  // Each edge sends the room to another process: both claim it, by turns.
  const split = await Split.start(t, {
    data: dataDirectory(),
    rooms: ['rooms-1', 'rooms-2'],
    edges: { east: ['rooms-1'], west: ['rooms-2'] }
  })
  const room = freshRoom('disputed')
  const people = []
  for (const [i, edge] of ['east', 'west', 'east', 'west'].entries()) {
    const person = new Client(t, { version: versions[i >> 1], url: split.urlOf(edge), room })
    people.push(person)
  }
  const words = 40
  for (let n = 0; n < words; n++) {
    for (const [i, { doc }] of people.entries()) {
      edit(random, doc)
      doc.getMap('words').set(`${i} ${n}`, true)
    }
    await new Promise((resolve) => setTimeout(resolve, 25)) // the pace of typing
  }
  // A process that has lost the room learns it when it next writes: so they
  // write on until everybody has everything.
  let more = 0
  await until('everybody has all words', () => {
    for (const { doc } of people) doc.getMap('more').set('n', ++more)
    return people.every(({ doc }) => doc.getMap('words').size === words * people.length)
  }, { shows: () => people.map(({ doc, closes }) => [doc.getMap('words').size, closes.length]) })
  t.diagnostic(`after ${more / people.length} more edits each`)
  // The dispute ends: one of the processes goes. Those on its edge wait.
  const seen = people.filter((_, i) => i % 2 === 0)
  await split.services['rooms-2'].kill()
  await split.services.west.kill()
  for (const person of people.filter((_, i) => i % 2 === 1)) {
    person.client.destroy()
    people.push(new Client(t, { url: split.urlOf('east'), room, doc: person.doc }))
  }
  const all = [...seen, ...people.slice(4)]
  await Promise.all(all.map((person) => person.synced()))
  await converge(all.map(({ doc }) => doc))
  // And the server alone has it, all of it started anew.
  const whole = identity(all[0].doc)
  for (const person of all) person.close()
  await split.killAll()
  await split.startAll()
  const fresh = await Client.open(t, { url: split.urlOf('west'), room })
  assert.equal(identity(fresh.doc), whole)
})
