// Where the checks find their server. A pure client check takes the URL in
// FJORD_URL; a check that must start and end servers takes the binaries in
// FJORD_BIN (all in one) or FJORD_EDGE_BIN, FJORD_ROOMS_BIN, FJORD_STORAGE_BIN. With
// FJORD_APART=1 these three stand in for FJORD_BIN's server everywhere.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Apart } from './apart.mjs'
import { ServerProcess, freePort } from './process.mjs'

const env = process.env
export const fjordBinary = env.FJORD_BIN
export const splitBinaries = env.FJORD_EDGE_BIN && env.FJORD_ROOMS_BIN && env.FJORD_STORAGE_BIN
  ? { edge: env.FJORD_EDGE_BIN, rooms: env.FJORD_ROOMS_BIN, storage: env.FJORD_STORAGE_BIN }
  : undefined

/** For node:test's skip option: a reason, or false. */
export const needsFjord = fjordBinary ? false : 'FJORD_BIN is not set'
export const needsSplit = splitBinaries ? false : 'FJORD_EDGE_BIN, FJORD_ROOMS_BIN and FJORD_STORAGE_BIN are not all set'

const apart = env.FJORD_APART === '1'
if (apart && !splitBinaries) throw new Error(`FJORD_APART=1: ${needsSplit}`)

/** Starts a server with these flags of fjord's, and waits until it listens. */
export const startServer = (args) => apart
  ? Apart.start(splitBinaries, args)
  : ServerProcess.start(fjordBinary, args, ['websocket', 'rpc', 'ops'])

const directories = []
/**
 * A data directory that goes when the file's checks are over. Not in t.after: those
 * run in the order they were named, this one before the server is ended, and what
 * that still writes would make it throw and the server stay.
 */
export const dataDirectory = () => {
  const dir = mkdtempSync(join(tmpdir(), 'fjord-conformance-'))
  directories.push(dir)
  return dir
}
process.on('exit', () => {
  for (const dir of directories) rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
})

const anyPort = '127.0.0.1:0'

/** A server on its own data directory; start it again with the same plan. */
export class Fjord {
  /** @param {{data: string, rooms?: string, args?: string[]}} plan */
  static async start (t, plan) {
    const fjord = new Fjord()
    fjord.args = ['--listen', `127.0.0.1:${await freePort()}`, '--rpc', anyPort, '--ops', anyPort, '--data', plan.data, '--rooms', plan.rooms ?? 'durable', ...(plan.args ?? [])]
    t.after(() => fjord.process?.kill())
    await fjord.start()
    return fjord
  }

  async start () { this.process = await startServer(this.args) }
  get url () { return this.process.websocket }
}

/** The three services as processes of their own, one of each or more. */
export class Split {
  /**
   * @param {{data: string, rooms?: string[], edges?: Record<string, string[]>}} plan
   *   rooms names the rooms processes; edges names the edges, each with the
   *   rooms processes that it knows, in that order
   */
  static async start (t, { data, rooms = ['rooms'], edges = { edge: ['rooms'] } }) {
    const split = new Split()
    const secret = join(dataDirectory(), 'secret')
    writeFileSync(secret, 'known to these three and nobody else\n', { mode: 0o600 })
    const known = ['--rpc-secret', secret]
    const place = async () => `127.0.0.1:${await freePort()}`
    const storage = await place()
    split.plans = { storage: { binary: 'storage', wants: 'rpc', args: ['--rpc', storage, '--ops', anyPort, '--data', data, ...known] } }
    const urls = {}
    for (const name of rooms) {
      const rpc = await place()
      urls[name] = `http://${rpc}`
      split.plans[name] = { binary: 'rooms', wants: 'rpc', args: ['--rpc', rpc, '--ops', anyPort, '--storage-url', `http://${storage}`, ...known] }
    }
    for (const [name, theirs] of Object.entries(edges)) {
      split.plans[name] = { binary: 'edge', wants: 'websocket', args: ['--listen', await place(), '--ops', anyPort, '--rooms-url', theirs.map((name) => urls[name]).join(','), ...known] }
    }
    split.services = {}
    t.after(() => Promise.all(Object.values(split.services).map((service) => service.kill())))
    await split.startAll()
    return split
  }

  async start (name) {
    const { binary, args, wants } = this.plans[name]
    this.services[name] = await ServerProcess.start(splitBinaries[binary], args, [wants])
  }

  /** From storage upwards. */
  async startAll () { for (const name of Object.keys(this.plans)) await this.start(name) }

  /** All at once, without a word. */
  async killAll () { await Promise.all(Object.values(this.services).map((service) => service.kill())) }

  urlOf (edge) { return this.services[edge].websocket }
  get url () { return this.urlOf('edge') }
}

/** The server for pure client checks: FJORD_URL, or one of our own. */
export const serverURL = async (t) => {
  if (env.FJORD_URL) return env.FJORD_URL.replace(/\/+$/, '')
  if (!fjordBinary) throw new Error('set FJORD_URL to a running server, or FJORD_BIN to a fjord binary')
  return (await Fjord.start(t, { data: dataDirectory() })).url
}

let count = 0
/** A room's name that nobody has used; it satisfies the ELVA rule as well. */
export const freshRoom = (stem) => `${stem}-${Date.now().toString(36)}-${process.pid}-${++count}`
