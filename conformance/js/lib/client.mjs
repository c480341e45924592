// A person at y-websocket: its last versions 1, 2 and 3, the candidate of 3.1
// that says what is saved ("3-rc"), and the candidate of 4, which is for Yjs 14.

import { setMaxListeners } from 'node:events'
import * as Y from 'yjs'
import * as Y14 from '@y/y'
import * as decoding from 'lib0/decoding'
import { WebsocketProvider as Version1 } from 'y-websocket-1'
import { WebsocketProvider as Version2 } from 'y-websocket-2'
import { WebsocketProvider as Version3 } from 'y-websocket-3'
import { WebsocketProvider as Version3Candidate } from 'y-websocket-3-rc'
import { WebsocketProvider as Version4 } from 'y-websocket-4'
import { Echo, Person } from './person.mjs'
import { until } from './wait.mjs'

const clients = { 1: Version1, 2: Version2, 3: Version3, '3-rc': Version3Candidate, 4: Version4 }
/** The versions that the checks of y-websocket's habits use. */
export const versions = [2, 3]

process.setMaxListeners(0) // each provider listens for the process's exit
setMaxListeners(0)

export class Client extends Person {
  #echo = new Echo()

  /**
   * @param {import('node:test').TestContext} t closes the client when it is over
   * @param {{version?: number|string, url: string, room: string, doc?: Y.Doc, user?: any, token?: string, connect?: boolean, options?: object}} options
   *   user becomes the awareness field "user"; null announces nobody
   */
  constructor (t, { version = 3, url, room, doc = version === 4 ? new Y14.Doc() : new Y.Doc(), user, token, connect = true, options }) {
    super()
    this.version = version
    this.closes = []
    this.wire.onFrame = (frame) => this.#hear(frame)
    this.client = new clients[version](url, room, doc, {
      WebSocketPolyfill: this.wire.Socket, disableBc: true, connect: false, ...(token && { params: { token } }), ...options
    })
    this.client.on('connection-close', (event) => this.closes.push(event?.code ?? 'own'))
    this.client.on('closed', ({ code }) => this.refusals.push(code)) // only 3.1 and newer
    this.has(t, { doc, awareness: this.client.awareness, user })
    this.closing(() => this.client.destroy())
    if (connect) this.client.connect()
  }

  /** A client that has synced. */
  static async open (t, options) {
    const client = new Client(t, options)
    await client.synced(options.within)
    return client
  }

  #hear (frame) {
    const decoder = decoding.createDecoder(frame)
    const type = decoding.readVarUint(decoder)
    if (type === 2) this.access = 'readonly' // "permission denied" is all that y-websocket can be told
    if (type !== 0 || this.version === '3-rc' || decoding.readVarUint(decoder) === 0) return
    this.#echo.hear(decoding.readVarUint8Array(decoder))
  }

  get isSynced () { return this.client.synced }

  /** Whether all that was written here is saved, as far as the client knows. */
  get saved () { return this.version === '3-rc' ? this.client.syncStatus.localUpdatesSynced : this.#echo.covers(this.doc) }

  get text () { return this.version === 4 ? this.doc.get('text') : super.text }
  put (key, value) { this.version === 4 ? this.doc.get('map').setAttr(key, value) : super.put(key, value) }
  read (key) { return this.version === 4 ? this.doc.get('map').getAttr(key) : super.read(key) }
  get identity () { return this.version === 4 ? Buffer.from(Y14.encodeSnapshot(Y14.snapshot(this.doc))).toString('hex') : super.identity }

  get trouble () { return { connected: this.client.wsconnected, closes: this.closes } }

  async synced (within) {
    await until('the client is synced', () => this.client.synced, { within, shows: () => this.trouble })
  }

  goOffline () {
    const { ws } = this.client
    this.client.disconnect()
    // Versions 1 and 2 would hear on until the server has closed too.
    if (ws) ws.onmessage = null
  }

  goOnline () { this.client.connect() }
}

/** Version by version, for the i-th of several clients: 2, 3, or both by turns. */
export const mixes = [
  { name: 'y-websocket 2', version: () => 2 },
  { name: 'y-websocket 3', version: () => 3 },
  { name: 'y-websocket 2 and 3', version: (i) => versions[i % 2] }
]
