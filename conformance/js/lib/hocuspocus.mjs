// A person at a Hocuspocus provider, 2, 3 or 4; with `session`, the session
// addresses of 4 on a socket that several share.

import WebSocket from 'ws'
import * as Y from 'yjs'
import * as version2 from 'hocuspocus-2'
import * as version3 from 'hocuspocus-3'
import * as version4 from 'hocuspocus-4'
import { Person } from './person.mjs'
import { until } from './wait.mjs'
import { Wire } from './wire.mjs'

globalThis.WebSocket ??= WebSocket // version 2 looks for it even if it is given another

const packages = { 2: version2, 3: version3, 4: version4 }

/** A socket for several sessions. */
export const sharedSocket = (t, { url, ...options }) => {
  const socket = new version4.HocuspocusProviderWebsocket({ url, WebSocketPolyfill: new Wire().Socket, ...options })
  t.after(() => socket.destroy())
  return socket
}

export class HocuspocusClient extends Person {
  /** Stateless messages, and every count of unsaved changes, as they came. */
  stateless = []
  counts = []

  /**
   * @param {{version: number, url: string, room: string, doc?: Y.Doc, user?: any,
   *   token?: string|(() => string)|null, socket?: object, pace?: object, options?: object}} options
   *   socket: a shared one, which stays; the session then has an address of its own; pace: options of its own socket
   */
  constructor (t, { version, url, room, doc = new Y.Doc(), user, token = 'anything', socket, pace, options }) {
    super()
    this.version = version
    // Its own socket too: version 2 passes no WebSocket on to one that it makes.
    const own = socket ?? new packages[version].HocuspocusProviderWebsocket({
      url,
      WebSocketPolyfill: this.wire.Socket,
      // Its own pace is a second and more, up to thirty; the checks can't wait.
      delay: 100,
      minDelay: 100,
      maxDelay: 1000,
      quiet: true,
      ...pace
    })
    this.client = new packages[version].HocuspocusProvider({
      websocketProvider: own,
      ...(socket && { sessionAwareness: true }),
      broadcast: false, // version 2 would meet its own kind past the server
      name: room,
      document: doc,
      token,
      onStateless: ({ payload }) => this.stateless.push(payload),
      onUnsyncedChanges: ({ number }) => this.counts.push(number),
      onAuthenticated: ({ scope } = {}) => { this.access = scope ?? this.client?.authorizedScope ?? 'read-write' },
      onAuthenticationFailed: ({ reason }) => this.refusals.push(reason),
      ...options
    })
    this.has(t, { doc, awareness: this.client.awareness, user })
    this.socket = own
    this.closing(() => {
      // Version 3, destroyed while it waits to come back, comes back for ever.
      if (!socket) own.connect = async () => {}
      this.client.destroy()
      if (!socket) own.destroy()
    })
    if (version > 2) this.client.attach()
  }

  get isSynced () { return this.client.isSynced }
  get saved () { return this.isSynced && this.client.unsyncedChanges === 0 }

  get trouble () { return { ...super.trouble, unsynced: this.client.unsyncedChanges, status: this.socket.status } }

  goOffline () { this.socket.disconnect() }

  // Asked before it has heard that it is closed, it takes itself for connected
  // and does nothing, now and later.
  async goOnline () {
    await until('its socket has closed', () => this.closed || this.socket.status !== 'connected')
    if (!this.closed) await this.socket.connect()
  }
}
