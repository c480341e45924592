// Checks what the engine made of a program against reference replicas.
import * as Y from 'yjs'
import { blur, canonical, kinds } from './canonical.mjs'
import { count } from './census.mjs'
import { mergeFirst } from './program.mjs'
import { Forms, Ranges, rangesOf, sameUnit, unitsOf } from './units.mjs'

export const natural = [['t', 'text'], ['r', 'text'], ['a', 'array'], ['m', 'map'], ['x', 'fragment'], ['q', 'array'], ['', 'map']]

const read = (doc, roots) => roots.map(([name, kind]) => canonical(doc.get(name, kinds[kind])))

// Where a program cuts pairs, which of them read as cut depends in yjs on the order.
let blurred = false

const view = doc => {
  const all = read(doc, natural).join('\n')
  return blurred ? blur(all) : all
}

const vectorOf = map => JSON.stringify([...map.entries()].filter(([, clock]) => clock > 0).sort((a, b) => a[0] - b[0]))

// What waits in a replica: units above its state, and deletes.
const pendingOf = doc => {
  const units = []
  let deletes = new Ranges()
  if (doc.store.pendingStructs) {
    for (const key of unitsOf(Y.decodeUpdateV2(doc.store.pendingStructs.update).structs).keys()) {
      const [client, clock] = key.split(':').map(Number)
      if (clock >= Y.getState(doc.store, client)) units.push(key)
    }
  }
  if (doc.store.pendingDs) deletes = rangesOf(Y.decodeUpdateV2(doc.store.pendingDs).ds)
  return { units: units.sort().join(), deletes }
}

const loadV2 = update => {
  const doc = new Y.Doc()
  Y.applyUpdateV2(doc, update)
  return retry(doc, [])
}

export const load = updates => {
  const doc = new Y.Doc()
  for (const u of updates) Y.applyUpdate(doc, u)
  return retry(doc, updates)
}

// Yjs looks at what waits only when a clock passes that it noted as missing, and
// notes too few: what could be integrated may wait on. And when it looks, structs
// that it has got otherwise stand in the way of what follows them, if their own
// form is blocked. Offering only what it lacks helps, and where two forms of a
// struct wait, giving it everything again.
const retry = (doc, updates) => {
  offerLacking(doc)
  for (let before = -1; doc.store.pendingStructs && before !== Y.encodeStateVector(doc).join();) {
    before = Y.encodeStateVector(doc).join()
    for (const u of updates) Y.applyUpdate(doc, u)
    offerLacking(doc)
  }
  return doc
}

const offerLacking = doc => {
  for (let before = -1; doc.store.pendingStructs && doc.store.pendingStructs.update.length !== before;) {
    const { update } = doc.store.pendingStructs
    before = update.length
    doc.store.pendingStructs = null
    Y.applyUpdateV2(doc, Y.diffUpdateV2(update, Y.encodeStateVector(doc)))
  }
}

const hex = bytes => Buffer.from(bytes).toString('hex')

const diffOf = (what, got, want) => got === want ? [] : [`${what}: got ${String(got).slice(0, 300)}, want ${String(want).slice(0, 300)}`]

// All that Yjs can tell of a replica.
const told = doc => ({
  view: view(doc),
  vector: vectorOf(Y.decodeStateVector(Y.encodeStateVector(doc))),
  ds: rangesOf(Y.createDeleteSetFromStructStore(doc.store)),
  pending: pendingOf(doc)
})

// Compares what was told of two replicas.
const sameTold = (what, got, want) => {
  count('compared: ' + what)
  if (want.pending.units !== '') count(`compared: ${what}, structs wait`)
  if (want.pending.deletes.set.size > 0) count(`compared: ${what}, deletes wait`)
  const errors = [...diffOf(what + ' view', got.view, want.view), ...diffOf(what + ' vector', got.vector, want.vector)]
  const d = got.ds.differs(want.ds)
  if (d !== null) errors.push(`${what} delete set ${d}`)
  errors.push(...diffOf(what + ' pending structs', got.pending.units, want.pending.units))
  const p = got.pending.deletes.differs(want.pending.deletes)
  if (p !== null) errors.push(`${what} pending deletes ${p}`)
  return errors
}

export const sameReplica = (what, got, want) => sameTold(what, told(got), told(want))

// taken is an update taken apart.
const taken = update => {
  const { structs, ds } = Y.decodeUpdate(update)
  return { structs, units: unitsOf(structs), ds: rangesOf(ds) }
}

// concurrent reports whether two clients have put something behind the same unit.
const concurrent = structs => {
  const authors = new Map()
  return structs.some(({ origin, id }) => {
    if (!origin) return false
    const key = origin.client + ':' + origin.clock
    if ((authors.get(key) ?? id.client) !== id.client) return true
    authors.set(key, id.client)
    return false
  })
}

// Deleted content may have been dropped; the links stay.
const dropped = (delivered, unit) => {
  const links = unit.slice(0, -'deleted'.length)
  return unit.endsWith(' deleted') && delivered.startsWith(links)
}

