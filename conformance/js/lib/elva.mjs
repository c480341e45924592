// A person at an ELVA client, written from ELVA's messages: magic bytes, then a
// payload with its length. It says its presence first, then step 1, and its whole
// document unasked.

import * as Y from 'yjs'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { Echo, Person } from './person.mjs'

const SYNC = 0; const AWARENESS = 1; const D = 0x44; const I = 0x49; const R = 0x52
const STEP1 = 0; const STEP2 = 1; const UPDATE = 2; const CROSS = 3

const frame = (magic, payload) => encoding.encode((encoder) => {
  for (const byte of magic) encoding.writeUint8(encoder, byte)
  encoding.writeVarUint8Array(encoder, payload)
})

export class ElvaClient extends Person {
  /** Everything that came, as [kind, payload]. */
  heard = []
  isSynced = false

  #echo = new Echo()
  #socket

  /** @param {{url: string, room: string, doc?: Y.Doc, user?: any, id?: string, headers?: object}} options */
  constructor (t, { url, room, doc = new Y.Doc(), user, id, headers }) {
    super()
    this.has(t, { doc, awareness: new Awareness(doc), user })
    this.place = `${url}/${room}`
    this.name = id
    this.headers = headers
    this.wire.onFrame = (frame) => this.#hear(frame)
    doc.on('update', (update, origin) => { if (origin !== this) this.send([SYNC, UPDATE], update) })
    this.awareness.on('update', ({ added, updated, removed }, origin) => {
      // Who is told that it is gone has taken a higher clock, and says so.
      const news = [...added, ...updated, ...removed].filter((client) => origin !== this || (client === this.id && removed.includes(client)))
      if (news.length > 0) this.send([AWARENESS], encodeAwarenessUpdate(this.awareness, news))
    })
    this.closing(() => {
      this.goOffline()
      this.awareness.destroy()
    })
    this.goOnline()
  }

  /** Whether all that was written here has come back. */
  get saved () { return this.isSynced && this.#echo.covers(this.doc) }

  goOnline () {
    this.wanted = true
    if (!this.#socket) this.#connect()
  }

  goOffline () {
    this.wanted = false
    clearTimeout(this.later)
    this.#socket?.terminate()
  }

  #connect () {
    const socket = new this.wire.Socket(this.place, { headers: this.headers })
    this.#socket = socket
    socket.binaryType = 'nodebuffer'
    socket.on('close', (code) => {
      this.#socket = undefined
      this.isSynced = false
      removeAwarenessStates(this.awareness, [...this.awareness.getStates().keys()].filter((client) => client !== this.id), this)
      if (code >= 4400 && code < 4500) this.wanted = false
      if (this.wanted) this.later = setTimeout(() => this.#connect(), 200)
    })
    socket.on('open', () => {
      if (this.name) this.send([I, 0x44], Buffer.from(this.name))
      if (this.awareness.getLocalState()) this.send([AWARENESS], encodeAwarenessUpdate(this.awareness, [this.id]))
      this.send([SYNC, STEP1], Y.encodeStateVector(this.doc))
      this.send([SYNC, STEP2], Y.encodeStateAsUpdate(this.doc))
    })
  }

  send (magic, payload) { if (this.#socket?.readyState === this.wire.Socket.OPEN) this.#socket.send(frame(magic, payload)) }

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
    if (decoding.hasContent(decoder)) throw new Error(`bytes after a message: ${Buffer.from(bytes).toString('hex')}`)
    if (first === AWARENESS) {
      this.heard.push(['awareness', payload])
      applyAwarenessUpdate(this.awareness, payload, this)
    } else if (first === SYNC) {
      this.heard.push([['step1', 'step2', 'update', 'cross'][second], payload])
      this.#sync(second, payload)
    } else if (first === I) {
      this.heard.push(['id', payload])
    } else if (first === R) {
      this.access = second === 0x4f ? 'readonly' : 'read-write'
      this.heard.push([second === 0x4f ? 'read' : 'read-write', payload])
    } else if (first === D) {
      this.heard.push(['data ' + second, payload])
    } else {
      throw new Error(`no message of ELVA: ${Buffer.from(bytes).toString('hex')}`)
    }
  }

  #sync (type, payload) {
    if (type === STEP1) this.send([SYNC, STEP2], Y.encodeStateAsUpdate(this.doc, payload))
    if (type === STEP2 || type === UPDATE) this.#learn(payload)
    if (type === STEP2) this.isSynced = true
    if (type === CROSS) {
      const decoder = decoding.createDecoder(payload)
      const vector = decoding.readVarUint8Array(decoder)
      this.#learn(decoding.readVarUint8Array(decoder))
      this.send([SYNC, STEP2], Y.encodeStateAsUpdate(this.doc, vector))
    }
  }

  #learn (update) {
    this.#echo.hear(update)
    Y.applyUpdate(this.doc, update, this)
  }
}
