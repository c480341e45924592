// A client without manners: one websocket, and the bytes that we choose. The
// y-websocket framing is in Yjs's y-protocols and y-websocket sources.

import WebSocket from 'ws'
import * as Y from 'yjs'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { inTime, until } from './wait.mjs'

export const emptyUpdate = new Uint8Array([0, 0])

const frame = (...numbers) => (bytes) => encoding.encode((encoder) => {
  for (const n of numbers) encoding.writeVarUint(encoder, n)
  encoding.writeVarUint8Array(encoder, bytes)
})
export const step1Frame = frame(0, 0)
export const step2Frame = frame(0, 1)
export const updateFrame = frame(0, 2)
export const awarenessFrame = frame(1)
export const queryAwarenessFrame = () => new Uint8Array([3])

/** @param {Array<[number, number, any]>} entries [client, clock, state], null for gone */
export const presenceFrame = (entries) => awarenessFrame(encoding.encode((encoder) => {
  encoding.writeVarUint(encoder, entries.length)
  for (const [client, clock, state] of entries) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(encoder, JSON.stringify(state))
  }
}))

/** @returns {{kind: string, bytes?: Uint8Array, entries?: Array<[number, number, any]>}} */
const parse = (bytes) => {
  const decoder = decoding.createDecoder(bytes)
  const type = decoding.readVarUint(decoder)
  if (type === 0) {
    const kind = ['step1', 'step2', 'update'][decoding.readVarUint(decoder)]
    return { kind, bytes: decoding.readVarUint8Array(decoder) }
  }
  if (type === 1) {
    const inner = decoding.createDecoder(decoding.readVarUint8Array(decoder))
    const entries = Array.from({ length: decoding.readVarUint(inner) }, () =>
      [decoding.readVarUint(inner), decoding.readVarUint(inner), JSON.parse(decoding.readVarString(inner))])
    return { kind: 'awareness', entries }
  }
  return { kind: 'type ' + type }
}

export class Raw {
  /** @param {string} url of the room */
  constructor (t, url, options) {
    this.socket = new WebSocket(url, options)
    this.socket.binaryType = 'nodebuffer'
    /** Everything that came, as bytes. */
    this.frames = []
    /** What each socket learned, as a document of its own. */
    this.doc = new Y.Doc()
    this.closed = new Promise((resolve) => this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })))
    this.opened = new Promise((resolve, reject) => {
      this.socket.on('open', resolve)
      this.socket.on('error', reject)
    })
    this.opened.catch(() => {}) // also when nobody waits
    this.socket.on('message', (data) => this.frames.push(data))
    t.after(() => { this.socket.terminate(); this.doc.destroy() })
  }

  static async open (t, url, options) {
    const raw = new Raw(t, url, options)
    await inTime('the socket opens', raw.opened)
    return raw
  }

  send (bytes) { this.socket.send(bytes) }

  /** Bytes straight onto the TCP connection, past the websocket framing. */
  sendUnframed (bytes) { this.socket._socket.write(bytes) }

  get messages () { return this.frames.map(parse) }
  get updates () { return this.messages.filter(({ kind }) => kind === 'update' || kind === 'step2').map(({ bytes }) => bytes) }

  /** Asks for everything and waits for the answer. */
  async sync () {
    this.send(step1Frame(new Uint8Array([0])))
    await until('step 1 is answered by step 2', () => this.messages.some(({ kind }) => kind === 'step2'))
  }

  /** Waits until the server ends this socket; returns the close code. */
  async ended (what, within) {
    return await inTime(`the server closes the socket after ${what}`, this.closed, within)
  }
}
