// Each of the three services, as a process of its own, is killed again and
// again. Nothing that was seen is lost, and the sockets of the people live on
// when it is rooms or storage that died.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Client, versions } from '../lib/client.mjs'
import { converge, identity } from '../lib/content.mjs'
import { edit } from '../lib/edits.mjs'
import { clocksOf, holds } from '../lib/marks.mjs'
import { seeded } from '../lib/random.mjs'
import { Split, dataDirectory, freshRoom, needsSplit } from '../lib/servers.mjs'
import { atOnce, longest, until } from '../lib/wait.mjs'

const lossKills = 10
const livingKills = 10
/** An edge tries a dead service at least every 5 s. */
const recovery = 30_000

for (const victim of ['edge', 'rooms', 'storage']) {
  test(`${victim} dies right after an edit was seen, ${lossKills} times; nobody is left to bring it back`, { skip: needsSplit, timeout: longest }, async (t) => {
    const random = seeded(t)
    const split = await Split.start(t, { data: dataDirectory() })
    const room = freshRoom(`crash-${victim}`)
    for (let round = 0; round < lossKills; round++) {
      const options = (version) => ({ version, url: split.url, room })
      const writer = await Client.open(t, options(versions[round % 2]))
      const watcher = await Client.open(t, options(versions[(round + 1) % 2]))
      const mark = `round ${round}`
      edit(random, writer.doc)
      writer.doc.getMap('map').set('mark', mark)
      await until('the watcher sees the edit', () => watcher.doc.getMap('map').get('mark') === mark)
      split.services[victim].child.kill('SIGKILL')
      const seen = identity(watcher.doc)
      writer.close()
      watcher.close()
      await split.services[victim].exited
      await split.start(victim)
      const third = await Client.open(t, options(versions[round % 2]))
      assert.equal(third.doc.getMap('map').get('mark'), mark, `round ${round}: the edit is lost`)
      assert.equal(identity(third.doc), seen, `round ${round}: more or less than was seen`)
      third.close()
    }
  })

  test(`${victim} dies while people type, ${livingKills} times; they go on`, { skip: needsSplit, timeout: longest }, async (t) => {
    const random = seeded(t)
    const split = await Split.start(t, { data: dataDirectory() })
    const room = freshRoom(`living-${victim}`)
    const people = await Promise.all(versions.map((version) => Client.open(t, { version, url: split.url, room, user: `v${version}` })))
    const recoveries = []
    let count = 0
    // Sees that an edit of each comes to the other, from now on.
    const reachEachOther = async (when) => {
      const marks = people.map((person, i) => {
        const mark = `${i}-${++count}`
        person.doc.getMap('map').set(`mark${i}`, mark)
        return mark
      })
      await until(`an edit made ${when} reaches the other`, () => people.every(({ doc }) => marks.every((mark, i) => doc.getMap('map').get(`mark${i}`) === mark)),
        { within: recovery, shows: () => people.map(({ client, closes }) => ({ connected: client.wsconnected, synced: client.synced, closes })) })
    }
    for (let round = 0; round < livingKills; round++) {
      await reachEachOther('before the kill')
      for (let n = 0; n < 5; n++) for (const { doc } of people) edit(random, doc) // in the air
      const dead = split.services[victim]
      await dead.kill()
      for (const { doc } of people) edit(random, doc) // while it is dead
      await split.start(victim)
      const started = performance.now()
      await reachEachOther('after the restart')
      recoveries.push(performance.now() - started)
      await converge(people.map(({ doc }) => doc))
    }
    recoveries.sort((a, b) => a - b)
    t.diagnostic(`recovery: median ${Math.round(recoveries[livingKills >> 1])} ms, slowest ${Math.round(recoveries.at(-1))} ms`)
    await t.test('a newcomer sees who is here', async (t) => {
      const newcomer = await Client.open(t, { url: split.url, room, user: 'new' })
      // Well before the heartbeat of y-protocols would tell it.
      await until('it sees all', () => String(newcomer.sees) === 'new,v2,v3', { within: atOnce, shows: () => newcomer.sees })
    })
    if (victim !== 'edge') assert.deepEqual(people.map(({ closes }) => closes), [[], []], `a socket did not survive the death of ${victim}`)
    // The server alone, all of it started anew, has everything.
    const last = people.map(({ doc }) => clocksOf(doc))
    const whole = identity(people[0].doc)
    for (const person of people) person.close()
    await split.killAll()
    await split.startAll()
    const fresh = await Client.open(t, { url: split.url, room })
    for (const clocks of last) holds(fresh.doc, clocks, 'seen before')
    assert.equal(identity(fresh.doc), whole)
  })
}