// Checks the bytes of the whole state unit by unit against what was delivered.
const checkState = ({ units, ds }, forms) => {
  const errors = []
  for (const [key, unit] of units) {
    const known = forms.units.get(key)
    if (known === undefined) errors.push(`${key} was never delivered`)
    else if (!known.some(k => sameUnit(k, unit) || (forms.deletes.set.has(key) && dropped(k, unit)))) errors.push(`${key} is ${unit}, delivered ${known}`)
  }
  for (const key of forms.units.keys()) if (!units.has(key)) errors.push(`${key} is lost`)
  const want = new Ranges()
  for (const key of forms.deletes.set) want.set.add(key)
  const vector = forms.vector()
  for (const [key, unit] of units) {
    const [client, clock] = key.split(':').map(Number)
    if ((unit === 'gc' || unit.endsWith(' deleted')) && clock < (vector.get(client) ?? 0)) want.set.add(key)
  }
  const d = ds.differs(want)
  if (d !== null) errors.push('encoded delete set ' + d)
  return errors
}

// Checks that a difference is the units not below the vector, and all deletes.
const checkDiff = (state, diff, vector) => {
  const errors = []
  const below = Y.decodeStateVector(vector)
  count('compared: difference')
  if (diff.ds.set.size > 0) count('compared: difference with deletes')
  const got = diff.units
  for (const [key, unit] of state.units) {
    const [client, clock] = key.split(':').map(Number)
    if (clock === below.get(client)) count('compared: difference from the middle of a client')
    if (clock < (below.get(client) ?? 0)) {
      if (got.has(key)) errors.push(`diff has ${key}, which the vector has`)
    } else if (!got.has(key) || !sameUnit(got.get(key), unit)) errors.push(`diff has ${key} as ${got.get(key)}, want ${unit}`)
    got.delete(key)
  }
  for (const key of got.keys()) errors.push(`diff has ${key}, the state doesn't`)
  const d = diff.ds.differs(state.ds)
  if (d !== null) errors.push('diff delete set ' + d)
  return errors
}

// Checks what the engine makes of updates without a document.
const checkUpdates = (phase, { singles, merged }) => {
  const errors = []
  singles.forEach(({ diff, vector, v1 }, k) => {
    const update = phase.updates[k]
    errors.push(...diffOf(`update ${k} from version 2`, hex(v1), hex(Y.convertUpdateFormatV2ToV1(phase.v2[k]))))
    count('compared: update cut, told and converted without a document')
    const want = taken(Y.diffUpdate(update, phase.vectors[k % phase.vectors.length]))
    const got = taken(diff)
    for (const [key, unit] of got.units) {
      if (!want.units.has(key) || !sameUnit(want.units.get(key), unit)) errors.push(`diff of update ${k} has ${key} as ${unit}, want ${want.units.get(key)}`)
      want.units.delete(key)
    }
    for (const key of want.units.keys()) errors.push(`diff of update ${k} lacks ${key}`)
    const d = got.ds.differs(want.ds)
    if (d !== null) errors.push(`diff of update ${k}: delete set ${d}`)
    errors.push(...diffOf(`vector of update ${k}`, vectorOf(Y.decodeStateVector(vector)), vectorOf(Y.decodeStateVector(Y.encodeStateVectorFromUpdate(update)))))
  })
  errors.push(...sameTold('merged', told(load([merged])), told(load(phase.updates.slice(0, mergeFirst)))))
  return errors
}

// What a state reads, as each of some lists of roots, and its snapshot.
const readings = (state, roots) => ({
  views: roots.map(each => read(load([state]), each)),
  snapshot: Buffer.from(Y.encodeSnapshot(Y.snapshot(load([state])))).toString('base64')
})

// checkProgram returns what is wrong with the engine's results, phase by phase, and
// what its states read to Yjs. A result is
// {state, stateV2, vector, diffs, merged, singles: [{diff, vector, v1}], roots, waits}.
export const checkProgram = (program, results) => {
  blurred = program.name === 'cuts'
  const errors = []
  const read = []
  const forms = new Forms()
  const reference = new Y.Doc()
  const delivered = []
  program.phases.forEach((phase, i) => {
    const { state, stateV2, vector, diffs, diffsV2, roots, waits } = results[i]
    for (const u of phase.updates) {
      Y.applyUpdate(reference, u)
      forms.add(u)
    }
    delivered.push(...phase.updates)
    retry(reference, delivered)
    const want = told(reference)
    const all = taken(state)
    if (concurrent(all.structs)) count('compared: places that several clients wrote at')
    const found = [
      ...checkState(all, forms),
      ...diffOf('vector', vectorOf(Y.decodeStateVector(vector)), vectorOf(forms.vector())),
      ...diffOf('something is missing', waits, want.pending.units !== '' || want.pending.deletes.set.size > 0),
      ...sameTold('rebuilt', told(load([state])), want),
      ...sameTold('rebuilt from version 2', told(loadV2(stateV2)), want),
      ...checkUpdates(phase, results[i])
    ]
    diffs.forEach((diff, k) => found.push(...checkDiff(all, taken(diff), phase.vectors[k])))
    phase.behind.forEach((behind, k) => {
      // A replica that is behind and gets the difference knows what a replica
      // knows that got everything.
      const inVersion2 = (i + k + forms.units.size) % 2 === 0
      const met = load([behind.state])
      if (vectorOf(Y.decodeStateVector(behind.vector)) !== want.vector) count('compared: behind, really')
      if (inVersion2) Y.applyUpdateV2(met, diffsV2[k])
      else Y.applyUpdate(met, diffs[k])
      found.push(...sameTold(inVersion2 ? 'behind, in version 2' : 'behind', told(retry(met, [])), told(load([behind.state, ...delivered]))))
    })
    errors.push(...found.slice(0, 5).map(e => `phase ${i}: ${e}`))
    read.push(readings(state, roots))
  })
  return { errors, read }
}
