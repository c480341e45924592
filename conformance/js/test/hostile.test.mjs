// What is not understood ends the connection that it came by, with a close
// code that says why, and touches nobody else.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { Client } from '../lib/client.mjs'
import { converge } from '../lib/content.mjs'
import { seeded } from '../lib/random.mjs'
import { Raw, awarenessFrame, presenceFrame, step1Frame, step2Frame, updateFrame } from '../lib/raw.mjs'
import { freshRoom, serverURL } from '../lib/servers.mjs'
import { longest, until } from '../lib/wait.mjs'

const bytes = (...numbers) => Uint8Array.from(numbers)

const sampleUpdate = () => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'poison')
  doc.getMap('map').set('key', { value: [1, 2, 3] })
  const update = Y.encodeStateAsUpdate(doc)
  doc.destroy()
  return update
}
const update = sampleUpdate()
const joined = (a, b) => Uint8Array.from([...a, ...b])

/** An update with one item, of the given content, in the root type "poison". */
const item = (reference, ...content) => bytes(1, 1, 99, 0, reference, 1, 6, ...Buffer.from('poison'), ...content, 0)
const nested = (depth) => {
  const levels = new Uint8Array(2 * depth).fill(1)
  for (let n = 0; n < depth; n++) levels[2 * n] = 117 // an array, of one value
  return joined(joined(bytes(1, 1, 99, 0, 8, 1, 6, ...Buffer.from('poison'), 1), levels), [126, 0])
}

const unmasked = Buffer.from([0x82, 0x02, 0x00, 0x00])
const reserved = Buffer.from([0xf2, 0x80, 1, 2, 3, 4])

/** What each attacker does, and the close codes that answer it (default: any that is not "normal"). */
const attacks = {
  'an empty frame': (raw) => raw.send(bytes()),
  'a text frame': [(raw) => raw.socket.send('hello'), [1003, 1007]],
  'a text frame with a valid message in it': [(raw) => raw.socket.send('\u0000\u0000\u0001\u0000'), [1003, 1007]],
  'an unknown message type': (raw) => raw.send(bytes(77, 1, 2, 3)),
  'an unknown kind of sync message': (raw) => raw.send(bytes(0, 9, 1, 0)),
  'a sync message that stops after its type': (raw) => raw.send(bytes(0)),
  'a number that never ends': (raw) => raw.send(bytes(0, ...Array(64).fill(0xff))),
  'a length beyond the frame': (raw) => raw.send(bytes(0, 2, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3)),
  'a length of 2^53 - 1': (raw) => raw.send(bytes(0, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f)),
  'a truncated state vector': (raw) => raw.send(step1Frame(bytes(5, 1))),
  'a state vector with bytes left over': (raw) => raw.send(step1Frame(bytes(0, 0))),
  'an update of zero bytes': (raw) => raw.send(updateFrame(bytes())),
  'a truncated update': (raw) => raw.send(updateFrame(update.subarray(0, update.length - 3))),
  'a truncated step 2': (raw) => raw.send(step2Frame(update.subarray(0, update.length >> 1))),
  'an update with bytes left over': (raw) => raw.send(updateFrame(joined(update, [0]))),
  'two updates in one': (raw) => raw.send(updateFrame(joined(update, update))),
  'an update that claims a billion clients': (raw) => raw.send(updateFrame(bytes(0x80, 0x94, 0xeb, 0xdc, 0x03))),
  'an update that claims a billion structs': (raw) => raw.send(updateFrame(bytes(1, 0x80, 0x94, 0xeb, 0xdc, 0x03, 1, 0))),
  'an update that claims a billion deletes': (raw) => raw.send(updateFrame(bytes(0, 1, 1, 0x80, 0x94, 0xeb, 0xdc, 0x03))),
  // These are well formed up to a string; every JS client throws on them.
  'text that is not UTF-8': (raw) => raw.send(updateFrame(item(4, 2, 0xc3, 0x28))),
  'a root name that is not UTF-8': (raw) => raw.send(updateFrame(bytes(1, 1, 99, 0, 4, 1, 2, 0xff, 0xfe, 1, 0x61, 0))),
  'an embed that is no JSON': (raw) => raw.send(updateFrame(item(5, 1, 0x7b))),
  'a kind of content that does not exist': (raw) => raw.send(updateFrame(item(30, 1, 1))),
  'a kind of type that does not exist': (raw) => raw.send(updateFrame(item(7, 99))),
  'a value of a million levels': (raw) => raw.send(updateFrame(nested(1_000_000))),
  'presence that is not UTF-8': (raw) => raw.send(awarenessFrame(bytes(1, 42, 1, 4, 0x22, 0xff, 0xfe, 0x22))),
  'truncated presence': (raw) => raw.send(awarenessFrame(bytes(1, 42))),
  'presence that claims a billion clients': (raw) => raw.send(awarenessFrame(bytes(0x80, 0x94, 0xeb, 0xdc, 0x03))),
  'presence that is no JSON': (raw) => raw.send(awarenessFrame(bytes(1, 42, 1, 1, 0x7b))),
  'a good message with garbage behind it': (raw) => raw.send(joined(step1Frame(bytes(0)), [0, 0])),
  'a frame of 20 MiB': [(raw) => raw.send(Buffer.alloc(20 << 20)), [1009, 4413]],
  'an unmasked frame': [(raw) => raw.sendUnframed(unmasked), [1002]],
  'reserved bits set': [(raw) => raw.sendUnframed(reserved), [1002]],
  'presence of a megabyte': (raw) => raw.send(presenceFrame([[42, 1, { x: 'x'.repeat(1 << 20) }]]))
}

