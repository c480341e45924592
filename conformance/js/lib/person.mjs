// Somebody at a client, whatever its dialect: what the checks may ask of all of
// them. The kinds are in people.mjs.

import * as Y from 'yjs'
import { identity } from './content.mjs'
import { until } from './wait.mjs'
import { Wire } from './wire.mjs'

export class Person {
  wire = new Wire()
  /** How the server refused: one text or code each, in the client's own words. */
  refusals = []
  /** 'read-write' or 'readonly' once the client has been told. */
  access

  #closers = []

  /**
   * @param {import('node:test').TestContext} t closes the client when it is over
   * @param {{doc: any, awareness: any, user?: any}} has
   */
  has (t, { doc, awareness, user }) {
    this.doc = doc
    this.awareness = awareness
    // Undeclared, clients announce {} at clock 0, which JS peers ignore until
    // the heartbeat. People have names.
    if (user === null) awareness.setLocalState(null)
    else if (user !== undefined) awareness.setLocalStateField('user', user)
    t.after(() => this.close())
  }

  get id () { return this.doc.clientID }
  get text () { return this.doc.getText('text') }

  put (key, value) { this.doc.getMap('map').set(key, value) }
  read (key) { return this.doc.getMap('map').get(key) }

  /** The same for two documents iff they hold the same. */
  get identity () { return identity(this.doc) }

  /** The names of those whom this client sees, itself included, sorted. */
  get sees () {
    return [...this.awareness.getStates().values()].map((state) => state.user).filter((user) => user !== undefined).sort()
  }

  async synced (within) {
    await until(`${this.constructor.name} is synced`, () => this.isSynced, { within, shows: () => this.trouble })
  }

  /** What a failure shows. */
  get trouble () { return { ends: this.wire.ends, opened: this.wire.opened, refusals: this.refusals, access: this.access } }

  goOffline () { this.wire.down() }
  goOnline () { this.wire.up() }
  cutOff () { this.wire.cut() }

  /** Has something done when the client is closed, before what was asked earlier. */
  closing (act) { this.#closers.unshift(act) }

  close () {
    if (this.closed) return
    this.closed = true
    this.wire.hush()
    for (const act of this.#closers) act()
    this.doc.destroy()
  }
}

/**
 * What has come back to a client that has no word for "saved": its update's own
 * echo says it.
 */
export class Echo {
  #doc = new Y.Doc()

  /** @param {Uint8Array} update one that came from the server */
  hear (update) { Y.applyUpdate(this.#doc, update) }

  /** Whether all that doc's own client inserted is here. */
  covers (doc) { return clock(this.#doc, doc.clientID) >= clock(doc, doc.clientID) }
}

const clock = (doc, client) => {
  let length = 0
  for (const struct of doc.store.clients.get(client) ?? []) length = struct.id.clock + struct.length
  return length
}
