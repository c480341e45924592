// Records transcripts: node record.mjs [NAME…]. See record.sh.
//
// Each client does the same things, one after the other, while a proxy writes
// down what it and the server say; another client comes, writes and goes.

import { createHmac } from 'node:crypto'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { clients } from './clients.mjs'
import { Tape } from './tape.mjs'

const binary = process.env.FJORD_BIN
if (!binary) throw new Error('FJORD_BIN is not set: use record.sh')
const folder = (name) => new URL(`../../services/edge/internal/dialect/${name}/testdata/`, import.meta.url)

// The tests that replay the transcripts know this secret too.
const secret = 'recorded-recorded-recorded-recorded'
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const tokenFor = (perm) => {
  const text = part({ alg: 'HS256', typ: 'JWT' }) + '.' + part({ exp: 4102444800, rooms: [{ prefix: '', perm }] })
  return text + '.' + createHmac('sha256', secret).update(text).digest('base64url')
}

const serve = async (auth) => {
  const dir = mkdtempSync(join(tmpdir(), 'fjord-record-'))
  writeFileSync(join(dir, 'secret'), secret, { mode: 0o600 })
  const child = spawn(binary, ['--listen', '127.0.0.1:0', '--rpc', '127.0.0.1:0', '--ops', '127.0.0.1:0', '--data', join(dir, 'data'), '--log-level', 'warn',
    ...auth ? ['--auth', 'jwt:' + join(dir, 'secret')] : []], { stdio: ['ignore', 'pipe', 'inherit'] })
  process.on('exit', () => child.kill('SIGKILL'))
  const url = await new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (data) => { text += data; const found = text.match(/^websocket (\S+)$/m); if (found) resolve(found[1]) })
    child.on('close', () => reject(new Error('the server ended: ' + text)))
  })
  return {
    url,
    async stop () {
      child.kill('SIGKILL')
      await new Promise((resolve) => child.on('close', resolve))
      rmSync(dir, { recursive: true, force: true })
    }
  }
}

/** Somebody else in the same room, client 7, who writes one letter. */
const visit = async (url, path) => {
  const other = new WebSocket(url + path)
  await new Promise((resolve, reject) => { other.on('open', resolve); other.on('error', reject) })
  other.on('close', (code) => { if (code !== 1005) throw new Error(`the visitor was closed with ${code}`) })
  for (const frame of ['00000100', '010e0107010a7b226e223a22626f227d', '00020f010107000401056f74686572017800']) other.send(Buffer.from(frame, 'hex'))
  return () => other.close()
}

const script = (person, { edit, reads }) => [
  ['shows itself', () => person.awareness.setLocalStateField('user', { name: 'Ada', color: '#30bced' })],
  ['writes', () => edit.insert(person.doc, 0, 'hello')],
  ...reads
    ? []
    : [
        ['writes more', () => edit.insert(person.doc, 5, ' wörld 🏔')],
        ['deletes', () => edit.delete(person.doc, 0, 1)],
        ['sets a map', () => edit.set(person.doc)],
        ...person.own ?? []
      ],
  ['hides', () => person.awareness.setLocalState(null)],
  ['ends', () => person.destroy()]
]

const record = async (client) => {
  const server = await serve(client.reads)
  const tape = await Tape.start(server.url, client.words)
  const person = await client.open(tape, client.reads ? { token: tokenFor('r') } : {})
  await tape.quiet()
  const room = client.folder === 'hocuspocus' ? '/-/y-websocket/team/notes' : tape.path.split('?')[0]
  tape.note('somebody else comes, writes and goes')
  const leave = await visit(server.url, room + (client.reads ? '?token=' + tokenFor('rw') : ''))
  await tape.quiet()
  leave()
  await tape.quiet()
  for (const [what, act] of script(person, client)) {
    tape.note(what)
    if (what === 'ends' && !client.reads && person.saved?.() === false) throw new Error(`${client.name}: not all is saved`)
    act()
    await tape.quiet()
  }
  writeFileSync(new URL(client.name + '.txt', folder(client.folder)), [
    `# ${client.of}; recorded against Fjord by conformance/record.`,
    '# C: a frame of the client, 42. S: a frame of ours. X: we closed the socket.',
    `P ${tape.path}`,
    tape.text(), ''
  ].join('\n'))
  await tape.stop()
  await server.stop()
  console.log(`${client.folder}/testdata/${client.name}.txt: ${tape.lines.length} lines`)
}

const wanted = process.argv.slice(2)
for (const client of clients) {
  if (wanted.length === 0 || wanted.some((name) => client.name.startsWith(name))) await record(client)
}
process.exit(0)
