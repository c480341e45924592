// A program is a random session of a few clients, and what a server sees of it:
// phases of updates, delivered in some order, some twice, some late.
//
//   {seed}                a whole one
//   {seed, steps, keep}   with only these of its steps, and of what these send
//                         only these updates: how a failure is made smaller
//   {seed, profile}       of that profile
//
// Every step draws from a generator of its own, so that leaving one out changes
// as little as possible in the others.
import * as Y from 'yjs'
import { count } from './census.mjs'
import { profiles, special } from './edits.mjs'
import { Random } from './random.mjs'

// Clients of some sessions tidy up formatting after remote changes, as yjs does, and
// send these deletes. Reference replicas must not: deletes of their own aren't part of
// convergence.
Object.defineProperty(Y.Transaction.prototype, '_needFormattingCleanup', {
  get () { return this.doc.tidies === true && this.untidy },
  set (untidy) { this.untidy = untidy }
})

const clientIDs = rnd => {
  const ids = new Set()
  const kinds = [() => rnd.int(5), () => rnd.int(128), () => rnd.int(2 ** 32), () => rnd.int(2 ** 32), () => rnd.int(2 ** 21) * 2 ** 32 + rnd.int(2 ** 32)]
  const n = 2 + rnd.int(5)
  while (ids.size < n) ids.add(rnd.pick(kinds)())
  return [...ids]
}

const newDoc = (id, { gc, tidies }) => Object.assign(new Y.Doc({ gc }), { clientID: id, tidies })

