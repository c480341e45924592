// A program is a random session of a few clients, and what a server sees of it:
// phases of updates, delivered in some order, some twice, some late.
import * as Y from 'yjs'
import { profiles } from './edits.mjs'
import { Random } from './random.mjs'

// Reference replicas must not tidy up formatting after remote changes: that adds
// deletes of their own, which aren't part of convergence.
Object.defineProperty(Y.Transaction.prototype, '_needFormattingCleanup', { get: () => false, set () {} })

const clientIDs = rnd => {
  const ids = new Set()
  const kinds = [() => rnd.int(5), () => rnd.int(128), () => rnd.int(2 ** 32), () => rnd.int(2 ** 32), () => rnd.int(2 ** 21) * 2 ** 32 + rnd.int(2 ** 32)]
  const n = 2 + rnd.int(5)
  while (ids.size < n) ids.add(rnd.pick(kinds)())
  return [...ids]
}

const newDoc = (id, gc) => {
  const doc = new Y.Doc({ gc })
  doc.clientID = id
  return doc
}

// Session runs clients that edit and exchange updates at random times.
class Session {
  constructor (rnd, edit) {
    this.rnd = rnd
    this.edit = edit
    this.wire = [] // what reaches the server, in order
    this.snapshots = [] // states of clients at some time: replicas that are behind
    const gc = !rnd.chance(0.25)
    this.docs = []
    this.ids = clientIDs(rnd)
    for (const id of this.ids) this.join(newDoc(id, gc))
  }

  join (doc) {
    doc.inbox = []
    doc.on('update', (update, origin) => {
      if (origin === 'remote') return
      this.wire.push(update)
      for (const other of this.docs) if (other !== doc) other.inbox.push(update)
    })
    this.docs.push(doc)
  }

  receive (doc) {
    let box = doc.inbox
    doc.inbox = []
    if (this.rnd.chance(0.3)) box = this.rnd.shuffle(box)
    if (this.rnd.chance(0.2) && box.length > 1) box = [Y.mergeUpdates(box)]
    for (const update of box) Y.applyUpdate(doc, update, 'remote')
  }

  // A client answers a peer that is behind, and the server hears it.
  answer (doc) {
    const vector = this.snapshots.length > 0 ? this.rnd.pick(this.snapshots).vector : undefined
    this.wire.push(Y.encodeStateAsUpdate(doc, vector))
  }

  // A client leaves, and comes back with what a peer has, under a new id.
  replace () {
    const gone = this.rnd.pick(this.docs)
    const rest = this.docs.filter(d => d !== gone)
    this.docs = rest
    const next = newDoc(this.rnd.int(2 ** 32), gone.gc)
    Y.applyUpdate(next, Y.encodeStateAsUpdate(this.rnd.pick(rest)), 'remote')
    this.join(next)
  }

  step () {
    const doc = this.rnd.pick(this.docs)
    const roll = this.rnd.next()
    if (roll < 0.25) this.receive(doc)
    else if (roll < 0.29) this.answer(doc)
    else if (roll < 0.33) this.snapshots.push({ state: Y.encodeStateAsUpdate(doc), vector: Y.encodeStateVector(doc) })
    else if (roll < 0.34 && this.docs.length > 2) this.replace()
    else if (roll < 0.42) doc.transact(() => { for (let n = this.rnd.int(6); n >= 0; n--) this.edit(this.rnd, doc) })
    else this.edit(this.rnd, doc)
  }
}

// A vector that no replica has: clocks anywhere, also beyond what there is.
const randomVector = (rnd, ids) => {
  const vector = new Map()
  for (const id of ids) if (rnd.chance(0.7)) vector.set(id, rnd.int(40))
  if (rnd.chance(0.2)) vector.set(rnd.int(2 ** 32), rnd.int(9))
  return Y.encodeStateVector(vector)
}

const mergeSome = (rnd, updates) => {
  const out = []
  for (let i = 0; i < updates.length;) {
    const n = rnd.chance(0.3) ? 2 + rnd.int(5) : 1
    out.push(n === 1 ? updates[i] : Y.mergeUpdates(updates.slice(i, i + n)))
    i += n
  }
  return out
}

const deliver = (rnd, updates) => {
  if (rnd.chance(0.4)) updates = rnd.shuffle(updates)
  if (rnd.chance(0.3)) updates = mergeSome(rnd, updates)
  if (rnd.chance(0.3)) updates = updates.flatMap(u => rnd.chance(0.3) ? [u, u] : [u])
  return updates
}

// As many updates of a phase are merged, cut and converted one by one.
export const mergeFirst = 6

// makeProgram returns the profile's name, and phases of updates and vectors. The
// last phase delivers everything that was withheld.
export const makeProgram = seed => {
  const rnd = new Random(seed)
  const name = rnd.pick(Object.keys(profiles))
  const session = new Session(rnd, profiles[name])
  for (let steps = 5 + rnd.int(60); steps > 0; steps--) session.step()
  const held = []
  let sent = session.wire
  if (rnd.chance(0.5)) {
    const p = rnd.pick([0.05, 0.3, 0.6])
    sent = session.wire.filter(u => !rnd.chance(p) || !held.push(u))
  }
  const phases = [{ updates: deliver(rnd, sent) }]
  if (held.length > 0) phases.push({ updates: deliver(rnd, held) })
  for (const phase of phases) {
    phase.v2 = phase.updates.slice(0, mergeFirst).map(Y.convertUpdateFormatV1ToV2)
    phase.behind = rnd.shuffle(session.snapshots).slice(0, 2)
    phase.vectors = phase.behind.map(s => s.vector).concat([randomVector(rnd, session.ids), randomVector(rnd, session.ids)])
  }
  return { name, phases }
}
