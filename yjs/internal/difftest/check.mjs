// Checks what the engine made of a program against reference replicas.
import * as Y from 'yjs'
import { mergeFirst } from './program.mjs'
import { canonical, Forms, Ranges, sameUnit, structUnits } from './units.mjs'

const viewOf = v => {
  if (v instanceof Y.XmlElement) return { tag: v.nodeName, attributes: v.getAttributes(), children: v.toArray().map(viewOf) }
  if (v instanceof Y.XmlHook) return { hook: v.hookName, map: viewOf(new Map(v.entries())) }
  if (v instanceof Y.Text) return v.toDelta().map(op => ({ ...op, insert: viewOf(op.insert) }))
  if (v instanceof Y.XmlFragment || v instanceof Y.Array) return v.toArray().map(viewOf)
  if (v instanceof Y.Map || v instanceof Map) return Object.fromEntries([...v.entries()].map(([k, x]) => [k, viewOf(x)]))
  if (v instanceof Y.Doc) return { guid: v.guid, gc: v.gc, autoLoad: v.autoLoad, meta: v.meta }
  return v
}

const view = doc => canonical([doc.getText('t').toString(), ...[doc.getText('r'), doc.getArray('a'), doc.getMap('m'), doc.getXmlFragment('x')].map(viewOf)])

const vectorOf = map => canonical(Object.fromEntries([...map.entries()].filter(([, clock]) => clock > 0)))

// What waits in a replica: units above its state, and deletes.
const pendingOf = doc => {
  const units = new Set()
  const deletes = new Ranges()
  if (doc.store.pendingStructs) {
    structUnits(Y.decodeUpdateV2(doc.store.pendingStructs.update).structs, (client, clock) => {
      if (clock >= Y.getState(doc.store, client)) units.add(client + ':' + clock)
    })
  }
  if (doc.store.pendingDs) deletes.addSet(Y.decodeUpdateV2(doc.store.pendingDs).ds)
  return { units: [...units].sort().join(), deletes }
}

const loadV2 = update => {
  const doc = new Y.Doc()
  Y.applyUpdateV2(doc, update)
  return retry(doc)
}

export const load = updates => {
  const doc = new Y.Doc()
  for (const u of updates) Y.applyUpdate(doc, u)
  return retry(doc)
}

// Yjs looks at what waits only when a clock passes that it noted as missing, and
// notes too few: what could be integrated may wait on. And when it looks, structs
// that it has got otherwise stand in the way of what follows them, if their own
// form is blocked. Offering only what it lacks helps.
const retry = doc => {
  for (let before = -1; doc.store.pendingStructs && doc.store.pendingStructs.update.length !== before;) {
    const { update } = doc.store.pendingStructs
    before = update.length
    doc.store.pendingStructs = null
    Y.applyUpdateV2(doc, Y.diffUpdateV2(update, Y.encodeStateVector(doc)))
  }
  return doc
}

const hex = bytes => Buffer.from(bytes).toString('hex')

const diffOf = (what, got, want) => got === want ? [] : [`${what}: got ${got.slice(0, 300)}, want ${want.slice(0, 300)}`]

// Compares two replicas in all that Yjs can tell.
export const sameReplica = (what, got, want) => {
  const errors = [
    ...diffOf(what + ' view', view(got), view(want)),
    ...diffOf(what + ' vector', vectorOf(Y.decodeStateVector(Y.encodeStateVector(got))), vectorOf(Y.decodeStateVector(Y.encodeStateVector(want))))
  ]
  const ds = doc => new Ranges().addSet(Y.createDeleteSetFromStructStore(doc.store))
  const d = ds(got).differs(ds(want))
  if (d !== null) errors.push(`${what} delete set ${d}`)
  const gotPending = pendingOf(got)
  const wantPending = pendingOf(want)
  errors.push(...diffOf(what + ' pending structs', gotPending.units, wantPending.units))
  const p = gotPending.deletes.differs(wantPending.deletes)
  if (p !== null) errors.push(`${what} pending deletes ${p}`)
  return errors
}

const unitsOf = update => {
  const units = new Map()
  structUnits(Y.decodeUpdate(update).structs, (client, clock, unit) => {
    const key = client + ':' + clock
    if (units.has(key)) throw new Error(key + ' is encoded twice')
    units.set(key, unit)
  })
  return units
}

