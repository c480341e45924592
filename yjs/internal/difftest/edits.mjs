// Random edits, one function per profile. Each changes a document once, inside
// a transaction of its own or its caller's.
import * as Y from 'yjs'

const letters = 'abcdefghij KLMNOP\n'
const astral = ['😀', '𝒳', 'é', 'ß', '漢', 'e\u0301', '👩‍👩‍👧', '\u0000', '"', '\\', '\ufffd']

const word = (rnd, max = 8) => {
  let s = ''
  for (let n = 1 + rnd.int(max); n > 0; n--) s += letters[rnd.int(letters.length)]
  return s
}

const unicodeWord = rnd => {
  let s = ''
  for (let n = 1 + rnd.int(5); n > 0; n--) s += rnd.chance(0.6) ? rnd.pick(astral) : word(rnd, 2)
  return s
}

const keys = ['', 'a', 'b', 'c', 'key', '__proto__x', 'ключ', '0']

const value = (rnd, depth = 0) => {
  switch (rnd.int(depth > 2 ? 11 : 13)) {
    case 0: return rnd.int(100) - 50
    case 1: return rnd.next() * 1e10
    case 2: return 0.5
    case 3: return word(rnd)
    case 4: return unicodeWord(rnd)
    case 5: return rnd.chance(0.5)
    case 6: return null
    case 7: return undefined
    case 8: return -0
    case 9: return 2 ** 40 + rnd.int(5)
    case 10: return BigInt(rnd.int(1000)) - 500n
    case 11: {
      const list = []
      for (let n = rnd.int(4); n > 0; n--) list.push(value(rnd, depth + 1))
      return list
    }
    default: {
      const object = {}
      for (let n = rnd.int(4); n > 0; n--) object[rnd.pick(keys)] = value(rnd, depth + 1)
      return object
    }
  }
}

// What a YText embed may hold: its bytes in version 1 are JSON, in version 2 not.
const jsonValue = (rnd, depth = 0) => {
  const object = {}
  for (let n = 1 + rnd.int(4); n > 0; n--) {
    object[rnd.pick(['image', 'b', 'a', '10', '9', '', 'é'])] = rnd.pick([
      () => word(rnd), () => unicodeWord(rnd) + '\u001f\u2028\b', () => rnd.int(1e6) - 5e5, () => rnd.next(), () => 0.5, () => 1e21 * rnd.next(),
      () => 1e-7 * rnd.next(), () => 2 ** 31, () => 2 ** 53, () => null, () => true, () => [1, [], {}, null],
      () => depth < 3 ? jsonValue(rnd, depth + 1) : []
    ])()
  }
  return object
}

// A position that a surrogate pair doesn't straddle. Two halves that were put in
// apart make Yjs itself diverge.
const outside = (s, at) => at > 0 && at < s.length && s.codePointAt(at - 1) > 0xffff ? at - 1 : at

const position = (rnd, s) => outside(s, rnd.chance(0.4) ? s.length : rnd.int(s.length + 1))

