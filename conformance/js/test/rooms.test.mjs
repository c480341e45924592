// Rooms: apart from one another, and named by what the path says.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import WebSocket from 'ws'
import { Client } from '../lib/client.mjs'
import { freshRoom, serverURL } from '../lib/servers.mjs'
import { inTime, until } from '../lib/wait.mjs'

test('rooms on one server do not mix', async (t) => {
  const url = await serverURL(t)
  const rooms = await Promise.all(Array.from({ length: 20 }, async (_, i) => {
    const room = freshRoom('apart')
    const [a, b] = await Promise.all([Client.open(t, { version: 2, url, room, user: `a${i}` }), Client.open(t, { version: 3, url, room, user: `b${i}` })])
    return { a, b, i }
  }))
  for (const { a, i } of rooms) a.text.insert(0, `room ${i}`)
  for (const { a, b, i } of rooms) {
    await until('the text has arrived', () => b.text.toString() === `room ${i}`)
    await until('the two see each other', () => [a, b].every(({ sees }) => String(sees) === `a${i},b${i}`))
    assert.deepEqual([a.text.toString(), a.sees], [`room ${i}`, [`a${i}`, `b${i}`]])
  }
})

test('a room may be called anything that a path can say', async (t) => {
  const url = await serverURL(t)
  const stem = freshRoom('name')
  const spellings = {
    'with slashes': [`${stem}/a/b`, `${stem}%2Fa%2Fb`],
    'with a space': [`${stem}%20x`, `${stem} x`],
    'in another script': [`${stem}-日本`, `${stem}-${encodeURIComponent('日本')}`],
    'with a percent sign': [`${stem}%25`, `${stem}%25`],
    'of 255 bytes': [stem.padEnd(255, 'x'), stem.padEnd(255, 'x')]
  }
  for (const [name, [one, other]] of Object.entries(spellings)) {
    await t.test(name, async (t) => {
      const [a, b] = [await Client.open(t, { url, room: one }), await Client.open(t, { url, room: other })]
      a.text.insert(0, name)
      await until('both are in the same room', () => b.text.toString() === name)
    })
  }
  await t.test('a query belongs to the client, not to the name', async (t) => {
    const a = await Client.open(t, { url, room: `${stem}-q` })
    const b = await Client.open(t, { url, room: `${stem}-q?key=value` })
    a.text.insert(0, 'x')
    await until('both are in the same room', () => b.text.toString() === 'x')
  })
})

test('a name that cannot be is refused at the upgrade, with the reason', async (t) => {
  const url = await serverURL(t)
  const names = {
    'a control character': 'line%0Abreak-in-a-name',
    'a null byte': 'null%00byte-in-a-name',
    'bytes that are not UTF-8': 'not-utf-8-%ff%fe',
    '256 bytes': 'x'.repeat(256)
  }
  for (const [what, name] of Object.entries(names)) {
    await t.test(what, async () => {
      const socket = new WebSocket(`${url}/${name}`)
      const answer = await inTime('the upgrade is answered', new Promise((resolve, reject) => {
        socket.on('unexpected-response', (_, response) => {
          const connection = response.socket
          let body = ''
          response.setEncoding('utf8').on('data', (text) => { body += text }).on('end', () => {
            resolve({ status: response.statusCode, body })
            connection.destroy() // else the kept connection keeps this process alive
          })
        })
        socket.on('open', () => { socket.terminate(); reject(new Error('the upgrade was accepted')) })
        socket.on('error', reject)
      }))
      assert.ok(answer.status >= 400 && answer.status < 500, `status ${answer.status}`)
      assert.match(answer.body, /\S+ \S+/, 'no reason was given')
    })
  }
})

test('without a name only those come in whose messages name the room', async (t) => {
  // Hocuspocus clients connect to the bare address; a y-websocket client that does
  // has forgotten its room.
  const url = await serverURL(t)
  const socket = new WebSocket(`${url}/`)
  t.after(() => socket.terminate())
  const closed = new Promise((resolve, reject) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    socket.on('error', reject)
  })
  socket.on('open', () => socket.send(Buffer.from('00000100', 'hex')))
  const { code, reason } = await inTime('the socket is closed', closed)
  assert.equal(code, 4400)
  assert.match(reason, /\S+ \S+/, 'no reason was given')
})
