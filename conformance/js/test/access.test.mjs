// Who may come in, and what they may do, as the real clients see it: each brings
// its token its own way, and is told in its own way what it may not.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { Client } from '../lib/client.mjs'
import { ElvaClient } from '../lib/elva.mjs'
import { HocuspocusClient } from '../lib/hocuspocus.mjs'
import { arrive, kinds, person } from '../lib/people.mjs'
import { getDocument, revoke } from '../lib/rpc.mjs'
import { Fjord, dataDirectory, freshRoom, needsFjord } from '../lib/servers.mjs'
import { Issuer, file, leeway } from '../lib/tokens.mjs'
import { atOnce, longest, until } from '../lib/wait.mjs'
import { YSweetClient } from '../lib/ysweet.mjs'

const options = { skip: needsFjord, timeout: longest }
const counted = kinds.filter((kind) => kind.startsWith('Hocuspocus'))

const withTokens = async (t) => {
  const issuer = new Issuer(t)
  const fjord = await Fjord.start(t, { data: dataDirectory(), args: ['--auth', `jwt:${issuer.file}`] })
  /** A token for one room: 'rw' or 'r'. */
  const token = (room, perm, more) => issuer.sign({ sub: 'ann', rooms: [{ id: room, perm }], ...more })
  return { fjord, token }
}

const stored = async (fjord, room) => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, await getDocument(fjord.process.rpc, room))
  return doc.getMap('map').toJSON()
}

/** Lets clients that go on trying have their tries, and sees that they keep their pace. */
const noStorm = async (people, seconds = 2) => {
  const before = people.map((person) => person.wire.opened)
  const began = performance.now()
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds))
  const took = (performance.now() - began) / 1000 // more than it was asked for, on a busy machine
  for (const [i, person] of people.entries()) {
    const tries = person.wire.opened - before[i]
    assert.ok(tries <= 12 * took, `${person.constructor.name} ${person.version ?? ''} opened ${tries} sockets in ${took} s`)
  }
}

test('each brings its token its own way', options, async (t) => {
  const { fjord, token } = await withTokens(t)
  const room = freshRoom('tokens')
  const rw = token(room, 'rw')
  const people = kinds.map((kind) => person(t, kind, { url: fjord.url, room, token: rw }))
  // In a subprotocol, which no proxy writes down.
  people.push(new Client(t, { url: fjord.url, room, user: 'subprotocol', options: { protocols: ['fjord', `fjord.token.${rw}`] } }))
  let asked = 0
  people.push(...[2, 3, 4].map((version) => new HocuspocusClient(t, { version, url: fjord.url, room, user: 'function ' + version, token: async () => { asked++; return rw } })))
  for (const person of people) await person.synced()
  for (const [i, person] of people.entries()) person.put('by ' + i, true)
  await until('all is everywhere', () => people.every((person) => people.every((_, i) => person.read('by ' + i))))
  assert.ok(asked >= 3)
  assert.deepEqual(people.filter((person) => person.version && person.stateless).map((person) => person.access), Array(6).fill('read-write'))
})

test('names and passwords', options, async (t) => {
  const people = file(t, 'people', 'ann:$2a$05$Olp6XjVD0Lqb2YjdSnQGke0bB6/ad0BvROloFddy286sje.qwvuc2\n')
  const fjord = await Fjord.start(t, { data: dataDirectory(), args: ['--auth', `basic:${people}`] })
  const room = freshRoom('passwords')
  const basic = (name, password) => ({ authorization: 'Basic ' + Buffer.from(`${name}:${password}`).toString('base64') })
  const elva = new ElvaClient(t, { url: fjord.url, room, user: 'elva', headers: basic('ann', 's3cret') })
  // In the URL, as y-websocket under Node sends it.
  const inURL = new Client(t, { url: fjord.url.replace('//', '//ann:s3cret@'), room, user: 'yws' })
  await elva.synced()
  await inURL.synced()
  elva.put('k', 1)
  await until('it arrives', () => inURL.read('k') === 1)
  const stranger = new ElvaClient(t, { url: fjord.url, room, user: 'stranger', headers: basic('ann', 'wrong') })
  await until('the stranger is turned away', () => stranger.wire.ends.length > 0)
  assert.equal(stranger.isSynced, false)
})

