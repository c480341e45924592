// Random values: what a document can hold, odd ones often.
import * as Y from 'yjs'

const letters = 'abcdefghij KLMNOP\n'
const astral = ['😀', '𝒳', 'é', 'ß', '漢', 'e\u0301', '👩‍👩‍👧', '\u0000', '"', '\\', '\ufffd', '\u2028', '\u007f', '<&>', '\uffff']

export const letter = rnd => letters[rnd.int(letters.length)]

export const word = (rnd, max = 8) => {
  let s = ''
  for (let n = 1 + rnd.int(max); n > 0; n--) s += letter(rnd)
  return s
}

export const unicodeWord = rnd => {
  let s = ''
  for (let n = 1 + rnd.int(5); n > 0; n--) s += rnd.chance(0.6) ? rnd.pick(astral) : word(rnd, 2)
  return s
}

export const keys = ['', 'a', 'b', 'c', 'key', '__proto__x', 'ключ', '0', '😀', 'length', 'constructor']
// With a constructor of its own, an object isn't one to Yjs.
const names = keys.slice(0, -1)

// Keys that objects in JavaScript have already, put in order, or don't take.
export const oddKeys = ['', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', '1', '01', '-1', '4294967294', '4294967295', '1e3', 'a b', '"', '<']

// Where the encodings of numbers change, and around it.
const numbers = [
  0, -0, 1, -1, 63, 64, -64, 127, 128, 8191, 8192, 2 ** 31 - 1, -(2 ** 31 - 1), 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 53, 2 ** 63,
  0.5, -0.25, 1 / 3, 16777217, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 3.4028234663852886e38, NaN, Infinity, -Infinity
]

const bigints = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, -500n]

const bytes = rnd => {
  const b = new Uint8Array(rnd.pick([0, 1, 3, 130]))
  for (let i = 0; i < b.length; i++) b[i] = rnd.int(256)
  return b
}

export const value = (rnd, depth = 0) => {
  switch (rnd.int(depth > 2 ? 11 : 13)) {
    case 0: return rnd.int(100) - 50
    case 1: return rnd.pick(numbers)
    case 2: return rnd.next() * 1e10
    case 3: return word(rnd)
    case 4: return unicodeWord(rnd)
    case 5: return rnd.chance(0.5)
    case 6: return null
    case 7: return undefined
    case 8: return rnd.chance(0.5) ? '' : bytes(rnd)
    case 9: return 2 ** 40 + rnd.int(5)
    case 10: return rnd.pick(bigints)
    case 11: {
      const list = []
      for (let n = rnd.int(4); n > 0; n--) list.push(value(rnd, depth + 1))
      return list
    }
    default: {
      const object = {}
      for (let n = rnd.int(4); n > 0; n--) object[rnd.pick(names)] = value(rnd, depth + 1)
      return object
    }
  }
}

// A value that is rare. (A list may hold undefined, bigint and holes, an object bytes.)
export const oddValue = (rnd, depth = 0) => rnd.pick([
  () => rnd.pick(['\ud83d', '\ude00', 'a\ud83d', '\r\n', '\u00a0', '\ufeff', '\u202e', '\0', '']),
  () => [undefined, null, , 1n, new Uint8Array([1, 2])], // eslint-disable-line no-sparse-arrays
  () => ({ a: undefined, b: new Uint8Array(3), c: [new Uint8Array(1)], 10: 1, 9: -0 }),
  () => depth < 3 ? { [rnd.pick(oddKeys.filter(key => !(key in {})))]: oddValue(rnd, depth + 1) } : {},
  () => rnd.pick([{ d: new Date(0) }, new Uint8Array([1, 2]), Math.fround(0.1), 16777216.5, 123456789.125, -(2 ** 53), 2 ** 53 + 2])
])()

// What a YText embed may hold: its bytes in version 1 are JSON, in version 2 not.
export const jsonValue = (rnd, depth = 0) => {
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

// Yjs refuses undefined and bigint directly in an array.
const direct = rnd => {
  const v = value(rnd)
  return v === undefined || typeof v === 'bigint' ? [v] : v
}

export const subdocument = rnd => {
  const opts = { guid: rnd.chance(0.1) ? '' : 'guid-' + rnd.int(1e6) }
  if (rnd.chance(0.3)) opts.gc = false
  if (rnd.chance(0.3)) opts.autoLoad = true
  if (rnd.chance(0.3)) opts.meta = rnd.chance(0.5) ? { tag: word(rnd) } : value(rnd, 2) ?? null
  return new Y.Doc(opts)
}

export const mark = rnd => rnd.pick([
  { bold: true }, { bold: null }, { bold: true, em: null }, { em: true }, { color: rnd.pick(['red', 'blue']) }, { link: { href: word(rnd) } }, { '': rnd.next() }, { data: jsonValue(rnd) }, { bold: false, color: null }
])

const marked = rnd => {
  const text = new Y.Text(word(rnd))
  text.format(0, 1 + rnd.int(3), mark(rnd))
  return text
}

const hook = rnd => {
  const x = new Y.XmlHook(rnd.pick(['hook', 'é']))
  if (rnd.chance(0.5)) x.set(rnd.pick(keys), value(rnd, 2))
  return x
}

const named = rnd => {
  const x = new Y.XmlElement(rnd.pick(['p', 'DIV', 'ß', 'a-b']))
  if (rnd.chance(0.5)) x.setAttribute(rnd.pick(['id', 'class', '']), rnd.chance(0.8) ? word(rnd) : rnd.int(9))
  if (rnd.chance(0.3)) x.insert(0, [node(rnd)])
  return x
}

// A new child of an XML fragment.
export const node = rnd => rnd.pick([named, named, rnd => new Y.XmlText(word(rnd)), hook, () => new Y.XmlElement(), rnd => rnd.chance(0.3) ? new Y.XmlFragment() : new Y.XmlText()])(rnd)

// A new shared type, sometimes with something in it.
export const shared = rnd => rnd.pick([
  () => new Y.Array(), () => Y.Array.from([1, 'two', word(rnd)]), () => new Y.Map([['k', value(rnd)]]), () => new Y.Text(word(rnd)), () => new Y.Map(),
  () => new Y.Text(), () => marked(rnd), () => node(rnd), () => new Y.Map([['in', Y.Array.from([new Y.Map([['deep', new Y.Text('x')]])])]])
])()

// What an array or a map may hold.
export const anything = rnd => rnd.pick([direct, direct, direct, bytes, shared, shared, rnd => rnd.chance(0.3) ? subdocument(rnd) : direct(rnd)])(rnd)