// Session runs clients that edit and exchange updates at random times.
class Session {
  constructor (rnd, edit) {
    this.edit = edit
    this.wire = [] // what reaches the server, in order
    this.snapshots = [] // states of clients at some time: replicas that are behind
    const [name, gc] = rnd.pick([['on', () => true], ['on', () => true], ['off', () => false], ['on for some', () => rnd.chance(0.5)]])
    count('gc: ' + name)
    this.docs = []
    this.ids = clientIDs(rnd)
    count('clients: ' + this.ids.length)
    const tidies = rnd.chance(0.5)
    for (const id of this.ids) {
      count(id < 128 ? 'client id: below 128' : id < 2 ** 32 ? 'client id: 32 bits' : 'client id: above 32 bits')
      this.join(newDoc(id, { gc: gc(), tidies }))
    }
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

  receive (rnd, doc) {
    let box = doc.inbox
    doc.inbox = []
    if (rnd.chance(0.3)) box = rnd.shuffle(box)
    if (rnd.chance(0.2) && box.length > 1) box = [Y.mergeUpdates(box)]
    if (box.length > 0) count('step: hears from others')
    const said = this.wire.length
    for (const update of box) Y.applyUpdate(doc, update, 'remote')
    if (this.wire.length > said) count('step: tidies formats')
  }

  // A client answers a peer that is behind, and the server hears it.
  answer (rnd, doc) {
    const vector = this.snapshots.length > 0 ? rnd.pick(this.snapshots).vector : undefined
    this.wire.push(Y.encodeStateAsUpdate(doc, vector))
    count('step: answers a peer')
  }

  // A client leaves, and comes back with what a peer has, under a new id.
  replace (rnd) {
    count('step: leaves and comes back')
    const gone = rnd.pick(this.docs)
    const rest = this.docs.filter(d => d !== gone)
    this.docs = rest
    const next = newDoc(rnd.int(2 ** 32), gone)
    Y.applyUpdate(next, Y.encodeStateAsUpdate(rnd.pick(rest)), 'remote')
    this.join(next)
  }

  step (rnd) {
    const doc = rnd.pick(this.docs)
    const roll = rnd.next()
    if (roll < 0.25) this.receive(rnd, doc)
    else if (roll < 0.29) this.answer(rnd, doc)
    else if (roll < 0.33) this.snapshots.push({ state: Y.encodeStateAsUpdate(doc), vector: Y.encodeStateVector(doc) })
    else if (roll < 0.34 && this.docs.length > 2) this.replace(rnd)
    else if (roll < 0.42) {
      count('step: several edits in a transaction')
      doc.transact(() => { for (let n = rnd.int(6); n >= 0; n--) this.edit(rnd, doc) })
    } else this.edit(rnd, doc)
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

// deliver puts the updates of a phase in order. Each is {update, place, twice}.
const deliver = (rnd, sent) => {
  if (rnd.chance(0.4)) {
    count('delivered: out of order')
    sent = sent.slice().sort((a, b) => a.place - b.place)
  }
  const twice = rnd.chance(0.3)
  const merged = rnd.chance(0.3)
  let updates = sent.flatMap(s => twice && s.twice ? [s.update, s.update] : [s.update])
  if (updates.length > sent.length) count('delivered: some twice')
  if (merged) updates = mergeSome(rnd, updates)
  if (merged) count('delivered: some merged')
  return updates
}

// halves are the structs of an update by themselves, and its deletes.
const halves = update => {
  const { structs, ds } = Y.decodeUpdate(update)
  // What says by itself that it is deleted comes with the delete, and so do several
  // values of a key in one struct. Who sends them without means something else. A
  // struct with a neighbour doesn't tell whether it is of a key.
  const listed = s => s.content instanceof Y.ContentAny || s.content instanceof Y.ContentJSON
  const values = s => s.length > 1 && listed(s) && (s.parentSub !== null || s.origin !== null || s.rightOrigin !== null)
  const whole = s => s instanceof Y.GC || s.content instanceof Y.ContentDeleted || values(s)
  if (structs.length === 0 || ds.clients.size === 0 || structs.some(whole)) return [update]
  const deletes = encodeDeletes(ds)
  const at = update.length - deletes.length
  if (deletes.some((b, i) => b !== update[at + i])) throw new Error('deletes are encoded differently')
  count('delivered: deletes apart')
  return [Uint8Array.of(...update.subarray(0, at), 0), Uint8Array.of(0, ...deletes)]
}

const varUint = n => {
  const bytes = []
  for (; n > 127; n = Math.floor(n / 128)) bytes.push(n % 128 + 128)
  return [...bytes, n]
}

const encodeDeletes = ds => [...varUint(ds.clients.size), ...[...ds.clients].flatMap(([client, ranges]) =>
  [...varUint(client), ...varUint(ranges.length), ...ranges.flatMap(r => [...varUint(r.clock), ...varUint(r.len)])])]

// Most programs are short: they are where small mistakes show, and a thousand of
// them say more than a hundred long ones.
const steps = rnd => rnd.chance(0.75) ? 2 + rnd.int(16) : rnd.chance(0.85) ? 15 + rnd.int(35) : 50 + rnd.int(100)

// As many updates of a phase are merged, cut and converted one by one.
export const mergeFirst = 4

export const toV2 = updates => updates.slice(0, mergeFirst).map(Y.convertUpdateFormatV1ToV2)

// late is a replica that has some of the updates.
const late = (rnd, updates) => {
  const doc = new Y.Doc()
  for (const u of updates) if (rnd.chance(0.5)) Y.applyUpdate(doc, u)
  return { state: Y.encodeStateAsUpdate(doc), vector: Y.encodeStateVector(doc) }
}

// complete adds to a phase what else is asked about it.
const complete = (phase, rnd, snapshots, ids) => {
  phase.v2 = toV2(phase.updates)
  phase.behind = rnd.shuffle(snapshots).slice(0, 1 + rnd.int(2))
  if (phase.behind.length === 0 && rnd.chance(0.4)) phase.behind.push(late(rnd, phase.updates))
  phase.vectors = phase.behind.map(s => s.vector).concat([randomVector(rnd, ids), randomVector(rnd, ids)])
}

// makeProgram returns the profile's name, how many steps and updates there are,
// and phases of updates and vectors. The last phase delivers what was withheld.
export const makeProgram = ({ seed, profile, steps: only, keep }) => {
  const rnd = new Random(seed)
  const name = profile ?? rnd.pick(Object.keys(profiles))
  const session = new Session(rnd, special[name] ?? profiles[name])
  const length = steps(rnd)
  const withhold = rnd.chance(0.5) ? rnd.pick([0.05, 0.3, 0.6]) : 0
  for (const i of only ?? Array(length).keys()) session.step(new Random(seed, i + 1))
  const each = new Random(seed, 0)
  const apart = each.chance(0.2)
  const wire = session.wire.flatMap(update => apart && each.chance(0.3) ? halves(update) : [update])
  const sent = wire.map(update => ({ update, place: each.next(), twice: each.chance(0.3), held: each.next() < withhold })).filter((_, i) => keep?.includes(i) ?? true)
  const phases = [sent.filter(s => !s.held), sent.filter(s => s.held)].filter((s, i) => i === 0 || s.length > 0).map(s => ({ updates: deliver(rnd, s) }))
  count('programs')
  count('profile: ' + name)
  if (phases.length > 1) count('delivered: some late')
  for (const phase of phases) complete(phase, rnd, session.snapshots, session.ids)
  return { name, steps: length, sent: wire.length, phases }
}
