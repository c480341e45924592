// The clients that are recorded: each makes a person at a Yjs document, with the
// client's ID 42, who can do what the script asks for.

import { readFileSync } from 'node:fs'
import { WebSocket } from 'ws'
import * as Y13 from 'yjs'
import * as Y14 from '@y/y'
import { Awareness, encodeAwarenessUpdate, applyAwarenessUpdate } from 'y-protocols/awareness'
import * as encoding from 'lib0/encoding'
import * as decoding from 'lib0/decoding'
import { addressed, plain } from './words.mjs'

globalThis.WebSocket = WebSocket // Hocuspocus 2 looks for it even if it is given another

const version = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version

const document = (Y) => {
  const doc = new Y.Doc()
  doc.clientID = 42
  return doc
}

const yjs13 = {
  insert: (doc, at, text) => doc.getText('text').insert(at, text),
  delete: (doc, at, length) => doc.getText('text').delete(at, length),
  set: (doc) => doc.getMap('m').set('k', { deep: [1, 2.5, null, true] })
}
const yjs14 = {
  insert: (doc, at, text) => doc.get('text').insert(at, text),
  delete: (doc, at, length) => doc.get('text').delete(at, length),
  set: (doc) => doc.get('m').setAttr('k', { deep: [1, 2.5, null, true] })
}

const ywebsocket = (pkg, Y, edit) => ({
  folder: 'ywebsocket',
  name: `y-websocket-${version(pkg)}`,
  of: `${pkg === '@y/websocket' ? pkg : 'y-websocket'} ${version(pkg)}, ${Y === Y14 ? '@y/y ' + version('@y/y') : 'yjs ' + version('yjs')}`,
  words: plain,
  edit,
  async open (tape, { token }) {
    const { WebsocketProvider } = await import(pkg)
    const doc = document(Y)
    const client = new WebsocketProvider(tape.url, 'team/notes', doc,
      { WebSocketPolyfill: WebSocket, disableBc: true, params: token ? { token } : {} })
    return { doc, awareness: client.awareness, destroy: () => client.destroy() }
  }
})

const hocuspocus = (pkg, options = {}) => ({
  folder: 'hocuspocus',
  name: `hocuspocus-${version(pkg)}`,
  of: `@hocuspocus/provider ${version(pkg)}, yjs ${version('yjs')}`,
  words: addressed,
  edit: yjs13,
  async open (tape, { token = 'secret' }) {
    const { HocuspocusProvider } = await import(pkg)
    const doc = document(Y13)
    const client = new HocuspocusProvider({
      url: tape.url, name: 'team/notes', document: doc, token, WebSocketPolyfill: WebSocket, ...options
    })
    return {
      doc,
      awareness: client.awareness,
      own: [
        ['stateless', () => client.sendStateless('how are you?')],
        ['asks again', () => client.forceSync()]
      ],
      saved: () => client.unsyncedChanges === 0,
      destroy () { client.destroy(); client.configuration.websocketProvider.destroy() }
    }
  }
})

/** Two sessions of one document, and a second document, on one socket. */
const sessions = {
  folder: 'hocuspocus',
  name: `hocuspocus-${version('hocuspocus-4')}-sessions`,
  of: `@hocuspocus/provider ${version('hocuspocus-4')} with sessionAwareness, yjs ${version('yjs')}`,
  words: addressed,
  edit: yjs13,
  async open (tape) {
    const { HocuspocusProvider, HocuspocusProviderWebsocket } = await import('hocuspocus-4')
    const socket = new HocuspocusProviderWebsocket({ url: tape.url, WebSocketPolyfill: WebSocket })
    const join = async (name, sessionAwareness, clientID) => {
      const doc = document(Y13)
      doc.clientID = clientID
      const client = new HocuspocusProvider({ name, document: doc, token: 'secret', websocketProvider: socket, sessionAwareness })
      tape.aliases.set(client.sessionId, String(clientID).repeat(client.sessionId.length).slice(0, client.sessionId.length))
      client.attach()
      await tape.quiet()
      return { doc, client }
    }
    const people = [await join('team/notes', true, 42), await join('team/notes', true, 43), await join('other', false, 44)]
    return {
      doc: people[0].doc,
      awareness: people[0].client.awareness,
      own: [
        ['the second session writes', () => people[1].doc.getText('text').insert(0, 'two ')],
        ['the other document is written', () => people[2].doc.getText('text').insert(0, 'elsewhere')],
        ['the second session leaves', () => people[1].client.destroy()]
      ],
      saved: () => people.every(({ client }) => client.unsyncedChanges === 0),
      destroy () { people[0].client.destroy(); people[2].client.destroy(); socket.destroy() }
    }
  }
}

