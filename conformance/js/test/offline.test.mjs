// Edits made without a connection are not lost, on either side.

import { test } from 'node:test'
import * as Y from 'yjs'
import { Client, mixes } from '../lib/client.mjs'
import { converge } from '../lib/content.mjs'
import { edit } from '../lib/edits.mjs'
import { seeded } from '../lib/random.mjs'
import { freshRoom, serverURL } from '../lib/servers.mjs'
import { turn, until } from '../lib/wait.mjs'

test('edits made offline merge after the return', async (t) => {
  const url = await serverURL(t)
  for (const { name, version } of mixes) {
    await t.test(`${name}: one was away, both wrote`, async (t) => {
      const random = seeded(t)
      const room = freshRoom('offline')
      const [here, away] = [await Client.open(t, { version: version(0), url, room }), await Client.open(t, { version: version(1), url, room })]
      edit(random, here.doc)
      await converge([here.doc, away.doc])
      away.goOffline()
      for (let n = 0; n < 40; n++) { edit(random, here.doc); edit(random, away.doc) }
      away.goOnline()
      await away.synced()
      await converge([here.doc, away.doc, (await Client.open(t, { version: version(0), url, room })).doc])
    })

    await t.test(`${name}: they were never there together`, async (t) => {
      const room = freshRoom('in-turn')
      const docs = [new Y.Doc(), new Y.Doc()]
      for (const round of [0, 1, 2]) {
        for (const [i, doc] of docs.entries()) {
          // Each brings edits that the server has not seen, gets the other's,
          // and goes; the server is the only one who was there all the time.
          doc.getText('text').insert(0, `${i}:${round} `)
          const visit = await Client.open(t, { version: version(i), url, room, doc })
          const check = await Client.open(t, { version: version(i), url, room })
          await converge([visit.doc, check.doc])
          visit.client.destroy()
          check.close()
        }
      }
    })
  }
})

test('connections that break all the time lose nothing', async (t) => {
  const url = await serverURL(t)
  for (const { name, version } of mixes) {
    await t.test(name, async (t) => {
      const random = seeded(t)
      const room = freshRoom('flapping')
      const people = await Promise.all([0, 1, 2, 3].map((i) => Client.open(t, { version: version(i), url, room })))
      for (let n = 0; n < 120; n++) {
        const person = random.pick(people)
        edit(random, person.doc)
        if (n % 6 === 0) person.cutOff() // some edits are in the air now
        await turn()
      }
      await Promise.all(people.map((person) => until('it is back', () => person.client.wsconnected && person.client.synced)))
      await converge([...people, await Client.open(t, { version: version(0), url, room })].map(({ doc }) => doc))
    })
  }
})