// Deleted content may have been dropped; the links stay.
const dropped = (delivered, unit) => {
  const links = unit.slice(0, -'deleted'.length)
  return unit.endsWith(' deleted') && delivered.startsWith(links)
}

// Checks the bytes of the whole state unit by unit against what was delivered.
const checkState = (state, forms) => {
  const errors = []
  const units = unitsOf(state)
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
  const d = new Ranges().addSet(Y.decodeUpdate(state).ds).differs(want)
  if (d !== null) errors.push('encoded delete set ' + d)
  return errors
}

// Checks that a difference is the units not below the vector, and all deletes.
const checkDiff = (state, diff, vector) => {
  const errors = []
  const below = Y.decodeStateVector(vector)
  const all = unitsOf(state)
  const got = unitsOf(diff)
  for (const [key, unit] of all) {
    const [client, clock] = key.split(':').map(Number)
    if (clock < (below.get(client) ?? 0)) {
      if (got.has(key)) errors.push(`diff has ${key}, which the vector has`)
    } else if (!got.has(key) || !sameUnit(got.get(key), unit)) errors.push(`diff has ${key} as ${got.get(key)}, want ${unit}`)
    got.delete(key)
  }
  for (const key of got.keys()) errors.push(`diff has ${key}, the state doesn't`)
  const d = new Ranges().addSet(Y.decodeUpdate(diff).ds).differs(new Ranges().addSet(Y.decodeUpdate(state).ds))
  if (d !== null) errors.push('diff delete set ' + d)
  return errors
}

// Checks what the engine makes of updates without a document.
const checkUpdates = (phase, { singles, merged }) => {
  const errors = []
  singles.forEach(({ diff, vector, v1 }, k) => {
    const update = phase.updates[k]
    errors.push(...diffOf(`update ${k} from version 2`, hex(v1), hex(Y.convertUpdateFormatV2ToV1(phase.v2[k]))))
    const want = Y.diffUpdate(update, phase.vectors[k % phase.vectors.length])
    const units = unitsOf(want)
    for (const [key, unit] of unitsOf(diff)) {
      if (!units.has(key) || !sameUnit(units.get(key), unit)) errors.push(`diff of update ${k} has ${key} as ${unit}, want ${units.get(key)}`)
      units.delete(key)
    }
    for (const key of units.keys()) errors.push(`diff of update ${k} lacks ${key}`)
    const d = new Ranges().addSet(Y.decodeUpdate(diff).ds).differs(new Ranges().addSet(Y.decodeUpdate(want).ds))
    if (d !== null) errors.push(`diff of update ${k}: delete set ${d}`)
    errors.push(...diffOf(`vector of update ${k}`, vectorOf(Y.decodeStateVector(vector)), vectorOf(Y.decodeStateVector(Y.encodeStateVectorFromUpdate(update)))))
  })
  errors.push(...sameReplica('merged', load([merged]), load(phase.updates.slice(0, mergeFirst))))
  return errors
}


// checkProgram returns what is wrong with the engine's results, phase by phase.
// A result is {state, stateV2, vector, diffs, merged, singles: [{diff, vector, v1}]}.
export const checkProgram = (program, results) => {
  const errors = []
  const forms = new Forms()
  const reference = new Y.Doc()
  program.phases.forEach((phase, i) => {
    const at = `phase ${i}: `
    const { state, stateV2, vector, diffs } = results[i]
    for (const u of phase.updates) {
      Y.applyUpdate(reference, u)
      forms.add(u)
    }
    retry(reference)
    const found = [
      ...checkState(state, forms),
      ...diffOf('vector', vectorOf(Y.decodeStateVector(vector)), vectorOf(forms.vector())),
      ...sameReplica('rebuilt', load([state]), reference),
      ...sameReplica('rebuilt from version 2', loadV2(stateV2), reference)
    ]
    found.push(...checkUpdates(phase, results[i]))
    diffs.forEach((diff, k) => found.push(...checkDiff(state, diff, phase.vectors[k])))
    phase.behind.forEach((behind, k) => {
      // A replica that is behind and gets the difference knows what a replica
      // knows that got everything.
      found.push(...sameReplica(`behind ${k}`, load([behind.state, diffs[k]]), load([behind.state, Y.encodeStateAsUpdate(reference)])))
    })
    errors.push(...found.slice(0, 5).map(e => at + e))
  })
  return errors
}
