// The real clients of every dialect in one room: y-websocket 1 to 4, three
// versions of the Hocuspocus provider, y-sweet, and a client that speaks ELVA.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ElvaClient } from '../lib/elva.mjs'
import { HocuspocusClient, sharedSocket } from '../lib/hocuspocus.mjs'
import { arrive, kinds, person } from '../lib/people.mjs'
import { freshRoom, serverURL } from '../lib/servers.mjs'
import { atOnce, turn, until } from '../lib/wait.mjs'

const rounds = 20

/** One of each kind, and two sessions of Hocuspocus 4 on one socket. */
const everybody = (t, url, room) => {
  const socket = sharedSocket(t, { url })
  const people = new Map(kinds.map((kind) => [kind, person(t, kind, { url, room })]))
  for (const user of ['session a', 'session b']) people.set(user, new HocuspocusClient(t, { version: 4, room, user, socket }))
  return people
}

const seeOnly = (people, names, within) => until(`all see ${names.length} people`, () => people.every((person) => String(person.sees) === String(names.toSorted())),
  { within, shows: () => people.map((person) => [person.sees, person.trouble]) })

test('every dialect in one room', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('dialects')
  const people = everybody(t, url, room)
  const all = [...people.values()]

  await t.test('everybody sees everybody', () => seeOnly(all, [...people.keys()]))

  await t.test('all write at once, and end with the same', async () => {
    for (let round = 0; round < rounds; round++) {
      for (const [name, person] of people) {
        person.text.insert(0, `${name}:${round} `)
        person.put(`${name} ${round}`, round)
        if (round % 4 === 3) person.text.delete(person.text.length >> 1, 1)
      }
      await turn()
    }
    const has = (person) => [...people.keys()].every((name) => Array.from({ length: rounds }, (_, round) => person.read(`${name} ${round}`) === round).every(Boolean))
    await until('all have all words, byte for byte', () => all.every((person) => has(person) && person.identity === all[0].identity),
      { shows: () => all.map((person) => [has(person), person.trouble]) })
    assert.deepEqual(all.map((person) => person.text.toString()), all.map(() => all[0].text.toString()))
  })

  await t.test('each knows that all is saved, and was not told too often', async () => {
    await until('it is', () => all.every((person) => person.saved), { shows: () => [...people].filter(([, person]) => !person.saved).map(([name, person]) => [name, person.trouble]) })
    for (const person of all) if (person.counts) assert.ok(Math.min(...person.counts) >= 0, `a provider was answered too often: ${person.counts}`)
  })

  await t.test('who leaves is gone at once, by every way, and leaves no ghost', async () => {
    let here = [...people.keys()]
    const [first, ...others] = here.filter((name) => name !== 'y-websocket 3')
    const leave = async (name, how) => {
      how(people.get(name))
      here = here.filter((other) => other !== name)
      await seeOnly(here.map((other) => people.get(other)), here, atOnce)
    }
    // Somebody who goes is still looked for by none of the others.
    await leave(first, (person) => person.close())
    for (const [i, name] of others.entries()) {
      // A session on a shared socket has no network of its own.
      await leave(name, (person) => (i % 2 === 0 || name.startsWith('session')) ? person.close() : person.goOffline())
    }
    const late = await arrive(t, 'Hocuspocus 4', { url, room, user: 'late' })
    await seeOnly([late, people.get('y-websocket 3')], ['late', 'y-websocket 3'], atOnce)
  })
})

test('who comes back is seen again, once', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('return')
  const people = new Map(kinds.map((kind) => [kind, person(t, kind, { url, room })]))
  const watcher = await arrive(t, 'y-websocket 3', { url, room, user: 'watcher' })
  const all = [...kinds, 'watcher']
  await seeOnly([watcher], all)
  for (const way of ['cutOff', 'away']) {
    const ends = new Map([...people.values()].map((person) => [person, person.wire.ends.length]))
    for (const person of people.values()) way === 'cutOff' ? person.cutOff() : person.goOffline()
    // y-websocket is back before the others have gone.
    if (way === 'away') {
      await seeOnly([watcher], ['watcher'], atOnce)
      for (const person of people.values()) person.goOnline()
    }
    for (const person of people.values()) await until('it is synced again', () => person.wire.ends.length > ends.get(person) && person.isSynced, { shows: () => person.trouble })
    await seeOnly([watcher], all, atOnce)
  }
  for (const person of people.values()) person.close()
  await seeOnly([watcher], ['watcher'], atOnce)
})

test('who is back before the old connection is dead stays, and leaves no ghost', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('stranded')
  const people = new Map(kinds.map((kind) => [kind, person(t, kind, { url, room })]))
  const watcher = await arrive(t, 'y-websocket 3', { url, room, user: 'watcher' })
  await seeOnly([watcher], [...kinds, 'watcher'])
  const ends = [...people.values()].map((person) => person.wire.strand())
  for (const person of people.values()) await until('it is synced again', () => person.wire.opened > 1 && person.isSynced, { shows: () => person.trouble })
  await Promise.all(ends.map((end) => end()))
  // What the server does about the old connections, it does before it lets another in.
  await arrive(t, 'y-websocket 2', { url, room, user: 'marker' })
  await seeOnly([watcher], [...kinds, 'marker', 'watcher'], atOnce)
  for (const person of people.values()) person.close()
  await seeOnly([watcher], ['marker', 'watcher'], atOnce)
})

test('a stateless message reaches the others', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('stateless')
  const people = [2, 3, 4].map((version) => new HocuspocusClient(t, { version, url, room, user: 'v' + version }))
  await until('all are synced', () => people.every((person) => person.isSynced))
  people[0].client.sendStateless('how are you?')
  await until('the others hear it', () => people[1].stateless.length === 1 && people[2].stateless.length === 1)
  people[2].client.sendStateless('well')
  await until('and answer', () => people[0].stateless.length === 1 && people[1].stateless.length === 2)
  assert.deepEqual(people.map((person) => person.stateless), [['well'], ['how are you?', 'well'], ['how are you?']])
})

test('ELVA: cross, access and data', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('elva-room')
  const ada = new ElvaClient(t, { url, room, user: 'ada', id: 'ada' })
  const bea = new ElvaClient(t, { url, room, user: 'bea', id: 'bea' })
  await until('both are synced', () => ada.isSynced && bea.isSynced)
  ada.text.insert(0, 'hello')
  await until('it arrives', () => bea.text.toString() === 'hello')

  const before = ada.heard.length
  ada.cross()
  await until('a cross is answered in kind', () => ada.heard.slice(before).some(([kind]) => kind === 'cross'))

  ada.data(1, Buffer.from('which blob?'))
  await until('bea is asked, and by whom', () => bea.heard.some(([kind]) => kind === 'data 1'))
  const at = bea.heard.findIndex(([kind]) => kind === 'data 1')
  assert.equal(Buffer.from(bea.heard[at][1]).toString(), 'which blob?')
  assert.equal(bea.heard[at - 1][0], 'id')
  assert.equal(Buffer.from(bea.heard[at - 1][1]).toString(), 'ada')
  assert.ok(!ada.heard.some(([kind]) => kind.startsWith('data')), 'the sender hears itself')

  ada.send([0x52, 0x4f], new Uint8Array()) // I want to read only
  await until('it is confirmed', () => ada.heard.some(([kind]) => kind === 'read'))
  ada.text.insert(0, 'lost: ')
  await until('and kept', () => ada.heard.filter(([kind]) => kind === 'read').length === 2)
  assert.equal(bea.text.toString(), 'hello')
})
