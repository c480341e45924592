// Each client is told in its own way that its edit is saved: an echo, a count
// that comes to nothing, a version that comes back. Whatever it was told is on
// disk: SIGKILL at that very moment loses none of it.
//
// In each round everybody writes, and the server is killed in the turn in which
// one of them is told; what the others had been told by then must be there too.
// FJORD_SAVED_ROUNDS kills are made for each dialect.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { arrive, kinds, person } from '../lib/people.mjs'
import { getDocument } from '../lib/rpc.mjs'
import { Fjord, dataDirectory, freshRoom, needsFjord } from '../lib/servers.mjs'
import { longest, until } from '../lib/wait.mjs'

const killsEach = Number(process.env.FJORD_SAVED_ROUNDS ?? 20)
/** How the kinds say "saved": those of one line share a way. */
const dialects = [
  ['y-websocket 1', 'y-websocket 2', 'y-websocket 3', 'y-websocket 4 candidate'], // the echo
  ['y-websocket 3.1 candidate'], // its sync status
  ['Hocuspocus 2', 'Hocuspocus 3', 'Hocuspocus 4'],
  ['y-sweet'],
  ['ELVA'] // the echo
]

/**
 * Who counts updates counts those wrong that it queued before it was connected:
 * they are answered one by one, and counted as one. No server can know.
 */
const miscounts = (kind) => kind.startsWith('Hocuspocus')

/** Somebody who writes numbers, the next when the last one is saved. */
class Writer {
  saved = 0

  /** @param {boolean} early whether the first was written before the client was connected */
  constructor (person, early, onSaved) {
    this.person = person
    this.written = early ? 1 : 0
    this.key = `from ${person.id}`
    if (early) this.#write()
    this.ticking = setInterval(() => this.#look(onSaved), 1)
  }

  #write () { this.person.put(this.key, this.written) }

  #look (onSaved) {
    if (this.saved < this.written && this.person.saved) {
      this.saved = this.written
      onSaved(this)
    }
    if (this.saved === this.written && this.person.isSynced) {
      this.written++
      this.#write()
    }
  }

  stop () { clearInterval(this.ticking) }
}

/** Kills the server when the chosen one has just been told of so many edits. */
const killWhenTold = async (fjord, people, early, chosen, edits) => {
  let writers = []
  const told = new Promise((resolve) => {
    writers = people.map((person, i) => new Writer(person, early && !miscounts(kinds[i]), (writer) => {
      if (person !== chosen || writer.saved < edits) return
      fjord.process.kill() // at once; everything else waits
      for (const writer of writers) writer.stop()
      resolve()
    }))
  })
  let saved = false
  told.then(() => { saved = true })
  try {
    await until('the chosen one is told that its edits are saved', () => saved, { shows: () => writers.map(({ written, saved, person }) => [written, saved, person.trouble]) })
  } finally {
    for (const writer of writers) writer.stop()
  }
  await fjord.process.exited
  return writers
}

const rounds = async (t, dialect, fjord) => {
  let words = 0
  for (let round = 0; round < killsEach; round++) {
    const kind = dialect[round % dialect.length]
    const chosen = kinds.indexOf(kind)
    // By turns each in a room of their own and all in one, and writing before
    // they are connected and only after.
    const common = freshRoom('saved')
    const rooms = kinds.map((_, i) => round % 2 === 0 ? `${common}-${i}` : common)
    const people = kinds.map((kind, i) => person(t, kind, { url: fjord.url, room: rooms[i] }))
    const writers = await killWhenTold(fjord, people, round % 3 === 0, people[chosen], 1 + round % 4)
    // They are gone for good before the server is back: it alone can know.
    for (const person of people) person.close()
    await fjord.start()
    for (const [i, { key, saved }] of writers.entries()) {
      if (saved === 0) continue
      words++
      const doc = new Y.Doc()
      Y.applyUpdate(doc, await getDocument(fjord.process.rpc, rooms[i]))
      const has = doc.getMap('map').get(key) ?? 0
      assert.ok(has >= saved, `round ${round}: ${kinds[i]} was told that edit ${saved} is saved; after a kill and a restart the newest is ${has}`)
    }
    // A client of another kind finds what the chosen one was told.
    const reader = await arrive(t, kinds[(chosen + 1 + round % (kinds.length - 1)) % kinds.length], { url: fjord.url, room: rooms[chosen] })
    assert.ok(reader.read(writers[chosen].key) >= writers[chosen].saved, `round ${round}: what ${kind} was told is saved is not what ${reader.constructor.name} reads`)
    reader.close()
  }
  t.diagnostic(`${words} words of “saved” were held against the disk`)
}

test(`saved means on disk, ${killsEach} kills for each dialect`, { skip: needsFjord, timeout: longest + killsEach * 5_000, concurrency: 3 }, async (t) => {
  await Promise.all(dialects.map((dialect) => t.test(dialect.join(', '), async (t) => rounds(t, dialect, await Fjord.start(t, { data: dataDirectory() })))))
})
