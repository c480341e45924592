// A person at a Hocuspocus provider, 2, 3 or 4; with `session`, the session
// addresses of 4 on a socket that several share.

import WebSocket from 'ws'
import * as Y from 'yjs'
import { HocuspocusProvider as Version2 } from 'hocuspocus-2'
import { HocuspocusProvider as Version3 } from 'hocuspocus-3'
import { HocuspocusProvider as Version4, HocuspocusProviderWebsocket } from 'hocuspocus-4'
import { Person } from './person.mjs'

globalThis.WebSocket ??= WebSocket // version 2 looks for it even if it is given another

const providers = { 2: Version2, 3: Version3, 4: Version4 }

/** A socket for several sessions. */
export const sharedSocket = (t, { url, ...options }) => {
  const socket = new HocuspocusProviderWebsocket({ url, WebSocketPolyfill: WebSocket, ...options })
  t.after(() => socket.destroy())
  return socket
}

export class HocuspocusClient extends Person {
  /** Stateless messages, and every count of unsaved changes, as they came. */
  stateless = []
  counts = []

  /**
   * @param {{version: number, url: string, room: string, doc?: Y.Doc, user?: any,
   *   token?: string|(() => string)|null, socket?: HocuspocusProviderWebsocket, options?: object}} options
   *   socket: a shared one, which stays; the session then has an address of its own
   */
  constructor (t, { version, url, room, doc = new Y.Doc(), user, token = 'anything', socket, options }) {
    super()
    this.version = version
    this.client = new providers[version]({
      ...(socket ? { websocketProvider: socket, sessionAwareness: true } : { url, WebSocketPolyfill: this.wire.Socket }),
      name: room,
      document: doc,
      token,
      // Its own pace is a second and more, up to thirty; the checks can't wait.
      delay: 100,
      minDelay: 100,
      maxDelay: 1000,
      quiet: true,
      onStateless: ({ payload }) => this.stateless.push(payload),
      onUnsyncedChanges: ({ number }) => this.counts.push(number),
      onAuthenticated: ({ scope } = {}) => { this.access = scope ?? this.client?.authorizedScope ?? 'read-write' },
      onAuthenticationFailed: ({ reason }) => this.refusals.push(reason),
      ...options
    })
    this.has(t, { doc, awareness: this.client.awareness, user })
    this.closing(() => {
      this.client.destroy()
      // Version 2 leaves the socket that it made, and its timer, behind.
      if (!socket) this.client.configuration.websocketProvider.destroy()
    })
    if (socket) this.client.attach()
  }

  get isSynced () { return this.client.isSynced }
  get saved () { return this.isSynced && this.client.unsyncedChanges === 0 }

  get trouble () { return { ...super.trouble, unsynced: this.client.unsyncedChanges, status: this.client.configuration.websocketProvider.status } }

  goOffline () { this.client.configuration.websocketProvider.disconnect() }
  goOnline () { return this.client.configuration.websocketProvider.connect() }
}
