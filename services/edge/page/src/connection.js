// One room's connection: the real y-websocket client, and what it can't tell
// by itself, namely whether this page's edits have been saved.

import * as Y from 'yjs'
import * as decoding from 'lib0/decoding'
import { WebsocketProvider, messageSync } from 'y-websocket'
import { messageYjsSyncStep1 } from 'y-protocols/sync'
import { Unsaved } from './unsaved.js'
import { statusOf } from './status.js'

/**
 * @param {string} server for example ws://localhost:1234
 * @param {string} path the room's part of the URL
 * @param {object} options what y-websocket is told beside that
 * @param {(status: string, reason?: string) => void} report called at every change
 */
export const openConnection = (server, path, options, report) => {
  const doc = new Y.Doc()
  // Tabs of one browser could also talk past the server; then "saved" and the
  // list of people would no longer speak of the server.
  const client = new WebsocketProvider(server, path, doc, { ...options, connect: false, disableBc: true })
  const unsaved = new Unsaved()
  const now = { connected: false, synced: false, tried: false, unsaved: false, edited: false, closed: false }
  let reason
  const changed = (what) => {
    Object.assign(now, what, { unsaved: !unsaved.empty })
    report(statusOf(now), reason)
  }

  doc.on('update', (update, origin) => {
    if (origin === client) return
    unsaved.made(update)
    changed({ edited: true })
  })
  const readSync = client.messageHandlers[messageSync]
  client.messageHandlers[messageSync] = (encoder, decoder, ...rest) => {
    const seen = decoding.clone(decoder)
    readSync(encoder, decoder, ...rest)
    if (decoding.readVarUint(seen) === messageYjsSyncStep1) unsaved.serverHas(decoding.readVarUint8Array(seen))
    else unsaved.cameBack(decoding.readVarUint8Array(seen))
    changed({})
  }
  client.on('status', ({ status }) => {
    const connected = status === 'connected'
    changed({ connected, tried: now.tried || connected })
  })
  client.on('sync', (synced) => changed({ synced }))
  client.on('connection-error', () => changed({ tried: true }))
  client.on('closed', (event) => {
    reason = event.reason
    changed({ closed: true })
  })

  return {
    doc,
    awareness: client.awareness,
    connect: () => { changed({}); client.connect() },
    onceSynced: (then) => client.once('sync', then),
    get unsaved () { return !unsaved.empty }
  }
}
