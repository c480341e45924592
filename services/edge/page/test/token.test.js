import { test } from 'node:test'
import assert from 'node:assert/strict'
import { optionsFor, tokenFor } from '../src/token.js'

/** A tab at an address, with what it keeps. */
const tab = (hash, kept = new Map()) => {
  const window = {
    location: { pathname: '/', search: '?room=notes', hash },
    history: { replaceState: (_state, _title, address) => { window.address = address } },
    sessionStorage: { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) }
  }
  return window
}

test('the token leaves the address and stays in the tab', () => {
  const kept = new Map()
  const first = tab('#token=a.b.c', kept)
  assert.equal(tokenFor(first), 'a.b.c')
  assert.equal(first.address, '/?room=notes')
  assert.equal(tokenFor(tab('', kept)), 'a.b.c')
  assert.equal(tokenFor(tab('#token=d%3D', kept)), 'd=')
  assert.equal(tokenFor(tab('#token=%', kept)), '%')
  assert.equal(tokenFor(tab('#token=', kept)), null, 'an empty one forgets it')
})

test('a room in the fragment is no token', () => {
  const page = tab('#tokens')
  assert.equal(tokenFor(page), null)
  assert.equal(page.address, undefined)
})

test('a token goes as a subprotocol if it fits', () => {
  assert.deepEqual(optionsFor(null), {})
  assert.deepEqual(optionsFor('a.b-c_d'), { protocols: ['fjord', 'fjord.token.a.b-c_d'] })
  assert.deepEqual(optionsFor('YW5uOnMzY3JldA=='), { params: { token: 'YW5uOnMzY3JldA==' } })
})
