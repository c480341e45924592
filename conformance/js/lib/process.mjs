// Server processes, started and ended by the checks. Each prints where it
// listens on stdout: "websocket ws://…", "rpc http://…", "ops http://…".

import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { inTime } from './wait.mjs'

const running = new Set()
process.on('exit', () => { for (const child of running) child.kill('SIGKILL') })
// A signal's own way out runs no exit handlers, and would leave servers behind.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))

/** A start that came to nothing; server is the process that it was about. */
export class FailedStart extends Error {
  constructor (server, message) {
    super(message)
    this.server = server
  }
}

export class ServerProcess {
  /**
   * Starts binary and waits until it has printed all the wanted addresses.
   * @param {string} binary
   * @param {string[]} args
   * @param {string[]} wanted for example ['websocket', 'ops']
   */
  static async start (binary, args, wanted) {
    const server = new ServerProcess(binary, args)
    const complete = new Promise((resolve, reject) => {
      server.#onAddress = () => { if (wanted.every((kind) => server.addresses.has(kind))) resolve() }
      server.exited.then(({ code, signal }) => reject(new Error(`it ended with ${signal ?? code}`)))
    })
    try {
      await inTime(`it prints ${wanted.join(', ')}`, complete)
    } catch (error) {
      await server.kill()
      throw new FailedStart(server, `${server.command}: ${error.message}\n${server.stdout}${server.stderr}`)
    }
    return server
  }

  /** Like start, for a command that is expected to end by itself. */
  static async run (binary, args, within) {
    const server = new ServerProcess(binary, args)
    try {
      return { ...await inTime(`${server.command} ends`, server.exited, within), stderr: server.stderr, stdout: server.stdout }
    } finally {
      await server.kill()
    }
  }

  #onAddress = () => {}

  constructor (binary, args) {
    this.binary = binary
    this.command = [binary, ...args].join(' ')
    this.addresses = new Map()
    this.stdout = ''
    this.stderr = ''
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    running.add(child)
    /** @type {Promise<{code: number|null, signal: string|null}>} */
    this.exited = new Promise((resolve) => {
      child.on('close', (code, signal) => { running.delete(child); resolve({ code, signal }) })
      child.on('error', (error) => { this.stderr += error.message; running.delete(child); resolve({ code: -1, signal: null }) })
    })
    let rest = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      this.stdout = (this.stdout + text).slice(-20_000)
      const lines = (rest + text).split('\n')
      rest = lines.pop()
      for (const line of lines) {
        const found = line.match(/^(websocket|rpc|ops) (\S+)$/)
        if (found) this.addresses.set(found[1], found[2])
      }
      this.#onAddress()
    })
    child.stderr.setEncoding('utf8').on('data', (text) => { this.stderr = (this.stderr + text).slice(-20_000) })
  }

  /** The processes that make up the server. */
  get parts () { return [this] }
  get websocket () { return this.addresses.get('websocket') }
  get rpc () { return this.addresses.get('rpc') }
  /** Where storage answers, if not at rpc. */
  get storage () { return undefined }
  get ops () { return this.addresses.get('ops') }

  async metrics () { return (await fetch(this.ops + '/metrics')).text() }

  /** Sends SIGKILL at once, and waits for the end. */
  async kill () {
    this.child.kill('SIGKILL')
    await this.exited
  }

  /** Sends SIGTERM and waits for the end, which must come by itself. */
  async stop (within) {
    this.child.kill('SIGTERM')
    try {
      return await inTime(`${this.command} ends on SIGTERM`, this.exited, within)
    } catch (error) {
      throw new Error(`${error.message}\n${this.stderr}`)
    }
  }
}

/** The ports that clients are given, from the first to the last, where the system tells. */
const clientPorts = () => {
  try {
    return readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number)
  } catch { // not Linux
    return [32_768, 65_535]
  }
}

/** Where a server's port is looked for: where no client's is, if there is such a place. */
const [lowest, beyond] = (() => {
  const [first, last] = clientPorts()
  if (first >= 30_000 || last < 20_000) return [20_000, 30_000]
  if (first >= 12_000) return [10_000, first]
  return last < 64_000 ? [last + 1, 65_536] : [20_000, 30_000]
})()

/** Whether open, which listens on a socket, comes about. */
const succeeds = (socket, open) => new Promise((resolve) => {
  socket.once('error', () => resolve(false))
  open(() => resolve(true))
})

/**
 * A port that is this process's until it ends, and that no client is given as its
 * own: a server that is to come back on the same port must not find it taken, and a
 * client that knocks at its dead port must not, by chance, reach itself.
 *
 * While the server is dead its port is free, and other processes look for one too.
 * So whoever takes a port binds it for UDP as well, where nobody else wants it: the
 * system keeps that, whatever becomes of the process.
 */
export const freePort = async () => {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (beyond - lowest))
    const mark = createSocket('udp4').unref()
    const probe = createServer()
    const free = await succeeds(mark, (done) => mark.bind({ port, address: '127.0.0.1', exclusive: true }, done)) &&
      await succeeds(probe, (done) => probe.listen(port, '127.0.0.1', () => probe.close(done)))
    if (free) return port
    mark.close()
  }
}
