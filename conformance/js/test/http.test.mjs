// What the websocket port says to somebody who comes without a websocket.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { serverURL } from '../lib/servers.mjs'

test('plain HTTP', async (t) => {
  const http = (await serverURL(t)).replace(/^ws/, 'http')
  const get = async (path, options) => {
    const response = await fetch(http + path, options)
    return { status: response.status, type: response.headers.get('content-type') ?? '', headers: response.headers, body: await response.text() }
  }

  await t.test('GET / answers with the editor', async () => {
    const { status, type, headers, body } = await get('/')
    assert.equal(status, 200)
    assert.match(type, /^text\/html/)
    assert.match(headers.get('content-security-policy'), /^default-src 'none'/)
    assert.match(body, /<script type="module" src="\/-\/page\.[0-9a-f]+\.js"/)
  })
  await t.test('the editor comes whole from this server', async () => {
    const { body } = await get('/')
    const paths = [...body.matchAll(/(?:src|href)="(\/-\/[^"]+)"/g)].map(([, path]) => path)
    assert.ok(paths.length >= 3)
    for (const path of paths) {
      const { status, type, headers } = await get(path)
      assert.equal(status, 200)
      assert.doesNotMatch(type, /octet-stream/)
      assert.match(headers.get('cache-control'), /immutable/)
    }
  })
  await t.test('GET of a room answers 200 with one plain line', async () => {
    for (const path of ['/some-room', '/a/b/c', '/caf%C3%A9']) {
      const { status, type, body } = await get(path)
      assert.equal(status, 200)
      assert.match(type, /^text\/plain/)
      assert.match(body, /^Fjord: .*\n$/)
    }
  })
  await t.test('other methods are refused', async () => {
    for (const method of ['POST', 'PUT', 'DELETE']) assert.equal((await get('/some-room', { method })).status, 405, method)
  })
  await t.test('half an upgrade is no upgrade', async () => {
    // Without a key and a version: the answer is a plain one, and no crash.
    const { status } = await get('/some-room', { headers: { 'sec-websocket-version': '12' } })
    assert.ok(status < 500, `status ${status}`)
  })
})
