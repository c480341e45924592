// A person at y-sweet's client.

import * as Y from 'yjs'
import { YSweetProvider } from '@y-sweet/client'
import { Person } from './person.mjs'

export class YSweetClient extends Person {
  /**
   * @param {{url: string, room: string, doc?: Y.Doc, user?: any, token?: string, endpoint?: () => Promise<object>}} options
   *   endpoint: what gives a client token; by default one for url and token
   */
  constructor (t, { url, room, doc = new Y.Doc(), user, token = 'anything', endpoint }) {
    super()
    endpoint ??= async () => ({ url: `${url}/d/${room}/ws`, baseUrl: `${url.replace('ws', 'http')}/d/${room}`, docId: room, token })
    this.client = new YSweetProvider(endpoint, room, doc, { WebSocketPolyfill: this.wire.Socket, showDebuggerLink: false })
    this.has(t, { doc, awareness: this.client.awareness, user })
    this.closing(() => {
      // Its destroy and its disconnect close the socket, which makes it connect again.
      this.client.attemptToConnect = async () => true
      this.client.ensureClientToken = async () => ({})
      this.client.websocket?.terminate()
      this.client.destroy()
      clearTimeout(this.client.heartbeatHandle)
      clearTimeout(this.client.connectionTimeoutHandle)
      this.client.awareness.destroy()
    })
  }

  get isSynced () { return this.client.status === 'connected' }
  get saved () { return this.isSynced && !this.client.hasLocalChanges }

  get trouble () { return { ...super.trouble, status: this.client.status } }
}
