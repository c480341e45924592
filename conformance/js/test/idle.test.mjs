// A lone user who does nothing stays connected. y-websocket and Hocuspocus close
// when no data frame has come for 30 s, y-sweet when its heartbeat isn't answered;
// websocket pings don't count.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { versions } from '../lib/client.mjs'
import { arrive, kinds } from '../lib/people.mjs'
import { Raw, step1Frame } from '../lib/raw.mjs'
import { freshRoom, serverURL } from '../lib/servers.mjs'
import { longest } from '../lib/wait.mjs'

const idleTime = 90_000
const longestSilence = 29_000 // the promise is 20 s, and clients bear 30

test(`idle for ${idleTime / 1000} s`, { concurrency: true, timeout: longest }, async (t) => {
  const url = await serverURL(t)
  const lone = (what, kind, options) => t.test(what, async (t) => {
    const person = await arrive(t, kind, { url, room: freshRoom('idle'), ...options })
    await new Promise((resolve) => setTimeout(resolve, idleTime))
    assert.deepEqual([person.wire.opened, person.wire.ends], [1, []], 'the connection was closed in between')
    assert.ok(person.isSynced)
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
    ...kinds.map((kind) => lone(kind, kind)),
    ...versions.map((version) => lone(`y-websocket ${version} without presence`, `y-websocket ${version}`, { user: null })),
    silence
  ])
})
