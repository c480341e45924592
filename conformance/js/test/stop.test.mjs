// SIGTERM: the end comes soon, with status 0, and loses nothing.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Client, versions } from '../lib/client.mjs'
import { converge } from '../lib/content.mjs'
import { edit } from '../lib/edits.mjs'
import { clocksOf, holds } from '../lib/marks.mjs'
import { seeded } from '../lib/random.mjs'
import { Raw } from '../lib/raw.mjs'
import { Fjord, Split, dataDirectory, freshRoom, needsFjord, needsSplit } from '../lib/servers.mjs'
import { longest, turn, until } from '../lib/wait.mjs'

/** Container engines give 10 s, of which 8 are to be enough; as much again for a busy machine. */
const soon = 20_000

/** People who type until they are told to stop; returns that function. */
const typingPeople = async (t, { url, room, random }) => {
  const people = await Promise.all([...versions, ...versions].map((version) => Client.open(t, { version, url, room, user: `v${version}` })))
  const typing = setInterval(() => edit(random, random.pick(people).doc), 2)
  t.after(() => clearInterval(typing))
  await until('they are at work', () => people.every(({ doc }) => clocksOf(doc).size >= 2))
  return { people, stop: () => clearInterval(typing) }
}

const outcome = async (process) => {
  const started = performance.now()
  const { code, signal } = await process.stop(soon)
  return { code, signal, took: Math.round(performance.now() - started) }
}

test('under typing people', { skip: needsFjord, timeout: longest }, async (t) => {
  const random = seeded(t)
  const fjord = await Fjord.start(t, { data: dataDirectory() })
  const room = freshRoom('stop')
  for (let round = 0; round < 3; round++) {
    const { people, stop } = await typingPeople(t, { url: fjord.url, room, random })
    // Bytes that have been received, not only what has been stored: a plain
    // socket shows what each person could have seen.
    const idle = await Raw.open(t, `${fjord.url}/${room}`)
    await idle.sync()
    const { code, signal, took } = await outcome(fjord.process)
    t.diagnostic(`ended after ${took} ms`)
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, fjord.process.stderr)
    assert.ok([1001, 1012].includes((await idle.closed).code), `close code ${(await idle.closed).code} doesn't say “going away, come back”`)
    stop()
    // What anybody had from somebody else must be there, without their help.
    for (const person of people) person.goOffline()
    await fjord.start()
    const fresh = await Client.open(t, { url: fjord.url, room })
    for (const person of people) {
      const fromOthers = clocksOf(person.doc)
      fromOthers.delete(person.id)
      holds(fresh.doc, fromOthers, 'seen before SIGTERM')
    }
    // And with them, all is there, also what was never sent.
    for (const person of people) person.goOnline()
    await Promise.all(people.map((person) => person.synced()))
    await converge([...people, fresh].map(({ doc }) => doc))
    for (const person of [...people, fresh]) person.close()
    await turn()
  }
})

test('an idle server ends too, also right after its start', { skip: needsFjord, timeout: longest }, async (t) => {
  for (let round = 0; round < 10; round++) {
    const fjord = await Fjord.start(t, { data: dataDirectory() })
    const { code, signal } = await outcome(fjord.process)
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, fjord.process.stderr)
  }
})

test('a peer that does not answer holds nothing up', { skip: needsFjord, timeout: longest }, async (t) => {
  const fjord = await Fjord.start(t, { data: dataDirectory() })
  const room = freshRoom('mute')
  const mute = await Raw.open(t, `${fjord.url}/${room}`)
  await mute.sync()
  mute.socket.pause() // it will not read the close frame, so not answer it
  const person = await Client.open(t, { url: fjord.url, room })
  person.text.insert(0, 'last words')
  await converge([person.doc, (await Client.open(t, { version: 2, url: fjord.url, room })).doc])
  const { code, signal } = await fjord.process.stop(soon)
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, fjord.process.stderr)
})

test('three services, in the order edge, rooms, storage', { skip: needsSplit, timeout: longest }, async (t) => {
  const random = seeded(t)
  const split = await Split.start(t, { data: dataDirectory() })
  const room = freshRoom('stop')
  const { people, stop } = await typingPeople(t, { url: split.url, room, random })
  for (const name of ['edge', 'rooms', 'storage']) {
    const { code, signal, took } = await outcome(split.services[name])
    t.diagnostic(`${name} ended after ${took} ms`)
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, split.services[name].stderr)
  }
  stop()
  for (const person of people) person.goOffline()
  await split.startAll()
  const fresh = await Client.open(t, { url: split.url, room })
  for (const person of people) {
    const fromOthers = clocksOf(person.doc)
    fromOthers.delete(person.id)
    holds(fresh.doc, fromOthers, 'seen before SIGTERM')
  }
  for (const person of people) person.goOnline()
  await Promise.all(people.map((person) => person.synced()))
  await converge([...people, fresh].map(({ doc }) => doc))
})
