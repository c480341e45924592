// A person at an ELVA client, written from ELVA's messages: magic bytes, then a
// payload with its length. It says its presence first, then step 1, and its whole
// document unasked.

import WebSocket from 'ws'
import * as Y from 'yjs'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

const SYNC = 0; const AWARENESS = 1; const D = 0x44; const I = 0x49; const R = 0x52
const STEP1 = 0; const STEP2 = 1; const UPDATE = 2; const CROSS = 3

const frame = (magic, payload) => encoding.encode((encoder) => {
  for (const byte of magic) encoding.writeUint8(encoder, byte)
  encoding.writeVarUint8Array(encoder, payload)
})

export class ElvaClient {
  constructor (t, { url, room, user, id }) {
    this.doc = new Y.Doc()
    this.awareness = new Awareness(this.doc)
    this.awareness.setLocalStateField('user', user)
    /** Everything that came, as [kind, payload]. */
    this.heard = []
    this.synced = false
    this.socket = new WebSocket(`${url}/${room}`)
    this.socket.binaryType = 'nodebuffer'
    this.socket.on('message', (bytes) => this.#hear(bytes))
    this.socket.on('open', () => {
      if (id) this.send([I, 0x44], Buffer.from(id))
      this.send([AWARENESS], encodeAwarenessUpdate(this.awareness, [this.doc.clientID]))
      this.send([SYNC, STEP1], Y.encodeStateVector(this.doc))
      this.send([SYNC, STEP2], Y.encodeStateAsUpdate(this.doc))
    })
    this.doc.on('update', (update, origin) => { if (origin !== this) this.send([SYNC, UPDATE], update) })
    this.awareness.on('update', ({ added, updated, removed }, origin) => {
      if (origin !== this) this.send([AWARENESS], encodeAwarenessUpdate(this.awareness, [...added, ...updated, ...removed]))
    })
    t.after(() => { this.awareness.destroy(); this.socket.terminate(); this.doc.destroy() })
  }

  get text () { return this.doc.getText('text') }

  send (magic, payload) { if (this.socket.readyState === WebSocket.OPEN) this.socket.send(frame(magic, payload)) }

  /** Asks and tells in one. */
  cross () {
    this.send([SYNC, CROSS], encoding.encode((encoder) => {
      encoding.writeVarUint8Array(encoder, Y.encodeStateVector(this.doc))
      encoding.writeVarUint8Array(encoder, Y.encodeStateAsUpdate(this.doc))
    }))
  }

  /** One of the four data messages, 1 request to 4 transfer. */
  data (n, payload) { this.send([D, n], payload) }

  #hear (bytes) {
    const decoder = decoding.createDecoder(bytes)
    const first = decoding.readUint8(decoder)
    const second = first === AWARENESS ? undefined : decoding.readUint8(decoder)
    const payload = decoding.readVarUint8Array(decoder)
    if (decoding.hasContent(decoder)) throw new Error(`bytes after a message: ${bytes.toString('hex')}`)
    if (first === AWARENESS) {
      this.heard.push(['awareness', payload])
      applyAwarenessUpdate(this.awareness, payload, this)
    } else if (first === SYNC) {
      this.heard.push([['step1', 'step2', 'update', 'cross'][second], payload])
      this.#sync(second, payload)
    } else if (first === I) {
      this.heard.push(['id', payload])
    } else if (first === R) {
      this.heard.push([second === 0x4f ? 'read' : 'read-write', payload])
    } else if (first === D) {
      this.heard.push(['data ' + second, payload])
    } else {
      throw new Error(`no message of ELVA: ${bytes.toString('hex')}`)
    }
  }

  #sync (type, payload) {
    if (type === STEP1) this.send([SYNC, STEP2], Y.encodeStateAsUpdate(this.doc, payload))
    if (type === STEP2 || type === UPDATE) Y.applyUpdate(this.doc, payload, this)
    if (type === STEP2) this.synced = true
    if (type === CROSS) {
      const decoder = decoding.createDecoder(payload)
      const vector = decoding.readVarUint8Array(decoder)
      Y.applyUpdate(this.doc, decoding.readVarUint8Array(decoder), this)
      this.send([SYNC, STEP2], Y.encodeStateAsUpdate(this.doc, vector))
    }
  }
}
