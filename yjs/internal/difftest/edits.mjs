// Random edits, one function per profile. Each changes a document once, inside
// a transaction of its own or its caller's.
import * as Y from 'yjs'
import { count } from './census.mjs'
import { cuts, legacy, strange } from './oddities.mjs'
import { anything, jsonValue, keys, letter, mark, node, shared, subdocument, unicodeWord, value, word } from './values.mjs'

// A position that a surrogate pair doesn't straddle. Two halves that were put in
// apart make Yjs itself diverge.
const outside = (s, at) => at > 0 && at < s.length && s.codePointAt(at - 1) > 0xffff ? at - 1 : at

const position = (rnd, s) => outside(s, rnd.chance(0.4) ? s.length : rnd.int(s.length + 1))

const remove = (rnd, type, s) => {
  if (s.length === 0) return
  const from = rnd.chance(0.05) ? 0 : position(rnd, s)
  const to = rnd.chance(0.05) ? s.length : outside(s, Math.min(s.length, from + 1 + rnd.int(6)))
  if (to > from) type.delete(from, to - from)
}

// What the type holds as a string with one unit per clock unit that counts.
const flat = type => type.toDelta().map(op => typeof op.insert === 'string' ? op.insert : '\uffff').join('')

export const plain = (rnd, doc) => {
  const t = doc.getText('t')
  const s = t.toString()
  if (rnd.chance(0.7)) t.insert(position(rnd, s), word(rnd))
  else remove(rnd, t, s)
}

// One key at a time, mostly where the last one was.
export const typing = (rnd, doc) => {
  const t = doc.getText('t')
  const s = t.toString()
  const at = rnd.chance(0.8) ? outside(s, Math.min(doc.cursor ?? 0, s.length)) : position(rnd, s)
  if (rnd.chance(0.85)) {
    t.insert(at, letter(rnd))
    doc.cursor = at + 1
  } else if (at > 0) {
    const from = outside(s, at - 1)
    t.delete(from, at - from)
    doc.cursor = from
  }
}

export const unicode = (rnd, doc) => {
  const t = doc.getText('t')
  const s = t.toString()
  if (rnd.chance(0.7)) t.insert(position(rnd, s), unicodeWord(rnd))
  else remove(rnd, t, s)
}

// A delta of several steps over a whole text.
const delta = (rnd, s) => {
  const ops = []
  for (let at = 0, n = 1 + rnd.int(4); n > 0; n--) {
    const to = outside(s, Math.min(s.length, at + rnd.int(5)))
    if (to > at) {
      ops.push(rnd.chance(0.3) ? { delete: to - at } : rnd.chance(0.4) ? { retain: to - at, attributes: mark(rnd) } : { retain: to - at })
      at = to
    }
    if (rnd.chance(0.6)) ops.push({ insert: rnd.chance(0.2) ? jsonValue(rnd) : word(rnd), ...(rnd.chance(0.5) ? { attributes: mark(rnd) } : {}) })
  }
  return ops
}

export const rich = (rnd, doc, type = doc.getText('r')) => {
  const s = flat(type)
  switch (rnd.int(8)) {
    case 0: return remove(rnd, type, s)
    case 1: return type.insert(position(rnd, s), word(rnd), mark(rnd))
    case 2: return type.insertEmbed(position(rnd, s), rnd.chance(0.8) ? jsonValue(rnd) : shared(rnd), rnd.chance(0.5) ? mark(rnd) : {})
    case 3: case 4: {
      const from = position(rnd, s)
      const to = outside(s, from + 1 + rnd.int(s.length - from))
      if (from < to && to <= s.length) type.format(from, to - from, mark(rnd))
      return
    }
    case 5: return type.applyDelta(delta(rnd, s))
    case 6:
      if (rnd.chance(0.7)) return type.insert(position(rnd, s), doc.odd ? word(rnd) : unicodeWord(rnd)) // flat is wrong of an odd text
      return type.setAttribute(rnd.pick(['k', '']), rnd.chance(0.5) ? word(rnd) : value(rnd, 1))
    default: return type.insert(position(rnd, s), word(rnd))
  }
}

const list = (rnd, make) => {
  const out = []
  for (let n = 1 + rnd.int(4); n > 0; n--) out.push(make(rnd))
  return out
}

const shrink = (rnd, type) => {
  if (type.length === 0) return
  const from = rnd.int(type.length)
  type.delete(from, rnd.chance(0.05) ? type.length - from : 1 + rnd.int(Math.min(3, type.length - from)))
}

// What is in a shared type, as far as it is shared types itself.
const children = type => (type instanceof Y.Map
  ? [...type.values()]
  : type instanceof Y.Text
    ? type.toDelta().map(op => op.insert)
    : type.toArray()).filter(c => c instanceof Y.AbstractType)

// Changes a shared type of any kind, or one somewhere in it.
const change = (rnd, doc, type) => {
  for (let depth = 0; depth < 4 && rnd.chance(0.6); depth++) {
    const inner = children(type)
    if (inner.length === 0) break
    type = rnd.pick(inner)
  }
  if (type instanceof Y.Text) return rich(rnd, doc, type)
  if (type instanceof Y.Array) return rnd.chance(0.7) ? type.insert(rnd.int(type.length + 1), list(rnd, anything)) : shrink(rnd, type)
  if (type instanceof Y.Map) {
    if (rnd.chance(0.02)) return type.clear()
    return rnd.chance(0.75) ? type.set(rnd.pick(keys), rnd.chance(0.1) ? value(rnd) : anything(rnd)) : type.delete(rnd.pick(keys))
  }
  if (type instanceof Y.XmlElement && rnd.chance(0.3)) {
    if (rnd.chance(0.3)) return type.removeAttribute(rnd.pick(['id', 'class', '']))
    return type.setAttribute(rnd.pick(['id', 'class', '']), rnd.chance(0.9) ? word(rnd) : value(rnd))
  }
  return rnd.chance(0.7) ? type.insert(rnd.int(type.length + 1), list(rnd, node).slice(0, 2)) : shrink(rnd, type)
}

