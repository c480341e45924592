// Which of this page's edits the server has not yet given back.
//
// Fjord sends an update to everyone, its sender included, only after it has
// been stored. So an edit is saved when its content comes back: as an echo, in
// the server's sync step 2, or as part of the state vector that the server
// opens with (after a break the echo may have been lost with the old socket).
// The y-websocket client has no event for this; it is worked out here from the
// messages themselves, by content: ranges of (client, clock) for what was
// inserted, and for what was deleted.

import * as Y from 'yjs'

/** Half-open ranges of clocks, per client, disjoint and sorted. */
export class Ranges {
  constructor () {
    /** @type {Map<number, Array<[number, number]>>} */
    this.clients = new Map()
  }

  get empty () { return this.clients.size === 0 }

  /** Adds [from, to) of client. */
  add (client, from, to) {
    const old = this.clients.get(client) ?? []
    const kept = []
    for (const [a, b] of old) {
      if (b < from || a > to) kept.push([a, b])
      else { from = Math.min(from, a); to = Math.max(to, b) }
    }
    kept.push([from, to])
    this.clients.set(client, kept.sort((x, y) => x[0] - y[0]))
  }

  /** Takes [from, to) of client out. */
  remove (client, from, to) {
    const old = this.clients.get(client)
    if (old === undefined) return
    const kept = []
    for (const [a, b] of old) {
      if (a < from) kept.push([a, Math.min(b, from)])
      if (b > to) kept.push([Math.max(a, to), b])
    }
    if (kept.length > 0) this.clients.set(client, kept)
    else this.clients.delete(client)
  }
}

/** Calls inserted and deleted with (client, from, to) for all that an update holds. */
const eachRange = (update, inserted, deleted) => {
  const { structs, ds } = Y.decodeUpdate(update)
  for (const struct of structs) {
    // A Skip stands for content that is *not* in this update.
    if (struct instanceof Y.Skip) continue
    inserted(struct.id.client, struct.id.clock, struct.id.clock + struct.length)
  }
  ds.clients.forEach((items, client) => {
    for (const { clock, len } of items) deleted(client, clock, clock + len)
  })
}

export class Unsaved {
  constructor () {
    this.inserted = new Ranges()
    this.deleted = new Ranges()
  }

  get empty () { return this.inserted.empty && this.deleted.empty }

  /** An update was made on this page. */
  made (update) {
    eachRange(update,
      (client, from, to) => this.inserted.add(client, from, to),
      (client, from, to) => this.deleted.add(client, from, to))
  }

  /** The server sent an update. */
  cameBack (update) {
    if (this.empty) return // spares decoding the whole document at the start
    eachRange(update,
      (client, from, to) => this.inserted.remove(client, from, to),
      (client, from, to) => this.deleted.remove(client, from, to))
  }

  /** The server sent its state vector: it has each client's inserts below these clocks. */
  serverHas (stateVector) {
    Y.decodeStateVector(stateVector).forEach((clock, client) => this.inserted.remove(client, 0, clock))
  }
}
