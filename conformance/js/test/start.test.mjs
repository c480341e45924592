// A start that can't work ends at once, with one line that says what would.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ServerProcess } from '../lib/process.mjs'
import { Fjord, dataDirectory, needsFjord, startServer } from '../lib/servers.mjs'
import { inTime, until } from '../lib/wait.mjs'

const anyPorts = ['--listen', '127.0.0.1:0', '--rpc', '127.0.0.1:0', '--ops', '127.0.0.1:0']

const fails = async (args, pattern) => {
  const failure = await inTime('the start fails', startServer(args).then((server) => server.kill(), (error) => error))
  assert.ok(failure, 'it started as if all were well')
  const { stderr } = failure.server
  const { code } = await failure.server.exited
  assert.ok(code > 0, `it ended with ${code}`)
  const lines = stderr.trim().split('\n')
  assert.equal(lines.length, 1, `want one line, got:\n${stderr}`)
  assert.match(lines[0], pattern)
}

test('starts that cannot work', { skip: needsFjord }, async (t) => {
  await t.test('an unknown flag', async (t) => {
    await fails([...anyPorts, '--data', dataDirectory(), '--no-such-flag'], /no-such-flag/)
  })
  await t.test('an unknown kind of room', async (t) => {
    await fails([...anyPorts, '--data', dataDirectory(), '--rooms', 'eternal'], /durable/)
  })
  await t.test('a data directory that is a file', async (t) => {
    const file = join(dataDirectory(), 'file')
    writeFileSync(file, '')
    await fails([...anyPorts, '--data', file], /file/)
  })
  await t.test('a port that is taken', async (t) => {
    const other = createServer()
    await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve))
    t.after(() => other.close())
    const { port } = other.address()
    await fails(['--listen', `127.0.0.1:${port}`, '--rpc', '127.0.0.1:0', '--ops', '127.0.0.1:0', '--data', dataDirectory()], new RegExp(String(port)))
  })
  await t.test('a data directory that another process has open', async (t) => {
    const data = dataDirectory()
    await Fjord.start(t, { data })
    await fails([...anyPorts, '--data', data], /./)
  })
})

test('health', { skip: needsFjord }, async (t) => {
  const server = await startServer([...anyPorts, '--data', dataDirectory()])
  t.after(() => server.kill())
  for (const { binary, ops } of server.parts) {
    assert.equal((await fetch(ops + '/healthz')).status, 200)
    // An edge listens before it has its link.
    await until('it is ready', async () => (await fetch(ops + '/readyz')).status === 200)
    const metrics = await fetch(ops + '/metrics')
    assert.equal(metrics.status, 200)
    assert.match(await metrics.text(), /^# HELP /m)
    const { code } = await ServerProcess.run(binary, ['healthcheck', '--ops', new URL(ops).host])
    assert.equal(code, 0, `${binary} asks itself`)
  }
  await server.kill()
  for (const { binary, ops } of server.parts) {
    const { code } = await ServerProcess.run(binary, ['healthcheck', '--ops', new URL(ops).host])
    assert.notEqual(code, 0, `${binary} asks where nobody answers`)
  }
})
