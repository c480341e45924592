// A person at a real npm client: a Y.Doc and y-websocket 2 or 3 over `ws`.

import { setMaxListeners } from 'node:events'
import WebSocket from 'ws'
import * as Y from 'yjs'
import { WebsocketProvider as Version2 } from 'y-websocket-2'
import { WebsocketProvider as Version3 } from 'y-websocket-3'
import { until } from './wait.mjs'

const clients = { 2: Version2, 3: Version3 }
/** The versions of y-websocket that are checked. */
export const versions = [2, 3]

process.setMaxListeners(0) // each provider listens for the process's exit
setMaxListeners(0)

export class Client {
  /**
   * @param {import('node:test').TestContext} t closes the client when it is over
   * @param {{version?: number, url: string, room: string, doc?: Y.Doc, user?: any, connect?: boolean}} options
   *   user becomes the awareness field "user"; null announces nobody
   */
  constructor (t, { version = 3, url, room, doc = new Y.Doc(), user, connect = true }) {
    this.doc = doc
    this.closes = []
    this.client = new clients[version](url, room, doc, { WebSocketPolyfill: WebSocket, disableBc: true, connect: false })
    this.client.on('connection-close', (event) => this.closes.push(event?.code ?? 'own'))
    // Undeclared, y-websocket announces {} at clock 0, which JS peers ignore
    // until the heartbeat. People have names.
    if (user === null) this.awareness.setLocalState(null)
    else if (user !== undefined) this.awareness.setLocalStateField('user', user)
    if (connect) this.client.connect()
    t.after(() => this.close())
  }

  /** A client that has synced. */
  static async open (t, options) {
    const client = new Client(t, options)
    await client.synced(options.within)
    return client
  }

  get id () { return this.doc.clientID }
  get awareness () { return this.client.awareness }
  get text () { return this.doc.getText('text') }

  /** The names of those whom this client sees, itself included, sorted. */
  get sees () {
    return [...this.awareness.getStates().values()].map((state) => state.user).filter((user) => user !== undefined).sort()
  }

  async synced (within = 15_000) {
    await until('the client is synced', () => this.client.synced, { within, shows: () => ({ connected: this.client.wsconnected, closes: this.closes }) })
  }

  goOffline () { this.client.disconnect() }
  goOnline () { this.client.connect() }

  /** The network goes without a word: no close frame, no farewell. */
  cutOff () { this.client.ws?.terminate() }

  close () {
    if (this.closed) return
    this.closed = true
    this.client.destroy()
    this.doc.destroy()
  }
}

/** Version by version, for the i-th of several clients: 2, 3, or both by turns. */
export const mixes = [
  { name: 'y-websocket 2', version: () => 2 },
  { name: 'y-websocket 3', version: () => 3 },
  { name: 'y-websocket 2 and 3', version: (i) => versions[i % 2] }
]