test('who may not come in is told so, and raises no storm', { ...options, concurrency: true }, async (t) => {
  const { fjord, token } = await withTokens(t)
  const room = freshRoom('refused')
  const wrong = { 'no token': undefined, 'a token for another room': token('another-room', 'rw'), 'no token at all, but a word': 'sesame' }
  await Promise.all(Object.entries(wrong).map(([what, token]) => t.test(what, async (t) => {
    const people = new Map(kinds.map((kind) => [kind, person(t, kind, { url: fjord.url, room, token: token ?? (kind.startsWith('Hocuspocus') ? null : '') })]))
    for (const [kind, person] of people) {
      if (counted.includes(kind)) await until(`${kind} hears that authentication failed`, () => person.refusals.length > 0, { shows: () => person.trouble })
      else await until(`${kind} is turned away`, () => person.wire.ends.length > 0, { shows: () => person.trouble })
    }
    await noStorm([...people.values()])
    for (const [kind, person] of people) assert.equal(person.isSynced, false, kind)
    for (const kind of counted) {
      const { wire, refusals } = people.get(kind)
      assert.deepEqual([wire.opened, wire.ends, refusals], [1, [], ['permission-denied']], `${kind}: its socket stays, for other documents`)
    }
  })))
  await t.test('a document that is denied leaves the socket to the others', async (t) => {
    const mine = freshRoom('mine')
    const denied = new HocuspocusClient(t, { version: 4, url: fjord.url, room, token: token(mine, 'rw') })
    await until('it is denied', () => denied.refusals.length === 1)
    const other = new HocuspocusClient(t, { version: 4, room: mine, token: token(mine, 'rw'), socket: denied.socket })
    await other.synced()
    other.put('k', 1)
    await until('and saves', () => other.saved)
    assert.equal(denied.wire.opened, 1)
  })
  assert.deepEqual(await stored(fjord, room), {})
})

