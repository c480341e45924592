// A lone user who does nothing stays connected. y-websocket closes itself when
// no data frame has come for 30 s; websocket pings don't count.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Client, versions } from '../lib/client.mjs'
import { Raw, step1Frame } from '../lib/raw.mjs'
import { freshRoom, serverURL } from '../lib/servers.mjs'

const idleTime = 90_000
const longestSilence = 25_000 // the promise is 20 s, and clients bear 30; five for a busy machine

test(`idle for ${idleTime / 1000} s`, { concurrency: true, timeout: idleTime + 30_000 }, async (t) => {
  const url = await serverURL(t)
  const lone = (what, options) => t.test(what, async (t) => {
    const person = await Client.open(t, { url, room: freshRoom('idle'), ...options })
    const firstSocket = person.client.ws
    await new Promise((resolve) => setTimeout(resolve, idleTime))
    assert.deepEqual(person.closes, [], 'the connection was closed in between')
    assert.equal(person.client.ws, firstSocket)
    assert.ok(person.client.wsconnected && person.client.synced)
  })
  // The silence itself: a client without presence gets no echo of its own.
  const silence = t.test('a frame comes at least every 20 s', async (t) => {
    const raw = await Raw.open(t, `${url}/${freshRoom('silence')}`)
    const gaps = []
    let last = performance.now()
    raw.socket.on('message', () => { gaps.push(performance.now() - last); last = performance.now() })
    raw.send(step1Frame(new Uint8Array([0])))
    await new Promise((resolve) => setTimeout(resolve, idleTime))
    gaps.push(performance.now() - last)
    assert.ok(Math.max(...gaps) < longestSilence, `silent for ${Math.round(Math.max(...gaps))} ms`)
    assert.equal(raw.socket.readyState, raw.socket.OPEN)
  })
  const unsent = t.test('a frame that is announced and never sent ends its socket', async (t) => {
    const raw = await Raw.open(t, `${url}/${freshRoom('unsent')}`)
    // The header of a gibibyte, and its mask.
    raw.sendUnframed(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4]))
    await raw.ended('it waited in vain', idleTime)
  })
  await Promise.all([
    unsent,
    ...versions.map((version) => lone(`y-websocket ${version}`, { version, user: 'lone' })),
    ...versions.map((version) => lone(`y-websocket ${version} without presence`, { version, user: null })),
    silence
  ])
})
