// Random edits of every kind of content that Yjs has: text with formatting and
// embeds, maps, arrays, XML, types inside types, and every kind of plain value.

import * as Y from 'yjs'

const words = ['fjord', 'ø', '日本', '👩‍👩‍👧‍👦', '\u0000', 'a\r\nb', '', ' ', 'x'.repeat(200)]
const values = (random) => random.pick([
  null, true, false, 0, -0.5, 1e300, 2 ** 31, -(2 ** 53 - 1), 'text', '🧊', [1, [2, { three: 3 }]], { a: { b: [] } },
  new Uint8Array([0, 255, 128]), [1234567890123456789n, undefined, NaN, new Uint8Array([7])]
])
const key = (random) => 'k' + random.below(6)

/**
 * A place in the text, never inside a surrogate pair: no editor cuts there, and
 * Yjs replaces the halves by U+FFFD at some peers only.
 */
const place = (random, text, from = 0, to = text.length) => {
  const at = from + random.below(to - from + 1)
  const units = text.toDelta().map(({ insert }) => typeof insert === 'string' ? insert : ' ').join('')
  return /[\udc00-\udfff]/.test(units[at] ?? '') ? at + 1 : at
}

const editText = (random, text) => {
  const at = place(random, text)
  const length = place(random, text, at, Math.min(at + 4, text.length)) - at
  switch (random.below(6)) {
    case 0: case 1: return text.insert(at, random.pick(words))
    case 2: return text.insert(at, random.pick(words), { bold: true })
    case 3: return text.insertEmbed(at, { image: random.below(9) })
    case 4: return text.format(at, length, { [random.pick(['bold', 'color'])]: random.pick([true, null, '#123456']) })
    case 5: return text.delete(at, length)
  }
}

const editArray = (random, array) => {
  const at = random.below(array.length + 1)
  switch (random.below(4)) {
    case 0: return array.insert(at, [values(random), values(random)])
    case 1: return array.insert(at, [Y.Array.from([values(random)])])
    case 2: return array.insert(at, [new Y.Text(random.pick(words))])
    case 3: return array.delete(at, Math.min(random.below(3), array.length - at))
  }
}

const editMap = (random, map) => {
  switch (random.below(4)) {
    case 0: case 1: return map.set(key(random), values(random))
    case 2: return map.set(key(random), new Y.Map([[key(random), values(random)]]))
    case 3: return map.delete(key(random))
  }
}

const editXml = (random, xml) => {
  const at = random.below(xml.length + 1)
  switch (random.below(5)) {
    case 0: return xml.insert(at, [new Y.XmlElement(random.pick(['p', 'h1']))])
    case 1: return xml.insert(at, [new Y.XmlText(random.pick(words))])
    case 2: return xml.delete(at, Math.min(random.below(2), xml.length - at))
    case 3: case 4: {
      const child = xml.length > 0 ? xml.get(random.below(xml.length)) : undefined
      if (child instanceof Y.XmlElement) {
        child.setAttribute(key(random), random.pick(words))
        child.insert(0, [new Y.XmlText(random.pick(words))])
      } else child?.insert(0, random.pick(words), random.pick([undefined, { em: {} }]))
    }
  }
}

/** One to three random edits in one transaction, so in one update. */
export const edit = (random, doc) => doc.transact(() => {
  for (let n = random.below(3); n >= 0; n--) {
    switch (random.below(5)) {
      case 0: case 1: editText(random, doc.getText('text')); break
      case 2: editArray(random, doc.getArray('array')); break
      case 3: editMap(random, doc.getMap('map')); break
      case 4: editXml(random, doc.getXmlFragment('xml')); break
    }
  }
})
