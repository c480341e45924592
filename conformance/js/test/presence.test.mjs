// Who is here: seen at once, gone at once, never a ghost.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Client, mixes, versions } from '../lib/client.mjs'
import { Raw, presenceFrame, queryAwarenessFrame } from '../lib/raw.mjs'
import { freshRoom, serverURL } from '../lib/servers.mjs'
import { atOnce, patience, until } from '../lib/wait.mjs'

const seesOnly = (watcher, names, within = atOnce) =>
  until(`sees ${names.join(', ') || 'nobody'}`, () => String(watcher.sees) === String([...names].sort()), { within, shows: () => watcher.sees })

test('everybody sees everybody, late joiners too', async (t) => {
  const url = await serverURL(t)
  for (const { name, version } of mixes) {
    await t.test(name, async (t) => {
      const room = freshRoom('presence')
      const names = ['ada', 'bea', 'cy', 'dan', 'eve', 'flo', 'gus', 'hal']
      const people = []
      for (const [i, user] of names.entries()) {
        people.push(await Client.open(t, { version: version(i), url, room, user }))
        people[0].text.insert(0, user)
        await Promise.all(people.map((person) => seesOnly(person, names.slice(0, i + 1))))
      }
      // One who has nothing to announce is told all the same.
      const silent = await Client.open(t, { version: version(0), url, room, user: null })
      await seesOnly(silent, names)
      await until('and has the content', () => silent.text.toString() === people[0].text.toString())
    })
  }
})

test('a change of state reaches the others', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('cursor')
  const ada = await Client.open(t, { version: 2, url, room, user: 'ada' })
  const bea = await Client.open(t, { version: 3, url, room, user: 'bea' })
  for (let n = 0; n < 100; n++) ada.awareness.setLocalStateField('cursor', n)
  await until('the last cursor is seen', () => bea.awareness.getStates().get(ada.id)?.cursor === 99, { within: atOnce })
})

test('who leaves is gone at once', async (t) => {
  const url = await serverURL(t)
  const ways = {
    'with a farewell': (person) => person.close(),
    'without a word': (person) => { person.client.shouldConnect = false; person.cutOff() }
  }
  for (const version of versions) {
    for (const [way, leave] of Object.entries(ways)) {
      await t.test(`y-websocket ${version}, ${way}`, async (t) => {
        const room = freshRoom('leaving')
        const watcher = await Client.open(t, { version, url, room, user: 'watcher' })
        const leaver = await Client.open(t, { version, url, room, user: 'leaver' })
        await seesOnly(watcher, ['leaver', 'watcher'])
        leave(leaver)
        await seesOnly(watcher, ['watcher'], atOnce)
        const late = await Client.open(t, { version, url, room, user: 'late' })
        await seesOnly(late, ['late', 'watcher'])
      })
    }
  }
})

test('who comes back is seen again promptly and leaves no ghost', { concurrency: true }, async (t) => {
  const url = await serverURL(t)
  // They stay away until that is seen: who is back before is never gone.
  const ways = {
    'after a cut': { leave: ({ wire }) => wire.down(), comeBack: ({ wire }) => wire.up() },
    'after going offline': { leave: (person) => person.goOffline(), comeBack: (person) => person.goOnline() }
  }
  const returns = (version, [how, { leave, comeBack }]) => t.test(`y-websocket ${version}, ${how}`, async (t) => {
    const room = freshRoom('return')
    const watcher = await Client.open(t, { version, url, room, user: 'watcher' })
    const person = await Client.open(t, { version, url, room, user: 'person' })
    await seesOnly(watcher, ['person', 'watcher'])
    for (let round = 0; round < 3; round++) {
      leave(person)
      await seesOnly(watcher, ['watcher'])
      comeBack(person)
      await person.synced()
      await seesOnly(watcher, ['person', 'watcher'])
    }
    // The one who was away has forgotten the others, but not their clocks: its
    // y-protocols believes in them again with their next heartbeat (15 to 18 s).
    await seesOnly(person, ['person', 'watcher'], patience)
    person.close()
    await seesOnly(watcher, ['watcher'])
  })
  await Promise.all(versions.flatMap((version) => Object.entries(ways).map((way) => returns(version, way))))
})

