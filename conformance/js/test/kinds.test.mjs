// The three kinds of room. Durable ones are what all the other checks use.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Client, mixes } from '../lib/client.mjs'
import { converge } from '../lib/content.mjs'
import { edit } from '../lib/edits.mjs'
import { seeded } from '../lib/random.mjs'
import { Raw, queryAwarenessFrame } from '../lib/raw.mjs'
import { Fjord, dataDirectory, freshRoom, needsFjord } from '../lib/servers.mjs'
import { until } from '../lib/wait.mjs'

test('a volatile room keeps the document in memory, and only there', { skip: needsFjord }, async (t) => {
  const fjord = await Fjord.start(t, { data: dataDirectory(), rooms: 'volatile' })
  const room = freshRoom('volatile')
  const options = { url: fjord.url, room }

  await t.test('people converge, late joiners too', async (t) => {
    const random = seeded(t)
    const people = await Promise.all([2, 3, 2].map((version) => Client.open(t, { ...options, version })))
    for (let n = 0; n < 50; n++) for (const { doc } of people) edit(random, doc)
    people.push(await Client.open(t, options))
    await converge(people.map(({ doc }) => doc))
  })
  await t.test('it is gone with the process', async (t) => {
    const person = await Client.open(t, options)
    person.text.insert(0, 'in memory')
    const witness = await Client.open(t, options)
    await until('a witness has it', () => /in memory/.test(witness.text.toString()))
    witness.close()
    person.goOffline()
    await fjord.process.kill()
    await fjord.start()
    const newcomer = await Client.open(t, options)
    assert.equal(newcomer.text.toString(), '', 'something was kept')
    // Whoever still has it brings it back.
    person.goOnline()
    await until('it is back', () => /in memory/.test(newcomer.text.toString()))
  })
})

/**
 * Somebody who is in a relay room before anybody else comes. Clients ask once, as
 * they connect, and nobody answers for those who join a moment later.
 */
const first = async (t, options) => {
  const person = new Client(t, options)
  const visitor = await Raw.open(t, `${options.url}/${options.room}`)
  await until('the first one answers, so it is there', () => {
    visitor.send(queryAwarenessFrame())
    return visitor.messages.some(({ entries }) => entries?.some(([client, , state]) => client === person.id && state))
  })
  visitor.socket.close()
  return person
}

test('a relay room keeps nothing and passes any bytes on', { skip: needsFjord }, async (t) => {
  const fjord = await Fjord.start(t, { data: dataDirectory(), rooms: 'relay' })

  await t.test('bytes go to the others, unchanged, in order, and not back', async (t) => {
    const url = `${fjord.url}/${freshRoom('bytes')}`
    const [a, b, c] = [await Raw.open(t, url), await Raw.open(t, url), await Raw.open(t, url)]
    const blobs = [Buffer.from([255, 254, 253]), Buffer.from('any bytes at all'), Buffer.alloc(100_000, 7), Buffer.from([0])]
    // A socket hears what is said after it has joined: they greet one another
    // until all three have heard the two others.
    const greetings = [a, b, c].map((_, i) => Buffer.from(`hello from ${i}`))
    const heard = (raw, blob) => raw.frames.some((frame) => frame.equals(blob))
    await until('all have joined', () => {
      for (const [i, raw] of [a, b, c].entries()) raw.send(greetings[i])
      return [a, b, c].every((raw, i) => greetings.every((blob, k) => k === i || heard(raw, blob)))
    })
    for (const blob of blobs) a.send(blob)
    const told = (raw) => raw.frames.filter((frame) => blobs.some((blob) => blob.equals(frame)))
    for (const raw of [b, c]) {
      await until('all has arrived', () => told(raw).length === blobs.length)
      assert.deepEqual(told(raw), blobs)
    }
    b.send(Buffer.from('end'))
    await until('a has heard b', () => heard(a, Buffer.from('end')))
    assert.deepEqual(told(a), [], 'the sender got its own bytes back')
    const late = await Raw.open(t, url)
    await until('the newcomer is there', () => { a.send(Buffer.from('who is new?')); return heard(late, Buffer.from('who is new?')) })
    assert.deepEqual(told(late), [], 'a newcomer got what was said before')
  })

  for (const { name, version } of mixes) {
    await t.test(`${name}: clients serve one another`, async (t) => {
      const options = { url: fjord.url, room: freshRoom('relay') }
      const a = await first(t, { ...options, version: version(0), user: 'a' })
      a.text.insert(0, 'from a ')
      const b = await Client.open(t, { ...options, version: version(1), user: 'b' })
      b.text.insert(0, 'from b ')
      await converge([a.doc, b.doc])
      const late = await Client.open(t, { ...options, version: version(0), user: 'c' })
      await converge([a.doc, b.doc, late.doc])
      assert.match(late.text.toString(), /from a/)
    })
  }

  await t.test('what nobody has is gone', async (t) => {
    const options = { url: fjord.url, room: freshRoom('forgotten') }
    const [a, b] = [await first(t, options), await Client.open(t, options)]
    a.text.insert(0, 'fleeting')
    await converge([a.doc, b.doc])
    a.close()
    b.close()
    const [c, d] = [await first(t, options), await Client.open(t, options)]
    c.text.insert(0, 'new')
    await until('the newcomers work', () => d.text.toString() === 'new')
    assert.equal(c.text.toString(), 'new')
  })
})
