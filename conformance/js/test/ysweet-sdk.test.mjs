// What an application's server does with @y-sweet/sdk, and the client that it
// lets in: with --auth open, and with tokens that Fjord signs.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as Y from 'yjs'
import { DocumentManager } from '@y-sweet/sdk'
import { dataDirectory, freshRoom, needsFjord, serverURL, startServer } from '../lib/servers.mjs'
import { until } from '../lib/wait.mjs'
import { YSweetClient } from '../lib/ysweet.mjs'

/** A person who has been given a client token. */
const open = (t, token) => new YSweetClient(t, { room: token.docId, endpoint: async () => token })

const letter = (text) => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}
const read = (update) => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  return doc.getText('text').toString()
}

test('y-sweet: a document manager without tokens', async (t) => {
  const url = await serverURL(t)
  const manager = new DocumentManager(url.replace('ws', 'ys'))
  assert.deepEqual(await manager.checkStore(), { ok: true })
  const { docId } = await manager.createDocWithContent(letter('hello'))
  assert.equal(read(await manager.getDocAsUpdate(docId)), 'hello')
  const token = await manager.getClientToken(docId)
  assert.equal(token.token, undefined)
  const ada = open(t, token)
  await until('the client has the document', () => ada.doc.getText('text').toString() === 'hello')
  ada.doc.getText('text').insert(5, ' world')
  await until('it is saved', () => !ada.client.hasLocalChanges)
  assert.equal(read(await manager.getDocAsUpdate(docId)), 'hello world')
  await assert.rejects(manager.updateDoc(docId, Buffer.from('nonsense')), /400/)
  const named = freshRoom('sweet')
  assert.equal((await manager.getOrCreateDocAndToken(named)).docId, named)
  assert.deepEqual(await manager.createDoc(named), { docId: named }, 'to create it again changes nothing')
})

test('y-sweet: tokens that the server signs', { skip: needsFjord }, async (t) => {
  const data = dataDirectory()
  const secret = 'a secret of more than thirty-two bytes'
  writeFileSync(join(data, 'secret'), secret, { mode: 0o600 })
  const server = await startServer(['--listen', '127.0.0.1:0', '--rpc', '127.0.0.1:0', '--ops', '127.0.0.1:0',
    '--data', join(data, 'fjord'), '--auth', 'jwt:' + join(data, 'secret')])
  t.after(() => server.kill())
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = part({ alg: 'HS256', typ: 'JWT' }) + '.' + part({ exp: Math.floor(Date.now() / 1000) + 3600, rooms: [{ prefix: '', perm: 'admin' }] })
  const own = text + '.' + createHmac('sha256', secret).update(text).digest('base64url')

  await assert.rejects(new DocumentManager(server.websocket.replace('ws', 'ys')).createDoc('notes'), /NoAuthProvided/)
  const manager = new DocumentManager(server.websocket.replace('ws://', `ys://${own}@`))
  const writer = await manager.getOrCreateDocAndToken('notes', { userId: 'ada', validForSeconds: 600 })
  const reader = await manager.getClientToken('notes', { authorization: 'read-only' })
  const ada = open(t, writer)
  const bea = open(t, reader)
  ada.doc.getText('text').insert(0, 'hello')
  await until('it is saved', () => !ada.client.hasLocalChanges)
  await until('the reader has it', () => bea.doc.getText('text').toString() === 'hello')
  bea.doc.getText('text').insert(0, 'no ')
  await until('the reader is told', () => bea.wire.codes.includes(4403), { shows: () => bea.trouble })
  await manager.updateDoc('notes', letter('x'))
  await until('the manager writes', () => ada.doc.getText('text').toString().includes('x'))
  assert.ok(!read(await manager.getDocAsUpdate('notes')).includes('no'), 'a reader has written')
  await assert.rejects(new DocumentManager(server.websocket.replace('ws://', `ys://${writer.token}@`)).getClientToken('notes'), /403/)
  const other = await fetch(`${server.websocket.replace('ws', 'http')}/d/other/as-update`, { headers: { authorization: `Bearer ${writer.token}` } })
  assert.equal(other.status, 403)
})
