// A person at y-sweet's client.

import * as Y from 'yjs'
import { YSweetProvider } from '@y-sweet/client'
import { Person } from './person.mjs'

/**
 * How long it waits for an answer to its heartbeat, in ms. Its own 3 s are less
 * than a busy machine may stand still, and then it connects again, where a check
 * says that nobody has to.
 */
const silence = 20_000

const patient = (client) => {
  client.setConnectionTimeout = () => {
    if (client.connectionTimeoutHandle || !client.receivedAtLeastOneSyncResponse) return
    client.connectionTimeoutHandle = setTimeout(() => {
      client.connectionTimeoutHandle = null
      client.websocket.close()
      client.setStatus('error')
      client.connect()
    }, silence)
  }
}

export class YSweetClient extends Person {
  /**
   * @param {{url: string, room: string, doc?: Y.Doc, user?: any, token?: string, endpoint?: () => Promise<object>}} options
   *   endpoint: what gives a client token; by default one for url and token
   */
  constructor (t, { url, room, doc = new Y.Doc(), user, token = 'anything', endpoint }) {
    super()
    endpoint ??= async () => ({ url: `${url}/d/${room}/ws`, baseUrl: `${url.replace('ws', 'http')}/d/${room}`, docId: room, token })
    this.client = new YSweetProvider(endpoint, room, doc, { WebSocketPolyfill: this.wire.Socket, showDebuggerLink: false })
    patient(this.client)
    this.wire.onFrame = ([type]) => { if (type === 2) this.access = 'readonly' } // told, though the client has no ear for it
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
