// Runs the checks: node run.mjs [file …]. One server is started for all that
// need only a URL (unless FJORD_URL names one already); the crash checks start
// their own.

import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startServer } from './lib/servers.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const lanes = 3

/** The one that mostly waits comes first: the others run beside it. */
const order = ['idle', 'presence', 'hostile', 'history']
const rank = (file) => {
  const at = order.indexOf(basename(file, '.test.mjs'))
  return at === -1 ? order.length : at
}
const all = readdirSync(join(here, 'test')).filter((name) => name.endsWith('.test.mjs')).map((name) => join(here, 'test', name))
const files = (process.argv.length > 2 ? process.argv.slice(2) : all).sort((a, b) => rank(a) - rank(b))

const { FJORD_URL: given, FJORD_BIN: binary } = process.env
if (!given && !binary) {
  console.error('set FJORD_URL to a running server, or FJORD_BIN to a fjord binary (conformance/run.sh builds and sets it)')
  process.exit(2)
}

const data = mkdtempSync(join(tmpdir(), 'fjord-conformance-'))
let server
try {
  if (!given) {
    // The checks type faster than people do, and all from one address.
    const pace = ['--max-messages-per-second', '1000000', '--max-bytes-per-second', '1GiB', '--max-handshakes-per-address', '1000']
    server = await startServer(['--listen', '127.0.0.1:0', '--rpc', '127.0.0.1:0', '--ops', '127.0.0.1:0', '--data', data, ...pace])
    server.exited.then(({ code, signal }) => { if (server) console.error(`the shared server ended with ${signal ?? code}\n${server.stderr}`) })
  }
  const tests = spawn(process.execPath, ['--test', '--test-reporter=spec', `--test-concurrency=${lanes}`, ...files],
    { stdio: 'inherit', env: { ...process.env, FJORD_URL: given ?? server.websocket } })
  process.on('exit', () => tests.kill('SIGTERM'))
  process.exitCode = await new Promise((resolve) => tests.on('close', (code, signal) => resolve(signal ? 1 : code)))
} finally {
  if (server) {
    const ending = server
    server = undefined
    if (process.exitCode !== 0) console.error(`the shared server's last words:\n${ending.stderr.slice(-4000)}`)
    await ending.kill()
  }
  rmSync(data, { recursive: true, force: true })
}