test('who may only read sees everything, is told, and changes nothing', options, async (t) => {
  const { fjord, token } = await withTokens(t)
  const room = freshRoom('readers')
  const writer = await arrive(t, 'y-websocket 3', { url: fjord.url, room, user: 'writer', token: token(room, 'rw') })
  writer.put('text', 'to be read')
  await until('it is saved', () => writer.saved)
  const readers = new Map(kinds.map((kind) => [kind, person(t, kind, { url: fjord.url, room, token: token(room, 'r') })]))
  for (const [kind, reader] of readers) {
    await until(`${kind} reads`, () => reader.read('text') === 'to be read', { shows: () => reader.trouble })
    await until(`${kind} sees the writer`, () => reader.sees.includes('writer'))
  }
  await until('the writer sees the readers', () => kinds.every((kind) => writer.sees.includes(kind)), { shows: () => writer.sees })
  for (const kind of [...counted, 'ELVA']) await until(`${kind} is told that it may read`, () => readers.get(kind).access === 'readonly', { shows: () => readers.get(kind).trouble })

  let attempts = 0
  for (let n = 0; n < 3; n++) {
    for (const [kind, reader] of readers) { reader.put(`by ${kind}`, n); attempts++ }
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  // y-websocket and y-sweet have no word for it but the close code.
  for (const kind of kinds.filter((kind) => !counted.includes(kind) && kind !== 'ELVA')) {
    await until(`${kind} is told by 4403`, () => readers.get(kind).wire.codes.includes(4403), { shows: () => readers.get(kind).trouble })
  }
  await noStorm([...readers.values()])
  assert.deepEqual(readers.get('y-websocket 3').refusals, [4403], '3.1 takes it as final')
  for (const kind of counted) {
    const reader = readers.get(kind)
    assert.deepEqual([reader.wire.opened, reader.saved], [1, false], `${kind} stays, and doesn't believe that it saved`)
  }
  // What the writer says now comes after all that the readers tried.
  writer.put('text', 'still to be read')
  await until('it is saved', () => writer.saved)
  assert.deepEqual(await stored(fjord, room), { text: 'still to be read' }, 'something that a reader wrote was accepted')
  assert.deepEqual(writer.doc.getMap('map').toJSON(), { text: 'still to be read' })
  t.diagnostic(`${attempts} edits by readers, none accepted`)
})

/**
 * Everybody in a room, with a token that holds for so many seconds, and what they
 * ask for another one; null if some weren't in before their token was old.
 */
const withAgeingTokens = async (t, fjord, token, soon) => {
  const room = freshRoom('expiry')
  const began = performance.now()
  const scene = { first: true, renewed: 0, calls: { 2: 0, 3: 0, 4: 0 }, renewals: { 3: 0, 4: 0 } }
  const ageing = scene.ageing = () => token(room, 'rw', scene.first ? { lasts: soon } : {})
  const here = { url: fjord.url, room }
  scene.providers = [2, 3, 4].map((version) => new HocuspocusClient(t, { ...here, version, user: 'v' + version, token: async () => { scene.calls[version]++; return ageing() } }))
  scene.sweet = new YSweetClient(t, {
    ...here,
    user: 'sweet',
    endpoint: async () => { scene.renewed++; return { url: `${fjord.url}/d/${room}/ws`, baseUrl: 'http://unused', docId: room, token: ageing() } }
  })
  // These can be asked while their token still holds, within the leeway.
  scene.renewers = [3, 4].map((version) => new HocuspocusClient(t, {
    ...here, version, user: 'renewed ' + version, token: async () => token(room, 'rw', scene.renewals[version]++ === 0 ? { lasts: leeway + soon - 1 } : {})
  }))
  const [old, yws, elva] = ['y-websocket 2', 'y-websocket 3', 'ELVA'].map((kind) => person(t, kind, { ...here, token: ageing() }))
  Object.assign(scene, { old, yws, elva })
  const all = [...scene.providers, scene.sweet, ...scene.renewers, old, yws, elva]
  // The first to be old is so after soon - 1 s, and tokens know whole seconds only.
  const late = () => performance.now() - began > 1000 * (soon - 2)
  await until('all are in, or late', () => late() || all.every((person) => person.isSynced))
  scene.first = false
  if (!late()) return scene
  for (const person of all) person.close()
  return null
}

test('a token that expires in mid-session is asked for again, or the session ends', options, async (t) => {
  const { fjord, token } = await withTokens(t)
  let scene
  // On a busy machine it takes a while to come in. The most is what the leeway covers.
  for (const soon of [5, 15, leeway - 2]) scene ??= await withAgeingTokens(t, fjord, token, soon)
  assert.ok(scene, 'nobody comes in')
  const { providers, sweet, renewers, old, yws, elva, calls, renewals, ageing } = scene
  for (const person of [...providers, sweet, old, yws, elva]) await until('the session ends', () => person.wire.codes.includes(4401), { shows: () => person.trouble })
  for (const person of renewers) {
    await until(`provider ${person.version} is asked for another token`, () => renewals[person.version] === 2, { shows: () => person.trouble })
    person.put('renewed', person.version)
    await until('and saves', () => person.saved)
    assert.deepEqual([person.wire.opened, person.refusals], [1, []], 'it had to connect again')
  }
  // Without another one in time, 3 and 4 come back and call the function for a token; 2 stops at 4401.
  for (const person of providers.filter(({ version }) => version > 2)) {
    await until(`provider ${person.version} is back`, () => person.isSynced, { shows: () => person.trouble })
    assert.ok(calls[person.version] >= 2, 'the token was not asked for again')
    person.put('after', person.version)
    await until('and saves', () => person.saved)
  }
  await until('y-sweet has asked its endpoint again and is back', () => scene.renewed >= 2 && sweet.isSynced, { shows: () => sweet.trouble })
  await noStorm([old, yws, elva, providers[0]])
  assert.deepEqual([yws.refusals, yws.wire.opened], [[4401], 1])
  assert.deepEqual([elva.wire.opened, providers[0].wire.opened, calls[2]], [1, 1, 1])
  // An application gives y-websocket a new token and connects again.
  yws.client.params = { token: ageing() }
  yws.goOnline()
  await until('it is back', () => yws.isSynced && yws.read('after'))
})

test('what is revoked ends at once, and what is lowered goes on reading', options, async (t) => {
  const { fjord, token } = await withTokens(t)
  const room = freshRoom('revoked')
  const people = new Map(kinds.map((kind) => [kind, person(t, kind, { url: fjord.url, room, token: token(room, 'rw') })]))
  for (const person of people.values()) await person.synced()
  const boss = await arrive(t, 'y-websocket 3', { url: fjord.url, room, user: 'boss', token: token(room, 'rw', { sub: 'boss' }) })
  const assistant = await arrive(t, 'y-websocket 3', { url: fjord.url, room, user: null, token: token(room, 'r', { sub: 'boss' }) })
  const all = [...people.values()]
  await until('the boss sees all', () => boss.sees.length === kinds.length + 1)

  await t.test('the right to write', async (t) => {
    const sockets = all.map((person) => person.wire.opened)
    const started = performance.now()
    await revoke(fjord.process.rpc, { subject: 'ann', what: 'REVOKED_WRITE' })
    for (const [kind, person] of people) await until(`${kind} is told`, () => person.access === 'readonly', { within: atOnce, shows: () => person.trouble })
    t.diagnostic(`told after ${Math.round(performance.now() - started)} ms`)
    boss.put('news', 1)
    await until('all go on reading', () => all.every((person) => person.read('news') === 1))
    assert.deepEqual(all.map((person) => person.wire.opened), sockets, 'somebody had to connect again')
    for (const person of all) person.put(`late ${person.id}`, true)
    boss.put('news', 2)
    await until('it is saved', () => boss.saved)
    assert.deepEqual(await stored(fjord, room), { news: 2 })
  })

  await t.test('all of it', async (t) => {
    const started = performance.now()
    await revoke(fjord.process.rpc, { subject: 'ann', what: 'REVOKED_ACCESS' })
    await until('only the boss is there', () => String(boss.sees) === 'boss', { within: atOnce, shows: () => boss.sees })
    t.diagnostic(`gone after ${Math.round(performance.now() - started)} ms`)
    await noStorm(all)
    boss.put('news', 3)
    await until('whoever may hear has heard', () => boss.saved && assistant.read('news') === 3)
    assert.deepEqual(all.filter((person) => person.read('news') === 3).map((person) => person.constructor.name), [], 'somebody still hears')
    assert.deepEqual(boss.wire.opened, 1)
    assert.deepEqual(await stored(fjord, room), { news: 3 })
  })
})