const remove = (rnd, type, s) => {
  if (s.length === 0) return
  const from = position(rnd, s)
  const to = outside(s, Math.min(s.length, from + 1 + rnd.int(6)))
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
    t.insert(at, letters[rnd.int(letters.length)])
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

const mark = rnd => rnd.pick([{ bold: true }, { bold: null }, { color: rnd.pick(['red', 'blue']) }, { link: { href: word(rnd) } }, { '': rnd.next() }, { data: jsonValue(rnd) }])

export const rich = (rnd, doc, type = doc.getText('r')) => {
  const s = flat(type)
  switch (rnd.int(6)) {
    case 0: return remove(rnd, type, s)
    case 1: return type.insert(position(rnd, s), word(rnd), mark(rnd))
    case 2: return type.insertEmbed(position(rnd, s), jsonValue(rnd), rnd.chance(0.5) ? mark(rnd) : {})
    case 3: {
      const from = position(rnd, s)
      const to = outside(s, from + 1 + rnd.int(s.length - from))
      if (from < to && to <= s.length) type.format(from, to - from, mark(rnd))
      return
    }
    case 4: return type.applyDelta([{ retain: position(rnd, s) }, { insert: word(rnd), attributes: mark(rnd) }].filter(op => op.retain !== 0))
    default: return type.insert(position(rnd, s), rnd.chance(0.2) ? unicodeWord(rnd) : word(rnd))
  }
}

// A new shared type, sometimes with something in it.
const shared = rnd => rnd.pick([
  () => new Y.Array(), () => Y.Array.from([1, 'two', word(rnd)]), () => new Y.Map([['k', value(rnd)]]), () => new Y.Text(word(rnd)), () => new Y.Map()
])()

// Yjs refuses undefined and bigint directly in an array.
const direct = rnd => {
  const v = value(rnd)
  return v === undefined || typeof v === 'bigint' ? [v] : v
}

const anything = rnd => rnd.pick([
  () => direct(rnd), () => direct(rnd), () => direct(rnd), () => new Uint8Array([1, 2, rnd.int(256)]), () => shared(rnd)
])()

// A random child of a type of some kind, or the type itself.
const descend = (rnd, type, kind) => {
  for (let depth = 0; depth < 3 && rnd.chance(0.5); depth++) {
    const children = (type instanceof Y.Map ? [...type.values()] : type.toArray()).filter(c => c instanceof kind)
    if (children.length === 0) break
    type = rnd.pick(children)
  }
  return type
}

export const array = (rnd, doc) => {
  const a = descend(rnd, doc.getArray('a'), Y.Array)
  if (rnd.chance(0.7)) {
    const list = []
    for (let n = 1 + rnd.int(4); n > 0; n--) list.push(anything(rnd))
    a.insert(rnd.int(a.length + 1), list)
  } else if (a.length > 0) {
    const from = rnd.int(a.length)
    a.delete(from, 1 + rnd.int(Math.min(3, a.length - from)))
  }
}

export const map = (rnd, doc) => {
  const m = descend(rnd, doc.getMap('m'), Y.Map)
  if (rnd.chance(0.75)) m.set(rnd.pick(keys), rnd.chance(0.1) ? undefined : anything(rnd))
  else m.delete(rnd.pick(keys))
}

const element = rnd => rnd.pick([() => new Y.XmlElement(rnd.pick(['p', 'div', 'ß'])), () => new Y.XmlText(word(rnd)), () => new Y.XmlHook('hook'), () => new Y.XmlElement()])()

export const xml = (rnd, doc) => {
  const x = descend(rnd, doc.getXmlFragment('x'), Y.XmlElement)
  const children = x.toArray()
  const texts = children.filter(c => c instanceof Y.XmlText)
  switch (rnd.int(5)) {
    case 0:
      if (x instanceof Y.XmlElement) return x.setAttribute(rnd.pick(['id', 'class', '']), word(rnd))
    // falls through: the root has no attributes
    case 1: case 2: return x.insert(rnd.int(x.length + 1), [element(rnd)])
    case 3: return texts.length > 0 ? rich(rnd, doc, rnd.pick(texts)) : undefined
    default: if (x.length > 0) x.delete(rnd.int(x.length), 1)
  }
}

export const subdocs = (rnd, doc) => {
  const m = doc.getMap('m')
  if (rnd.chance(0.6)) {
    const opts = { guid: 'guid-' + rnd.int(1e6) }
    if (rnd.chance(0.3)) opts.gc = false
    if (rnd.chance(0.3)) opts.autoLoad = true
    if (rnd.chance(0.3)) opts.meta = { tag: word(rnd) }
    m.set(rnd.pick(keys), new Y.Doc(opts))
  } else map(rnd, doc)
}

// Content of kind JSON, which Yjs reads but hasn't written since version 13.0.
export const legacy = (rnd, doc) => {
  const a = doc.getArray('a')
  if (rnd.chance(0.5)) return array(rnd, doc)
  doc.transact(tr => {
    let left = null
    for (let item = a._start; item !== null; item = item.right) left = item
    const list = []
    for (let n = 1 + rnd.int(4); n > 0; n--) list.push(rnd.pick([undefined, null, 1, word(rnd), { a: [1] }]))
    const id = Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID))
    new Y.Item(id, left, left && left.lastId, null, null, a, null, new Y.ContentJSON(list)).integrate(tr, 0)
  })
}

export const mixed = (rnd, doc) => rnd.pick([plain, unicode, rich, array, map, xml, subdocs, legacy, typing])(rnd, doc)

export const undo = (rnd, doc) => {
  doc.undo ??= new Y.UndoManager([doc.getText('t'), doc.getArray('a'), doc.getMap('m'), doc.getText('r')], { captureTimeout: rnd.chance(0.5) ? 0 : 1e9 })
  if (rnd.chance(0.25)) doc.undo.undo()
  else if (rnd.chance(0.15)) doc.undo.redo()
  else rnd.pick([plain, array, map, rich])(rnd, doc)
}

export const profiles = { plain, typing, unicode, rich, array, map, xml, subdocs, legacy, mixed, undo }
