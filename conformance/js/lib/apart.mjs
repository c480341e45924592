// The three services as processes of their own, in the place of `fjord`: the same
// flags, each given to those that take it, and the same way to end them.

import { ServerProcess } from './process.mjs'

const anyPort = '127.0.0.1:0'

/** From storage upwards: each is told where the one before it listens. */
const services = ['storage', 'rooms', 'edge']
const prints = { storage: 'rpc', rooms: 'rpc', edge: 'websocket' }
const isTold = { rooms: '--storage-url', edge: '--rooms-url' }

const flags = new Map()

/** The flags that a binary takes: those that begin a line of its help. */
const flagsOf = async (binary) => {
  if (!flags.has(binary)) {
    const { stdout } = await ServerProcess.run(binary, ['--help'])
    flags.set(binary, new Set([...stdout.matchAll(/^ +(--[a-z-]+)/gm)].map(([, flag]) => flag)))
  }
  return flags.get(binary)
}

/** `--flag value`, `--flag=value` and `--flag`, as lists of one or two words. */
const grouped = (args) => {
  const groups = []
  for (const arg of args) {
    if (arg.startsWith('--')) groups.push([arg])
    else if (groups.at(-1)?.length === 1) groups.at(-1).push(arg)
    else throw new Error(`${arg} belongs to no flag`)
  }
  return groups
}

/**
 * What each service is given of args: what it knows; what none of them knows, they
 * all get, and refuse. --rpc is rooms', and storage's is anywhere.
 */
const divided = async (binaries, args) => {
  const known = new Map(await Promise.all(services.map(async (name) => [name, await flagsOf(binaries[name])])))
  const plan = { storage: ['--rpc', anyPort], rooms: [], edge: [] }
  for (const group of grouped(args)) {
    const flag = group[0].split('=')[0]
    const takers = services.filter((name) => known.get(name).has(flag) && !(flag === '--rpc' && name === 'storage'))
    for (const name of takers.length > 0 ? takers : services) plan[name].push(...group)
  }
  return plan
}

/** All three, with what a ServerProcess has that checks of any server use. */
export class Apart {
  /** By name, from storage upwards. */
  services = {}

  /** Starts all three and waits until they listen; or ends them all, and throws. */
  static async start (binaries, args) {
    const plan = await divided(binaries, args)
    const apart = new Apart()
    let below
    try {
      for (const name of services) {
        const told = isTold[name] ? [isTold[name], below] : []
        const service = apart.services[name] = await ServerProcess.start(binaries[name], [...plan[name], ...told], [prints[name], 'ops'])
        below = service.addresses.get(prints[name])
      }
    } catch (error) {
      await apart.kill()
      throw error
    }
    return apart
  }

  get parts () { return Object.values(this.services) }
  get websocket () { return this.services.edge.websocket }
  get rpc () { return this.services.rooms.rpc }
  get storage () { return this.services.storage.rpc }
  get stderr () { return Object.entries(this.services).map(([name, { stderr }]) => `${name}:\n${stderr}`).join('') }
  get exited () { return Promise.all(this.parts.map(({ exited }) => exited)).then((ends) => ends.find(({ code }) => code !== 0) ?? ends[0]) }

  async metrics () { return (await Promise.all(this.parts.map((part) => part.metrics()))).join('') }

  /** All at once, without a word. */
  async kill () { await Promise.all(this.parts.map((part) => part.kill())) }

  /** In their order, from the edge down; the first that ends badly is how all did. */
  async stop (within) {
    const ends = []
    for (const part of this.parts.reverse()) ends.push(await part.stop(within))
    return ends.find(({ code, signal }) => code !== 0 || signal) ?? ends[0]
  }
}
