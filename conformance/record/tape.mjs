// A websocket proxy that writes down all that goes through it.

import { WebSocketServer, WebSocket } from 'ws'

const quiet = 80
const hex = (bytes) => Buffer.from(bytes).toString('hex')

export class Tape {
  /**
   * @param {string} target the server's URL
   * @param {(frame: Uint8Array) => string} words says what a frame is
   */
  static async start (target, words) {
    const tape = new Tape()
    tape.words = words
    tape.server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: (offered) => [...offered][0] })
    await new Promise((resolve) => tape.server.on('listening', resolve))
    tape.server.on('connection', (client, request) => tape.#connect(target, client, request))
    return tape
  }

  lines = []
  /** Where the client connected to first. */
  path = undefined
  /** Replaced in what is written, by something of the same length. */
  aliases = new Map()
  #last = Date.now()

  get url () { return `ws://127.0.0.1:${this.server.address().port}` }

  #write (side, bytes) {
    this.#last = Date.now()
    this.lines.push({ side, bytes: Buffer.from(bytes) })
  }

  #connect (target, client, request) {
    // A tape holds one connection: who comes back has nothing new to say.
    if (this.path !== undefined) return client.terminate()
    this.path = request.url
    const server = new WebSocket(target + request.url)
    const open = new Promise((resolve) => server.on('open', resolve))
    client.on('message', async (data) => { this.#write('C', data); await open; server.send(data) })
    server.on('message', (data) => { this.#write('S', data); client.send(data) })
    server.on('close', (code, reason) => {
      if (code !== 1005) this.lines.push({ comment: reason, close: code })
      client.close(code === 1005 || code === 1006 ? 1000 : code, reason)
    })
    client.on('close', () => server.close())
  }

  /** Waits until nothing has been said for a while. */
  async quiet () {
    this.#last = Date.now()
    while (Date.now() - this.#last < quiet) await new Promise((resolve) => setTimeout(resolve, quiet / 4))
  }

  note (comment) { this.lines.push({ comment }) }

  /** @returns {string} the transcript's lines */
  text () {
    return this.lines.map(({ side, bytes, comment, close }) => {
      if (close) return `X ${close}  # ${comment}`
      if (comment) return `# ${comment}`
      let written = hex(bytes)
      let words = this.words(bytes)
      for (const [from, to] of this.aliases) {
        written = written.replaceAll(hex(Buffer.from(from)), hex(Buffer.from(to)))
        words = words.replaceAll(from, to)
      }
      return `${side} ${written}  # ${words}`
    }).join('\n')
  }

  async stop () {
    for (const client of this.server.clients) client.terminate()
    await new Promise((resolve) => this.server.close(resolve))
  }
}
