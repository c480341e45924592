// The pages for those who come from another server (docs/coming-from-*.md): each
// block that is marked `run` runs as it stands there, but for the addresses, and
// what a page moves over must be there afterwards.
//
//   js run               a program that ends by itself with 0
//   js run synced=NAME   a client: its variable NAME must become synced
//   sh run               commands, with fjord on the path

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as Y from 'yjs'
import { ServerProcess } from '../lib/process.mjs'
import { applyUpdate, getDocument } from '../lib/rpc.mjs'
import { Fjord, dataDirectory, fjordBinary, needsFjord } from '../lib/servers.mjs'
import { Client } from '../lib/client.mjs'
import { longest, until } from '../lib/wait.mjs'

const here = fileURLToPath(new URL('..', import.meta.url))
const docs = fileURLToPath(new URL('../../../docs/', import.meta.url))
const options = { skip: needsFjord, timeout: longest }

/** What the pages call a package, and what it is called here. */
const packages = { 'y-websocket': 'y-websocket-3', '@hocuspocus/provider': 'hocuspocus-4' }
const prelude = "import { WebSocket as Polyfill_ } from 'ws'\nglobalThis.WebSocket ??= Polyfill_\n"
const synced = (name) => `\nawait new Promise((resolve) => ${name}.synced ? resolve() : ${name}.on('synced', resolve))\nprocess.exit()\n`

class Page {
  /** Its runnable blocks in order, each in a directory from which packages are found. */
  constructor (t, name, fjord) {
    this.fjord = fjord
    this.text = readFileSync(join(docs, name), 'utf8')
    this.dir = mkdtempSync(join(here, '.docs-'))
    t.after(() => rmSync(this.dir, { recursive: true, force: true }))
    symlinkSync(fjordBinary, join(this.dir, 'fjord'))
    this.blocks = [...this.text.matchAll(/^```(js|sh) run(?: synced=(\w+))?\n([^]*?)^```$/gm)]
      .map(([, language, awaited, source]) => ({ language, awaited, source }))
    this.next = 0
  }

  write (name, content) { writeFileSync(join(this.dir, name), content) }

  /** Runs the next block. */
  async run (...args) {
    const number = this.next++
    const { language, awaited, source } = this.blocks[number]
    const { host } = new URL(this.fjord.url)
    let text = source.replaceAll('http://127.0.0.1:7070', this.fjord.process.rpc).replaceAll('localhost:1234', host)
    let outcome
    if (language === 'js') {
      for (const [name, alias] of Object.entries(packages)) text = text.replaceAll(`from '${name}'`, `from '${alias}'`)
      this.write(`block${number}.mjs`, prelude + text + (awaited ? synced(awaited) : ''))
      outcome = await ServerProcess.run(process.execPath, [join(this.dir, `block${number}.mjs`), ...args])
    } else {
      const elsewhere = this.fjord.process.storage ? `export FJORD_STORAGE_URL=${this.fjord.process.storage}\n` : ''
      this.write(`block${number}.sh`, `set -e\ncd '${this.dir}'\nPATH="${this.dir}:$PATH"\n${elsewhere}${text}`)
      outcome = await ServerProcess.run('bash', [join(this.dir, `block${number}.sh`)])
    }
    assert.equal(outcome.code, 0, `block ${number} of the page ended with ${outcome.code}:\n${text}\n${outcome.stdout}${outcome.stderr}`)
    return outcome.stdout
  }

  /** No block may be left out. */
  done () { assert.equal(this.next, this.blocks.length, 'a block of the page was not run') }
}

const letter = (text) => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

const stored = async (fjord, room) => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, await getDocument(fjord.process.rpc, room))
  return doc.getText('text').toString()
}

const serve = (t) => Fjord.start(t, { data: dataDirectory() })

test('coming from Hocuspocus', options, async (t) => {
  const fjord = await serve(t)
  const page = new Page(t, 'coming-from-hocuspocus.md', fjord)
  await page.run()
  page.write('rows.mjs', `export async function * rows () {
    yield { name: 'minutes/june', data: Buffer.from('${Buffer.from(letter('moved')).toString('hex')}', 'hex') }
  }`)
  assert.match(await page.run(), /minutes\/june: stored/)
  assert.equal(await stored(fjord, 'minutes/june'), 'moved')
  page.done()
})

test('coming from y-websocket', options, async (t) => {
  const fjord = await serve(t)
  const page = new Page(t, 'coming-from-y-websocket.md', fjord)
  await page.run()
  // From the package's own server.
  const old = await ServerProcess.start(process.execPath, [join(here, 'reference/server.mjs'), '--listen', '127.0.0.1:0'], ['websocket'])
  t.after(() => old.kill())
  const rooms = ['minutes/may', 'minutes/june']
  for (const room of rooms) {
    const writer = await Client.open(t, { url: old.websocket, room })
    writer.text.insert(0, `${room}, taken back: `)
    writer.text.delete(room.length, 12)
    const reader = await Client.open(t, { url: old.websocket, room })
    await until('the old server has it', () => reader.text.toString() === `${room}: `)
  }
  for (let again = 0; again < 2; again++) await page.run.call(Object.assign(page, { next: 1 }), old.websocket, fjord.url, ...rooms)
  for (const room of rooms) assert.equal(await stored(fjord, room), `${room}: `)
  page.done()
})

test('coming from y-sweet', options, async (t) => {
  const [old, fjord] = [await serve(t), await serve(t)]
  const page = new Page(t, 'coming-from-y-sweet.md', fjord)
  assert.match(await page.run(), /^ws:\/\/.*\/d\/minutes-of-may\/ws/)
  await page.run()
  await applyUpdate(old.process.rpc, 'minutes-of-june', letter('moved'))
  await page.run(old.url.replace('ws', 'ys'), fjord.url.replace('ws', 'ys'), 'minutes-of-june')
  assert.equal(await stored(fjord, 'minutes-of-june'), 'moved')
  page.done()
})

test('coming from ELVA', options, async (t) => {
  const [old, fjord] = [await serve(t), await serve(t)]
  await applyUpdate(old.process.rpc, 'minutes-of-june', letter('moved'))
  const page = new Page(t, 'coming-from-elva.md', fjord)
  mkdirSync(join(page.dir, 'elva-documents'))
  const { code, stdout, stderr } = await ServerProcess.run(fjordBinary, ['export', 'elva', join(page.dir, 'elva-documents'), '--rpc-url', old.process.rpc,
    ...(old.process.storage ? ['--storage-url', old.process.storage] : [])])
  assert.equal(code, 0, stdout + stderr)
  await page.run()
  assert.equal(await stored(fjord, 'minutes-of-june'), 'moved')
  await page.run()
  page.done()
})

test('no page is left out', () => {
  assert.deepEqual(readdirSync(docs).filter((name) => name.startsWith('coming-from-')).sort(),
    ['hocuspocus', 'y-sweet', 'y-websocket', 'elva'].map((name) => `coming-from-${name}.md`).sort())
})