export const array = (rnd, doc) => change(rnd, doc, doc.getArray('a'))
export const map = (rnd, doc) => change(rnd, doc, doc.getMap(rnd.chance(0.1) ? '' : 'm'))
export const xml = (rnd, doc) => change(rnd, doc, doc.getXmlFragment('x'))

const entriesOf = type => type instanceof Y.Map ? [...type.keys()] : [...Array(type.length).keys()]
const put = (rnd, type, v) => type instanceof Y.Map ? type.set(rnd.pick(keys), v) : type.insert(rnd.int(type.length + 1), [v])

// Yjs can't clone subdocuments, hooks, and texts or attributes with types in them.
const clonable = v => {
  if (!(v instanceof Y.AbstractType)) return !(v instanceof Y.Doc)
  if (v instanceof Y.XmlHook || v instanceof Y.Text && children(v).length > 0) return false
  if (v instanceof Y.XmlElement && Object.values(v.getAttributes()).some(a => a instanceof Y.AbstractType || a instanceof Y.Doc)) return false
  return [...(v instanceof Y.Map ? v.values() : v instanceof Y.Text ? [] : v.toArray())].every(clonable)
}

// Something goes where it was not: it is deleted here, and put in there again.
export const moves = (rnd, doc) => {
  const roots = [[doc.getArray('a'), doc.getArray('q'), doc.getMap('m')], [doc.getXmlFragment('x')]]
  const places = rnd.pick(roots)
  const from = rnd.pick(places)
  const at = rnd.chance(0.7) ? rnd.pick(entriesOf(from)) : undefined
  const v = at === undefined ? undefined : from.get(at)
  // Undefined and bigint directly in an array are refused.
  if (at === undefined || v === undefined || typeof v === 'bigint' || !clonable(v)) return rnd.pick([array, map, xml])(rnd, doc)
  count('step: moves')
  doc.transact(() => {
    const again = v instanceof Y.AbstractType ? v.clone() : v
    if (from instanceof Y.Map) from.delete(at)
    else from.delete(at, 1)
    const inner = places[0] instanceof Y.XmlFragment ? children(places[0]).filter(c => c instanceof Y.XmlElement) : []
    put(rnd, rnd.pick([...places, ...inner]), again)
  })
}

export const subdocs = (rnd, doc) => {
  if (rnd.chance(0.4)) doc.getMap('m').set(rnd.pick(keys), subdocument(rnd))
  else if (rnd.chance(0.3)) doc.getArray('a').push([subdocument(rnd)])
  else rnd.pick([map, array])(rnd, doc)
}

// A root that each client takes for another type.
const odd = [doc => doc.getText('q'), doc => doc.getArray('q'), doc => doc.getMap('q'), doc => doc.getXmlFragment('q')]
export const confused = (rnd, doc) => {
  doc.odd ??= rnd.pick(odd)
  const type = doc.odd(doc)
  // What is in it may be nothing that such a type has, and its length is wrong.
  try { change(rnd, doc, type) } catch (e) { if (!(e instanceof TypeError) && !/length exceeded/i.test(e.message)) throw e }
}

export const mixed = (rnd, doc) => rnd.pick([plain, unicode, rich, array, map, xml, moves, subdocs, legacy, strange, typing])(rnd, doc)

// What an UndoManager may be told to watch, and to do.
const undoOf = (rnd, doc) => {
  const all = [doc.getText('t'), doc.getArray('a'), doc.getMap('m'), doc.getText('r'), doc.getXmlFragment('x')]
  const scope = rnd.pick([all, all, all, doc, rnd.shuffle(all).slice(0, 2), [...all, ...children(doc.getMap('m'))]])
  return new Y.UndoManager(scope, {
    captureTimeout: rnd.chance(0.5) ? 0 : 1e9,
    trackedOrigins: new Set(rnd.pick([[null], [null], [null, 'mine'], [null, 'mine', 'remote'], ['remote']])),
    ignoreRemoteMapChanges: rnd.chance(0.2),
    deleteFilter: rnd.chance(0.2) ? item => item.id.clock % 2 === 0 : () => true
  })
}

export const undo = (rnd, doc) => {
  doc.undo ??= undoOf(rnd, doc)
  const roll = rnd.next()
  if (roll < 0.32) doc.undo.undo() && count('step: undoes')
  else if (roll < 0.47) doc.undo.redo() && count('step: redoes')
  else if (roll < 0.5) doc.undo.stopCapturing()
  else doc.transact(() => rnd.pick([plain, array, map, rich, xml, moves])(rnd, doc), rnd.pick([null, null, null, 'mine', 'other']))
}

export const profiles = { plain, typing, unicode, rich, array, map, xml, moves, subdocs, legacy, confused, strange, mixed, undo }

// What is compared in another way, and so made only if it is asked for.
export const special = { cuts }
