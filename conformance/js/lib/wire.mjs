// The network below one client: what its sockets were told, how each ended, and
// a switch that cuts it off. Every npm client takes the class that `socket`
// makes in place of WebSocket.

import WebSocket from 'ws'

/** A port of this machine on which nobody listens. */
const nowhere = 'ws://127.0.0.1:9'

export class Wire {
  /** How many sockets were opened. */
  opened = 0
  /** How each ended: {code, reason}. */
  ends = []
  /** Called with each frame that comes, before the client sees it. */
  onFrame = () => {}

  #live = new Set()
  #up = true

  constructor () {
    const wire = this
    /** A WebSocket that is on this wire. */
    this.Socket = class extends WebSocket {
      constructor (url, ...rest) {
        super(wire.#up ? url : nowhere, ...rest)
        wire.opened++
        wire.#live.add(this)
        this.on('error', () => {}) // ws would end the process where a browser says nothing
        this.on('message', (data) => wire.onFrame(new Uint8Array(data)))
        this.on('close', (code, reason) => {
          wire.#live.delete(this)
          wire.ends.push({ code, reason: reason.toString() })
        })
      }
    }
  }

  /** Close codes, in order. */
  get codes () { return this.ends.map(({ code }) => code) }

  /** The network goes without a word: no close frame, no farewell. */
  cut () { for (const socket of this.#live) socket.terminate() }

  /** Cuts, and lets nobody through until up. */
  down () {
    this.#up = false
    this.cut()
  }

  up () { this.#up = true }

  /**
   * The client takes its sockets for dead, and the server doesn't: a network that
   * is another one now.
   * @returns {() => Promise<void>} ends them, and returns when the server has too
   */
  strand () {
    const stranded = [...this.#live]
    for (const socket of stranded) {
      socket.close = () => {} // some clients do, later
      socket.emit('close', 1006, Buffer.alloc(0))
      socket.removeAllListeners()
      socket.on('error', () => {})
    }
    return async () => {
      await Promise.all(stranded.map((socket) => new Promise((resolve) => {
        socket.on('close', resolve)
        WebSocket.prototype.close.call(socket)
      })))
    }
  }

  /**
   * Ends sockets that aren't open yet without a word to their client: told of
   * it, some clients reject a promise that nobody waits for any more.
   */
  hush () {
    for (const socket of this.#live) {
      if (socket.readyState !== WebSocket.CONNECTING) continue
      socket.removeAllListeners()
      socket.on('error', () => {})
      socket.terminate()
      this.#live.delete(socket)
    }
  }
}