test('presence belongs to the connection that announced it', async (t) => {
  const url = await serverURL(t)

  await t.test('a new connection takes its client over; the death of the old one changes nothing', async (t) => {
    const room = freshRoom('takeover')
    const watcher = await Client.open(t, { url, room, user: 'watcher' })
    const old = await Raw.open(t, `${url}/${room}`)
    old.send(presenceFrame([[42, 5, { user: 'person' }], [43, 5, { user: 'its shadow' }]]))
    await seesOnly(watcher, ['its shadow', 'person', 'watcher'])
    const renewed = await Raw.open(t, `${url}/${room}`)
    renewed.send(presenceFrame([[42, 6, { user: 'person' }]]))
    await until('the new announcement is through', () => watcher.awareness.meta.get(42)?.clock === 6)
    old.socket.terminate()
    // What went with the old one says that its death is known.
    await seesOnly(watcher, ['person', 'watcher'])
    const marker = await Client.open(t, { url, room, user: 'marker' })
    await seesOnly(watcher, ['marker', 'person', 'watcher'])
    await seesOnly(marker, ['marker', 'person', 'watcher'])
    renewed.socket.terminate()
    await seesOnly(watcher, ['marker', 'watcher'])
  })

  await t.test("a peer's “gone” for somebody who is here erases nobody", async (t) => {
    const room = freshRoom('slander')
    const watcher = await Client.open(t, { url, room, user: 'watcher' })
    const peer = await Raw.open(t, `${url}/${room}`)
    peer.send(presenceFrame([[7, 1, { user: 'peer' }]]))
    await seesOnly(watcher, ['peer', 'watcher'])
    const person = await Raw.open(t, `${url}/${room}`)
    person.send(presenceFrame([[42, 5, { user: 'person' }]]))
    await seesOnly(watcher, ['peer', 'person', 'watcher'])
    peer.send(presenceFrame([[42, 5, null]]))
    peer.send(presenceFrame([[7, 2, { user: 'marker' }]]))
    await seesOnly(watcher, ['marker', 'person', 'watcher'])
  })
})

test('who shows nothing, and repeats what others show, keeps nobody here', async (t) => {
  const url = await serverURL(t)
  for (const version of versions) {
    await t.test(`y-websocket ${version}`, async (t) => {
      const room = freshRoom('silent')
      const watcher = await Client.open(t, { url, room, user: 'watcher' })
      const silent = await Client.open(t, { version, url, room, user: null })
      const person = await Client.open(t, { version, url, room, user: 'person' })
      person.awareness.setLocalStateField('cursor', 1)
      await until('the silent one sees it', () => silent.awareness.getStates().get(person.id)?.cursor === 1)
      // It has repeated that by now, and what it says next comes later.
      silent.put('heard', true)
      await until('that is through', () => watcher.read('heard'))
      person.close()
      await seesOnly(watcher, ['watcher'])
      await seesOnly(silent, ['watcher'])
    })
  }
})

test('a query for presence is answered', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('query')
  const person = await Client.open(t, { url, room, user: 'person' })
  const raw = await Raw.open(t, `${url}/${room}`)
  await raw.sync()
  const before = raw.messages.length
  raw.send(queryAwarenessFrame())
  await until('the answer names the person', () => raw.messages.slice(before).some(({ kind, entries }) =>
    kind === 'awareness' && entries.some(([client, , state]) => client === person.id && state?.user === 'person')))
})

test('old news is not passed on', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('stale')
  const listener = await Raw.open(t, `${url}/${room}`)
  await listener.sync()
  const speaker = await Raw.open(t, `${url}/${room}`)
  const of42 = () => listener.messages.filter(({ kind }) => kind === 'awareness').flatMap(({ entries }) => entries).filter(([client]) => client === 42)
  speaker.send(presenceFrame([[42, 5, { n: 5 }]]))
  speaker.send(presenceFrame([[42, 4, { n: 4 }]]))
  speaker.send(presenceFrame([[42, 5, { n: 'again' }]]))
  speaker.send(presenceFrame([[42, 6, { n: 6 }]]))
  await until('the newest is through', () => of42().some(([, clock]) => clock === 6))
  // States that come together may be told as the newest of them.
  const told = of42()
  const news = [[42, 5, { n: 5 }], [42, 6, { n: 6 }]]
  assert.deepEqual(told, news.slice(-told.length))
})
