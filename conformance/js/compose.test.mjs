// The containers: up, people converge, kill all, up again, nothing is lost;
// down in order, nothing is lost. Takes Docker, and `docker compose` or
// docker-compose; uses a project (and so volumes) of its own.

import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Client } from './lib/client.mjs'
import { converge, identity } from './lib/content.mjs'
import { edit } from './lib/edits.mjs'
import { freePort } from './lib/process.mjs'
import { seeded } from './lib/random.mjs'
import { freshRoom } from './lib/servers.mjs'
import { until } from './lib/wait.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const port = await freePort()
const command = spawnSync('docker', ['compose', 'version']).status === 0 ? ['docker', 'compose'] : ['docker-compose']

const environment = { ...process.env, FJORD_PUBLISH: `127.0.0.1:${port}` }
// Never synchronous: the clients in this process must answer meanwhile.
const run = async (program, ...args) => {
  const { stdout } = await promisify(execFile)(program, args, { cwd: root, env: environment, maxBuffer: 1 << 26 })
  return stdout
}
const compose = (...args) => run(command[0], ...command.slice(1), '-p', 'fjord-conformance', ...args)
const inspect = async (service) => JSON.parse(await run('docker', 'inspect', (await compose('ps', '-a', '-q', service)).trim()))[0]
const inspectAll = () => Promise.all(services.map(inspect))
const services = ['edge', 'rooms', 'storage']

// How long the images take to build says nothing of them.
before(() => compose('build'), { timeout: 1_800_000 })

after(() => compose('down', '--volumes', '--timeout', '20'))

test('three containers', { timeout: 600_000 }, async (t) => {
  const random = seeded(t)
  const url = `ws://127.0.0.1:${port}`
  const room = freshRoom('compose')
  const up = async () => {
    await compose('up', '-d')
    await until('all three are healthy', async () => (await inspectAll()).every(({ State }) => State.Health.Status === 'healthy'), { within: 60_000 })
  }
  await up()

  const people = [await Client.open(t, { version: 2, url, room, user: 'ada' }), await Client.open(t, { version: 3, url, room, user: 'bea' })]
  const write = async () => {
    for (let n = 0; n < 50; n++) for (const { doc } of people) edit(random, doc)
    await converge(people.map(({ doc }) => doc))
    await until('they see each other', () => people.every((person) => String(person.sees) === 'ada,bea'))
    return identity(people[0].doc)
  }
  const aloneHas = async (whole) => {
    const fresh = await Client.open(t, { url, room, within: 30_000 })
    assert.equal(identity(fresh.doc), whole)
    fresh.close()
  }

  await t.test('kill all, up again', async () => {
    const whole = await write()
    await compose('kill')
    for (const person of people) person.goOffline()
    await up()
    await aloneHas(whole)
    for (const person of people) person.goOnline()
    await Promise.all(people.map((person) => person.synced(30_000)))
  })

  await t.test('stop in order, up again', async () => {
    const whole = await write()
    await compose('stop')
    const ended = (await inspectAll()).map(({ State }) => State)
    assert.deepEqual(ended.map(({ ExitCode }) => ExitCode), [0, 0, 0])
    assert.deepEqual([...ended].sort((a, b) => Date.parse(a.FinishedAt) - Date.parse(b.FinishedAt)), ended, 'they did not end in the order edge, rooms, storage')
    for (const person of people) person.goOffline()
    await up()
    await aloneHas(whole)
    for (const person of people) person.goOnline()
  })

  await t.test('they are locked down', async () => {
    for (const name of services) {
      const { Config, HostConfig } = await inspect(name)
      assert.equal(Config.User, '65532:65532', name)
      assert.equal(HostConfig.ReadonlyRootfs, true, name)
      assert.deepEqual(HostConfig.CapDrop, ['ALL'], name)
      assert.ok(HostConfig.SecurityOpt.some((option) => option.startsWith('no-new-privileges')), name)
      assert.deepEqual(Object.keys(HostConfig.PortBindings ?? {}), name === 'edge' ? ['1234/tcp'] : [], name)
    }
  })
})
