// The oracle: one JSON request per line on stdin, one JSON answer per line on
// stdout. Bytes travel as base64.
//
//   {sessions: [{client, steps: [{at, op, …}…]}…]}
//     → [[{update, all, known: {client: clock}}…]…]
//
// A session is the life of one Awareness, whose own client shows nothing at first. A
// step happens at a time in milliseconds:
//
//   apply: update      set: state      remove: clients      tick      forget: clients
//
// The answers say what y-protocols' events would send to the others, everybody's state,
// and which clocks are known.
import { createInterface } from 'node:readline'
import { clock } from './clock.mjs'
import * as Y from '../../internal/difftest/node_modules/yjs/dist/yjs.mjs'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from '../../internal/difftest/node_modules/y-protocols/awareness.js'

const b64 = bytes => Buffer.from(bytes).toString('base64')
const bytes = s => new Uint8Array(Buffer.from(s, 'base64'))

const forget = (awareness, clients) => {
  for (const client of clients) {
    const meta = awareness.meta.get(client)
    if (meta === undefined || awareness.states.has(client) || clock.now - meta.lastUpdated < 30000) {
      throw new Error(`client ${client} isn't to be forgotten at ${clock.now}: ${JSON.stringify(meta)}`)
    }
    awareness.meta.delete(client)
  }
}

const session = ({ client, steps }) => {
  clock.ticks = []
  const doc = new Y.Doc()
  doc.clientID = client
  const awareness = new Awareness(doc)
  awareness.setLocalState(null)
  awareness.meta.delete(client)
  // As if it had begun with clock 0: the next one is 1.
  awareness.meta.set(client, { clock: 0, lastUpdated: 0 })
  let changed = new Set()
  awareness.on('update', ({ added, updated, removed }) => {
    for (const c of [...added, ...updated, ...removed]) changed.add(c)
  })
  return steps.map(({ at, op, update, state, clients }) => {
    clock.now = at
    changed = new Set()
    switch (op) {
      case 'apply': applyAwarenessUpdate(awareness, bytes(update), 'test'); break
      case 'set': awareness.setLocalState(state); break
      case 'remove': removeAwarenessStates(awareness, clients, 'test'); break
      case 'tick': for (const tick of clock.ticks) tick(); break
    }
    const sent = encodeAwarenessUpdate(awareness, [...changed].sort((a, b) => a - b))
    forget(awareness, clients && op === 'tick' ? clients : [])
    const known = {}
    for (const [c, meta] of awareness.meta) known[c] = meta.clock
    const there = [...awareness.getStates().keys()].sort((a, b) => a - b)
    return { update: b64(sent), all: b64(encodeAwarenessUpdate(awareness, there)), known }
  })
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  process.stdout.write(JSON.stringify(JSON.parse(line).sessions.map(session)) + '\n')
}
