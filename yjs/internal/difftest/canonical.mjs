// What yjs says about a document, as text that canonical.go writes too.
import * as Y from 'yjs'
import { count } from './census.mjs'

const bits = new DataView(new ArrayBuffer(8))

const number = n => {
  if (Number.isNaN(n)) return 'nan'
  bits.setFloat64(0, n)
  return '#' + bits.getBigUint64(0).toString(16)
}

// blur makes each surrogate pair two halves.
export const blur = text => text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, '\ufffd\ufffd')

const list = (open, parts, close) => open + parts.join(',') + close

const object = (o, f) => list('{', Object.keys(o).sort().map(k => canonical(k) + ':' + f(o[k])), '}')

export const canonical = v => {
  switch (typeof v) {
    case 'undefined': return 'undefined'
    case 'bigint': return v + 'n'
    case 'number': return number(v)
    case 'string': return JSON.stringify(v.toWellFormed())
    case 'object': return nested(v)
    default: return String(v)
  }
}

const options = ({ gc, autoLoad, meta }) => canonical([gc, autoLoad, meta])

// toString throws on what has no toString: null and undefined among XML nodes.
const string = v => {
  try { return canonical(v.toString()) } catch { return 'throws' }
}

const delta = t => list('[', t.toDelta().map(op => {
  if (op.attributes !== undefined) count('read: formats')
  if (typeof op.insert !== 'string') count('read: embed')
  return canonical(op.insert) + (op.attributes === undefined ? '' : object(op.attributes, canonical))
}), ']')

const children = v => list('[', v.toArray().map(canonical), ']')

const entries = v => object(Object.fromEntries(v.entries()), canonical)

const nested = v => {
  if (v instanceof Y.Doc || v instanceof Y.AbstractType && v._start !== null || v instanceof Y.AbstractType && v._map.size > 0) count('read: ' + v.constructor.name)
  if (v === null) return 'null'
  if (Array.isArray(v)) return list('[', v.map(canonical), ']')
  if (v instanceof Uint8Array) return list('b(', [...v], ')')
  if (v instanceof Y.Doc) return 'doc(' + canonical(v.guid) + ',' + options(v) + ')'
  if (v instanceof Y.XmlElement) return 'element(' + [canonical(v.nodeName), object(v.getAttributes(), canonical), children(v), string(v)].join() + ')'
  if (v instanceof Y.XmlHook) return 'hook(' + canonical(v.hookName) + ',' + entries(v) + ')'
  if (v instanceof Y.XmlText) return 'xmltext(' + [delta(v), string(v), object(v.getAttributes(), canonical)].join() + ')'
  if (v instanceof Y.XmlFragment) return 'fragment(' + children(v) + ',' + string(v) + ')'
  if (v instanceof Y.Text) return 'text(' + [delta(v), string(v), v.length, object(v.getAttributes(), canonical)].join() + ')'
  if (v instanceof Y.Array) return 'array(' + [children(v), v.length, canonical(v.toJSON())].join() + ')'
  if (v instanceof Y.Map) return 'map(' + entries(v) + ',' + v.size + ',' + canonical(v.toJSON()) + ')'
  return object(v, canonical)
}

export const kinds = { text: Y.Text, array: Y.Array, map: Y.Map, fragment: Y.XmlFragment, element: Y.XmlElement, xmltext: Y.XmlText }
