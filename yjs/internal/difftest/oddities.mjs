// What few programs do, and yjs lets them.
import * as Y from 'yjs'
import { anything, keys, mark, oddKeys, oddValue, shared, subdocument, unicodeWord, word } from './values.mjs'

// Surrogate pairs are cut and put together anywhere, as by an editor that compares
// strings unit by unit. (A high half by itself isn't put in: behind one, yjs spoils
// what the author has, where it cuts there.)
export const cuts = (rnd, doc) => {
  const t = doc.getText(rnd.pick(['t', 'r']))
  const at = rnd.int(t.length + 1)
  const left = t.length - at
  switch (left > 0 ? rnd.int(6) : 5) {
    case 0: return t.delete(at, 1 + rnd.int(left))
    case 1: return t.delete(at, 1)
    case 2: return t.format(at, 1 + rnd.int(left), mark(rnd))
    case 3: return t.insert(at, rnd.pick(['\ude00', '\ude00b', 'a\ude00']))
    default: return t.insert(at, rnd.pick(['😀', '😀😀', 'a😀', '𝒳', 'b']))
  }
}

// Content of kind JSON, which Yjs reads but hasn't written since version 13.0: in an
// array, and as the value of a key.
export const legacy = (rnd, doc) => {
  const a = doc.getArray('a')
  const m = doc.getMap('m')
  if (rnd.chance(0.4)) return a.insert(rnd.int(a.length + 1), [anything(rnd)])
  if (rnd.chance(0.2)) return m.set(rnd.pick(keys), anything(rnd))
  if (a.length > 0 && rnd.chance(0.2)) return a.delete(rnd.int(a.length), 1)
  doc.transact(tr => {
    const id = Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID))
    const values = [1, 2, 3].slice(rnd.int(3)).map(() => rnd.pick([undefined, null, -0, 1e21, word(rnd), unicodeWord(rnd), { a: [1], 10: 2, 9: null }, [[]], 0.1]))
    if (rnd.chance(0.3)) {
      const key = rnd.pick(keys)
      const left = m._map.get(key) ?? null
      return new Y.Item(id, left, left && left.lastId, null, null, m, key, new Y.ContentJSON(values.slice(0, 1))).integrate(tr, 0)
    }
    let left = null
    let right = a._start
    for (let n = rnd.int(6); n > 0 && right !== null; n--) [left, right] = [right, right.right]
    a._searchMarker = [] // which Yjs would have moved
    new Y.Item(id, left, left && left.lastId, right, right && right.id, a, null, new Y.ContentJSON(values)).integrate(tr, 0)
  })
}

// What is in a type as another type, under keys too.
const inside = type => [
  ...(type instanceof Y.Map ? type.values() : type instanceof Y.Text ? type.toDelta().map(op => op.insert) : type.toArray()),
  ...(type instanceof Y.XmlElement || type instanceof Y.Text ? Object.values(type.getAttributes()) : [])
].filter(v => v instanceof Y.AbstractType)

// Under __proto__, yjs takes the keys of an object for keys of the type.
const odd = (rnd, key) => key === '__proto__' ? rnd.pick([1, 'x', true]) : rnd.pick([oddValue, oddValue, shared, shared, subdocument])(rnd)

// Odd keys, odd values, and types of every kind in types of every kind.
export const strange = (rnd, doc) => {
  let type = rnd.pick([() => doc.getXmlFragment('x'), () => doc.getText('r'), () => doc.getArray('a'), () => doc.getMap('m')])()
  for (let depth = 0; depth < 4 && rnd.chance(0.6); depth++) type = rnd.pick([...inside(type), type])
  const key = rnd.pick(oddKeys)
  if (type instanceof Y.Map) return rnd.chance(0.2) ? type.delete(key) : type.set(key, odd(rnd, key))
  const at = rnd.int(type.length + 1)
  if (at < type.length && rnd.chance(0.2)) return type.delete(at, 1)
  if ((type instanceof Y.Text || type instanceof Y.XmlElement) && rnd.chance(0.3)) return rnd.chance(0.2) ? type.removeAttribute(key) : type.setAttribute(key, odd(rnd, key))
  if (type instanceof Y.Array) return type.insert(at, [oddValue(rnd), odd(rnd)])
  if (type instanceof Y.XmlFragment) return type.insert(at, [shared(rnd), rnd.pick([word, subdocument, shared])(rnd)])
  // What objects inherit, yjs takes for a format that is asked for; numbers it asks for first.
  const name = key in {} || /^[1-9]/.test(key) ? '' : key
  const format = { [name]: rnd.pick([true, null, 'x', '', 0, false, NaN, 'é"<>&', new Date(0), [1, 'x'], { 10: 1, 9: null, u: [1] }, new Uint8Array(2)]) }
  switch (rnd.int(4)) {
    case 0: return type.insertEmbed(at, rnd.pick([[], 5, true, 2 ** 60, { x: NaN, y: undefined, z: -0 }, { d: new Date(0), u: new Uint8Array(2) }, shared(rnd)]), format)
    case 1: return at < type.length && type.format(at, 1, format)
    default: return type.insert(at, rnd.pick(['\r\n', '\r', 'a\r\nb', '\t', '\ufeff', '\u200b', '\0', '<b>&"']), rnd.chance(0.5) ? format : undefined)
  }
}
