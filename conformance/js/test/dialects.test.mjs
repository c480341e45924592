// The real clients of every dialect in one room: y-websocket, three versions of
// the Hocuspocus provider, y-sweet, and a client that speaks ELVA.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import WebSocket from 'ws'
import * as Y from 'yjs'
import { HocuspocusProvider as Version2 } from 'hocuspocus-2'
import { HocuspocusProvider as Version3 } from 'hocuspocus-3'
import { HocuspocusProvider as Version4, HocuspocusProviderWebsocket } from 'hocuspocus-4'
import { YSweetProvider } from '@y-sweet/client'
import { Client } from '../lib/client.mjs'
import { ElvaClient } from '../lib/elva.mjs'
import { freshRoom, serverURL } from '../lib/servers.mjs'
import { until } from '../lib/wait.mjs'

globalThis.WebSocket ??= WebSocket // version 2 looks for it even if it is given another

const providers = { 2: Version2, 3: Version3, 4: Version4 }

/** A person at a Hocuspocus provider. */
const hocuspocus = (t, version, { url, room, user, ...options }) => {
  const doc = new Y.Doc()
  const person = { doc, stateless: [], counts: [] }
  person.client = new providers[version]({
    url,
    name: room,
    document: doc,
    token: 'anything',
    WebSocketPolyfill: WebSocket,
    onStateless: ({ payload }) => person.stateless.push(payload),
    onUnsyncedChanges: ({ number }) => person.counts.push(number),
    ...options
  })
  person.awareness = person.client.awareness
  person.awareness.setLocalStateField('user', user)
  t.after(() => {
    person.client.destroy()
    // Version 2 leaves the socket that it made, and its timer, behind.
    person.client.configuration.websocketProvider.destroy()
    doc.destroy()
  })
  return person
}

/** A person at y-sweet's client. */
const ysweet = (t, { url, room, user }) => {
  const doc = new Y.Doc()
  const token = { url: `${url}/d/${room}/ws`, baseUrl: `${url.replace('ws', 'http')}/d/${room}`, docId: room, token: 'anything' }
  const client = new YSweetProvider(async () => token, room, doc, { WebSocketPolyfill: WebSocket, showDebuggerLink: false })
  client.awareness.setLocalStateField('user', user)
  t.after(() => {
    // Its destroy closes the socket, which makes it connect again.
    client.attemptToConnect = async () => true
    client.websocket.terminate()
    client.destroy()
    clearTimeout(client.heartbeatHandle)
    clearTimeout(client.connectionTimeoutHandle)
    client.awareness.destroy()
    doc.destroy()
  })
  return { doc, client, awareness: client.awareness }
}

const everybody = async (t, url, room) => {
  const ws = new HocuspocusProviderWebsocket({ url, WebSocketPolyfill: WebSocket })
  t.after(() => ws.destroy())
  const people = {
    yws2: await Client.open(t, { version: 2, url, room, user: 'yws2' }),
    yws3: await Client.open(t, { version: 3, url, room, user: 'yws3' }),
    hp2: hocuspocus(t, 2, { url, room, user: 'hp2' }),
    hp3: hocuspocus(t, 3, { url, room, user: 'hp3' }),
    hp4: hocuspocus(t, 4, { url, room, user: 'hp4' }),
    // Two sessions on one socket.
    hp4a: hocuspocus(t, 4, { url: undefined, websocketProvider: ws, sessionAwareness: true, room, user: 'hp4a' }),
    hp4b: hocuspocus(t, 4, { url: undefined, websocketProvider: ws, sessionAwareness: true, room, user: 'hp4b' }),
    sweet: ysweet(t, { url, room, user: 'sweet' }),
    elva: new ElvaClient(t, { url, room, user: 'elva', id: 'elva-1' })
  }
  people.hp4a.client.attach()
  people.hp4b.client.attach()
  return people
}

const text = (person) => person.doc.getText('text').toString()
const names = (person) => [...person.awareness.getStates().values()].map((state) => state.user).filter(Boolean).sort()
const counted = (people) => Object.entries(people).filter(([name]) => name.startsWith('hp')).map(([, person]) => person)

test('every dialect in one room', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('dialects')
  const people = await everybody(t, url, room)
  const all = Object.keys(people)

  await until('everybody sees everybody', () => Object.values(people).every((person) => String(names(person)) === String(all.toSorted())),
    { within: 20_000, shows: () => Object.values(people).map(names) })

  for (let round = 0; round < 20; round++) {
    for (const [name, person] of Object.entries(people)) person.doc.getText('text').insert(0, `${name}:${round} `)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const complete = (person) => all.every((name) => Array.from({ length: 20 }, (_, round) => `${name}:${round} `).every((word) => text(person).includes(word)))
  await until('all have all words, in the same order',
    () => Object.values(people).every((person) => complete(person) && text(person) === text(people.yws3)), { within: 20_000 })

  await until('each Hocuspocus provider knows that all is saved', () => counted(people).every((person) => person.client.unsyncedChanges === 0),
    { shows: () => counted(people).map((person) => person.client.unsyncedChanges) })
  assert.ok(counted(people).every((person) => Math.min(...person.counts) >= 0), 'a provider was answered too often')
  await until('y-sweet knows it', () => !people.sweet.client.hasLocalChanges)
})

test('a stateless message reaches the others', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('stateless')
  const people = [2, 3, 4].map((version) => hocuspocus(t, version, { url, room, user: 'v' + version }))
  await until('all are synced', () => people.every((person) => person.client.isSynced))
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
  await until('both are synced', () => ada.synced && bea.synced)
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