const ysweet = {
  folder: 'ysweet',
  name: `y-sweet-${version('@y-sweet/client')}`,
  of: `@y-sweet/client ${version('@y-sweet/client')}, yjs ${version('yjs')}`,
  words: plain,
  edit: yjs13,
  async open (tape, { token }) {
    const { YSweetProvider } = await import('@y-sweet/client')
    const doc = document(Y13)
    const given = { url: `${tape.url}/d/notes/ws`, baseUrl: 'http://unused', docId: 'notes', token }
    const client = new YSweetProvider(async () => given, 'notes', doc, { WebSocketPolyfill: WebSocket, showDebuggerLink: false })
    return {
      doc,
      awareness: client.awareness,
      saved: () => !client.hasLocalChanges,
      destroy () {
        client.attemptToConnect = async () => true // its destroy would connect again
        client.websocket.close()
        client.destroy()
        clearTimeout(client.heartbeatHandle)
        clearTimeout(client.connectionTimeoutHandle)
      }
    }
  }
}

const SYNC = 0; const AWARENESS = 1; const D = 0x44; const I = 0x49; const R = 0x52

/** No package speaks ELVA: this says what its messages are described to be. */
const elva = {
  folder: 'elva',
  name: 'elva',
  of: `a client written from the description of ELVA's messages (there is no npm package), yjs ${version('yjs')}`,
  words: plain,
  edit: yjs13,
  async open (tape, { token }) {
    const doc = document(Y13)
    const awareness = new Awareness(doc)
    const socket = new WebSocket(`${tape.url}/-/elva/elva-notes${token ? '?token=' + token : ''}`)
    const send = (magic, payload) => {
      if (socket.readyState !== WebSocket.OPEN) return
      socket.send(encoding.encode((encoder) => {
        for (const byte of magic) encoding.writeUint8(encoder, byte)
        encoding.writeVarUint8Array(encoder, payload)
      }))
    }
    const cross = (vector, update) => encoding.encode((encoder) => {
      encoding.writeVarUint8Array(encoder, vector)
      encoding.writeVarUint8Array(encoder, update)
    })
    socket.on('message', (bytes) => {
      const decoder = decoding.createDecoder(bytes)
      const first = decoding.readUint8(decoder)
      const second = first === AWARENESS ? 0 : decoding.readUint8(decoder)
      const payload = decoding.readVarUint8Array(decoder)
      if (first === AWARENESS) applyAwarenessUpdate(awareness, payload, socket)
      if (first !== SYNC) return
      if (second === 0) send([SYNC, 1], Y13.encodeStateAsUpdate(doc, payload))
      if (second === 1 || second === 2) Y13.applyUpdate(doc, payload, socket)
      if (second === 3) {
        const both = decoding.createDecoder(payload)
        const vector = decoding.readVarUint8Array(both)
        Y13.applyUpdate(doc, decoding.readVarUint8Array(both), socket)
        send([SYNC, 1], Y13.encodeStateAsUpdate(doc, vector))
      }
    })
    doc.on('update', (update, origin) => { if (origin !== socket) send([SYNC, 2], update) })
    awareness.on('update', ({ added, updated, removed }, origin) => {
      if (origin !== socket) send([AWARENESS], encodeAwarenessUpdate(awareness, [...added, ...updated, ...removed]))
    })
    await new Promise((resolve) => socket.on('open', resolve))
    send([AWARENESS], encodeAwarenessUpdate(awareness, [doc.clientID]))
    send([SYNC, 0], Y13.encodeStateVector(doc))
    send([SYNC, 1], Y13.encodeStateAsUpdate(doc))
    return {
      doc,
      awareness,
      own: [
        ['a cross', () => send([SYNC, 3], cross(Y13.encodeStateVector(doc), Y13.encodeStateAsUpdate(doc)))],
        ['who is speaking', () => send([I, 0x44], Buffer.from('ada'))],
        ['the four data messages', () => { for (const n of [1, 2, 3, 4]) send([D, n], Buffer.from('blob ' + n)) }],
        ['reads only from now on', () => send([R, 0x4f], Buffer.alloc(0))],
        ['and writes again', () => send([R, 0x57], Buffer.alloc(0))]
      ],
      destroy () { awareness.destroy(); socket.close() }
    }
  }
}

const reader = (client) => ({ ...client, name: client.name + '-reader', reads: true })

export const clients = [
  ywebsocket('y-websocket-1', Y13, yjs13),
  ywebsocket('y-websocket-2', Y13, yjs13),
  ywebsocket('y-websocket-3', Y13, yjs13),
  ywebsocket('y-websocket-3-rc', Y13, yjs13),
  ywebsocket('@y/websocket', Y14, yjs14),
  reader(ywebsocket('y-websocket-3', Y13, yjs13)),
  hocuspocus('hocuspocus-2'),
  hocuspocus('hocuspocus-3'),
  hocuspocus('hocuspocus-4'),
  sessions,
  reader(hocuspocus('hocuspocus-2')),
  reader(hocuspocus('hocuspocus-4')),
  ysweet,
  reader(ysweet),
  elva,
  reader(elva)
]
