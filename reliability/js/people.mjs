// People at npm's y-websocket who edit at random and remember what they said and
// what came back. Arguments: URL, rooms with commas, people per room, pause in ms,
// seed. Lines in: "stop", then "tell". Lines out, in JSON:
//
//   {"online":n}                            all are synced, for the first time
//   {"settled":true}                        after "stop": all is echoed
//   {"client","room","said":[[update, echoed]…],"seen"}   after "tell"
//
// Updates are in base64. An update counts as echoed when what the *server* sent
// holds it, or its state vector says so: what the socket brings is kept apart.

import { createInterface } from 'node:readline'
import { setMaxListeners } from 'node:events'
import WebSocket from 'ws'
import * as Y from 'yjs'
import * as decoding from 'lib0/decoding'
import { WebsocketProvider } from 'y-websocket'

const [url, rooms, perRoom, pause, seed] = process.argv.slice(2)
process.setMaxListeners(0)
setMaxListeners(0)

let state = Number(seed) >>> 0
const below = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor(state / 2 ** 32 * n)
}

const edit = (doc) => {
  const text = doc.getText('text'); const map = doc.getMap('map'); const array = doc.getArray('array')
  switch (below(6)) {
    case 0: case 1: return text.insert(below(text.length + 1), `npm${below(1000)} `, below(3) === 0 ? { bold: true } : undefined)
    case 2: return text.length > 4 && text.delete(below(text.length - 3), 3)
    case 3: return map.set('k' + below(5), below(2) ? { n: below(100) } : [below(100), null, 'x'])
    case 4: return array.insert(below(array.length + 1), [below(100), { a: below(10) }])
    case 5: return array.length > 0 && array.delete(below(array.length), 1)
  }
}

/** Every deleted (client, clock). */
const units = function * (ds) {
  for (const [client, ranges] of ds.clients) {
    for (const { clock, len } of ranges) for (let at = clock; at < clock + len; at++) yield [client, at]
  }
}

class Person {
  constructor (room) {
    this.room = room
    this.said = [] // [update, echoed]
    // What the server has shown to have:
    this.clock = 0 // own units below it, by its state vector
    this.inserts = new Set() // other own units
    this.deletes = new Set() // "client/clock", anybody's
    this.open = 0 // said from here on isn't echoed yet
    this.doc = new Y.Doc()
    this.heard = [new Uint8Array([0, 0])] // as it came: a Y.Doc would add deletions that follow by Yjs's rules
    const person = this
    class Socket extends WebSocket {
      constructor (...args) {
        super(...args)
        this.on('message', (data) => person.#hear(data))
      }
    }
    this.client = new WebsocketProvider(url, room, this.doc, { WebSocketPolyfill: Socket, disableBc: true })
    this.synced = new Promise((resolve) => this.client.once('sync', resolve))
    this.doc.on('update', (update, origin) => { if (origin !== this.client) this.said.push([update, false]) })
  }

  #hear (data) {
    const decoder = decoding.createDecoder(new Uint8Array(data))
    if (decoding.readVarUint(decoder) !== 0) return
    const step1 = decoding.readVarUint(decoder) === 0
    const body = decoding.readVarUint8Array(decoder)
    if (step1) {
      this.clock = Math.max(this.clock, Y.decodeStateVector(body).get(this.doc.clientID) ?? 0)
    } else {
      this.heard.push(body.slice())
      const { structs, ds } = Y.decodeUpdate(body)
      for (const { id, length } of structs) {
        for (let at = id.clock; id.client === this.doc.clientID && at < id.clock + length; at++) this.inserts.add(at)
      }
      for (const [client, clock] of units(ds)) this.deletes.add(client + '/' + clock)
    }
    while (this.open < this.said.length && this.#shows(this.said[this.open][0])) this.said[this.open++][1] = true
  }

  /** The server never sends back what its state vector had. */
  #shows (update) {
    const { structs, ds } = Y.decodeUpdate(update)
    for (const { id, length } of structs) {
      for (let at = id.clock; at < id.clock + length; at++) if (at >= this.clock && !this.inserts.has(at)) return false
    }
    return [...units(ds)].every(([client, clock]) => this.deletes.has(client + '/' + clock))
  }

  tell () {
    const base64 = (bytes) => Buffer.from(bytes).toString('base64')
    console.log(JSON.stringify({
      client: this.doc.clientID,
      room: this.room,
      said: this.said.map(([update, echoed]) => [base64(update), echoed]),
      seen: base64(Y.mergeUpdates(this.heard))
    }))
  }
}

const people = rooms.split(',').flatMap((room) => Array.from({ length: Number(perRoom) }, () => new Person(room)))
await Promise.all(people.map((person) => person.synced))
console.log(JSON.stringify({ online: people.length }))
const typing = setInterval(() => { const doc = people[below(people.length)].doc; doc.transact(() => edit(doc)) }, Number(pause) / people.length)

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'stop') {
    clearInterval(typing)
    const settled = setInterval(() => {
      if (people.some((person) => person.open < person.said.length)) return
      clearInterval(settled)
      console.log(JSON.stringify({ settled: true }))
    }, 20)
  } else if (line === 'tell') {
    for (const person of people) person.tell()
    process.stdout.write('', () => process.exit(0)) // once all has been read
  }
}
// Who asked is gone.
process.exit(1)