test('garbage closes its own socket only', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('hostile')
  const pair = [await Client.open(t, { version: 2, url, room, user: 'ada' }), await Client.open(t, { version: 3, url, room, user: 'bea' })]
  let typed = 0
  const pairGoesOn = async () => {
    const [from, to] = typed++ % 2 === 0 ? pair : [pair[1], pair[0]]
    from.text.insert(0, `${typed} `)
    await until('the pair still works', () => to.text.toString() === from.text.toString())
  }
  for (const [what, attack] of Object.entries(attacks)) {
    await t.test(what, async (t) => {
      const [act, codes] = Array.isArray(attack) ? attack : [attack, undefined]
      const raw = await Raw.open(t, `${url}/${room}`)
      // A member of the room in good standing, so that there is something to lose.
      await raw.sync()
      act(raw)
      const { code, reason } = await raw.ended(what)
      t.diagnostic(`${code} ${reason}`)
      if (codes) assert.ok(codes.includes(code), `close code ${code}; want ${codes.join(' or ')}`)
      else assert.ok(code !== 1000 && code !== 1005 && code !== 1006, `close code ${code} doesn't say that something was wrong`)
      await pairGoesOn()
    })
  }
  await t.test('and nothing of it stuck', async () => {
    assert.deepEqual(pair.map(({ closes }) => closes), [[], []], 'the pair was disconnected')
    await until('they see each other', () => pair.every(({ sees }) => String(sees) === 'ada,bea'))
    assert.equal(pair[0].doc.getMap('map').size, 0)
    assert.doesNotMatch(pair[0].text.toString(), /poison/)
    await converge([...pair, await Client.open(t, { version: 2, url, room })].map(({ doc }) => doc))
  })
})

test('random bytes never hurt', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('noise')
  const random = seeded(t)
  const pair = [await Client.open(t, { version: 2, url, room }), await Client.open(t, { version: 3, url, room })]
  // Bent updates may well be valid ones; whether they are is for yjsdiff to say.
  const good = [step1Frame(bytes(0)), presenceFrame([[9, 9, { user: 'noise' }]])]
  const noise = () => {
    if (random.below(2) === 0) return Uint8Array.from({ length: 1 + random.below(60) }, () => random.below(256))
    const frame = Uint8Array.from(random.pick(good))
    frame[random.below(frame.length)] = random.below(256)
    return frame
  }
  for (let n = 0; n < 200; n++) {
    const raw = await Raw.open(t, `${url}/${room}`)
    for (let k = 0; k < 5; k++) raw.send(noise())
    raw.socket.close()
    await raw.ended('noise')
  }
  pair[0].doc.getArray('array').push(['still here'])
  await converge([...pair, await Client.open(t, { url, room })].map(({ doc }) => doc))
  assert.deepEqual(pair.map(({ closes }) => closes), [[], []], 'the pair was disconnected')
})

test('who does not read is left behind, alone', { timeout: longest }, async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('slow')
  const slow = await Raw.open(t, `${url}/${room}`)
  await slow.sync()
  slow.socket.pause()
  const pair = [await Client.open(t, { version: 2, url, room }), await Client.open(t, { version: 3, url, room })]
  // 64 MiB: more than the kernel's buffers and the server's queue take in.
  const map = (n) => pair[n % 2].doc.getMap('map')
  for (let n = 0; n < 256; n++) {
    map(n).set('page', `${n} `.padEnd(256 << 10, 'x'))
    await until('the other has the page', () => map(n + 1).get('page')?.startsWith(`${n} `))
  }
  assert.deepEqual(pair.map(({ closes }) => closes), [[], []], 'the pair was disconnected')
  slow.socket.resume()
  const { code } = await slow.ended('it had fallen behind')
  t.diagnostic(`${code}`)
  assert.ok(code === 1006 || code === 1013 || (code >= 4500 && code < 4600), `close code ${code} doesn't say “come back”`)
})

test('a burst throws nobody out who reads', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('burst')
  const pair = [await Client.open(t, { version: 2, url, room }), await Client.open(t, { version: 3, url, room })]
  for (let round = 0; round < 4; round++) {
    // A paste of some images: 4 MiB in one tick.
    for (let n = 0; n < 16; n++) pair[round % 2].doc.getArray('pages').push([`${n} `.padEnd(256 << 10, 'x')])
    await converge(pair.map(({ doc }) => doc))
  }
  assert.deepEqual(pair.map(({ closes }) => closes), [[], []], 'the pair was disconnected')
})

test('several messages in one frame are all read', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('joined')
  const raw = await Raw.open(t, `${url}/${room}`)
  await raw.sync()
  const watcher = await Client.open(t, { url, room, user: 'watcher' })
  raw.send(joined(joined(presenceFrame([[42, 1, { user: 'raw' }]]), updateFrame(update)), step1Frame(bytes(0))))
  await until('the update and the presence arrive', () => watcher.text.toString() === 'poison' && watcher.sees.includes('raw'))
})
