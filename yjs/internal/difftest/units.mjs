// Units are an update taken apart clock by clock, so that it doesn't matter how
// structs are split or joined: "client:clock" → what stands there.
import * as Y from 'yjs'
import { count } from './census.mjs'

export const canonical = v => {
  switch (typeof v) {
    case 'undefined': return 'undefined'
    case 'bigint': return v + 'n'
    case 'number': return Object.is(v, -0) ? '-0' : String(v)
    case 'object': {
      if (v === null) return 'null'
      if (Array.isArray(v)) return '[' + v.map(canonical).join() + ']'
      if (v instanceof Uint8Array) return 'bytes(' + v.join() + ')'
      return '{' + Object.keys(v).sort().map(k => JSON.stringify(k) + ':' + canonical(v[k])).join() + '}'
    }
    default: return JSON.stringify(v)
  }
}

const id = x => x === null || x === undefined ? '-' : x.client + '.' + x.clock

// What is odd about a value, if anything.
const oddity = v => {
  switch (typeof v) {
    case 'undefined': case 'bigint': return typeof v
    case 'number':
      if (Object.is(v, -0)) return '-0'
      if (!Number.isFinite(v)) return Number.isNaN(v) ? 'NaN' : 'infinite'
      return Number.isInteger(v) ? (Math.abs(v) > 2 ** 31 ? 'beyond 32 bits' : null) : 'fraction'
    case 'string': return v === '' ? 'empty string' : null
    case 'object': return v === null ? 'null' : Array.isArray(v) ? 'list' : v instanceof Uint8Array ? null : 'object'
    default: return null
  }
}

// counted notes what structs are about.
const counted = structs => {
  for (const { constructor: kind, content, parentSub, parent, origin } of structs) {
    if (content === undefined) {
      count('content: ' + kind.name)
      continue
    }
    count('content: ' + content.constructor.name.slice('Content'.length))
    if (parentSub === '') count('odd: empty key')
    if (parent === '') count('odd: empty root name')
    if (origin === null && parent === null) count('content without a left neighbour')
    if (content instanceof Y.ContentType) count('type: ' + content.type.constructor.name)
    if (content instanceof Y.ContentFormat) count(content.value === null ? 'format: ends' : 'format: begins')
    if (content instanceof Y.ContentString) {
      if (/[\ud800-\udbff]/.test(content.str)) count('odd: surrogate pair')
      if (/^\ufffd|\ufffd$/.test(content.str)) count('odd: half a pair')
    }
    if (content instanceof Y.ContentAny) {
      for (const v of content.arr) {
        const odd = oddity(v)
        if (odd !== null) count('odd: ' + odd)
      }
    }
    if (content instanceof Y.ContentDoc && Object.keys(content.opts).length > 0) count('odd: subdocument with options')
  }
}

const contents = content => {
  switch (content.constructor) {
    case Y.ContentString: return content.str.split('').map(c => 'str ' + c.charCodeAt(0))
    case Y.ContentAny: return content.arr.map(v => 'any ' + canonical(v))
    case Y.ContentJSON: return content.arr.map(v => 'json ' + canonical(v))
    case Y.ContentBinary: return ['bin ' + canonical(content.content)]
    case Y.ContentEmbed: return ['embed ' + canonical(content.embed)]
    case Y.ContentFormat: return ['format ' + content.key + ' ' + canonical(content.value)]
    case Y.ContentType: return ['type ' + content.type.constructor.name + ' ' + (content.type.nodeName ?? '') + (content.type.hookName ?? '')]
    case Y.ContentDeleted: return new Array(content.len).fill('deleted')
    default: return ['doc ' + content.doc.guid + ' ' + canonical(content.opts)]
  }
}

// unitsOf returns the units of structs. A unit may be there only once.
export const unitsOf = structs => {
  const units = new Map()
  const put = (key, unit) => {
    if (units.has(key)) throw new Error(key + ' is encoded twice')
    units.set(key, unit)
  }
  for (const s of structs) {
    if (s.constructor === Y.Skip) continue
    const client = s.id.client + ':'
    if (s.constructor === Y.GC) {
      for (let i = 0; i < s.length; i++) put(client + (s.id.clock + i), 'gc')
      continue
    }
    const each = contents(s.content)
    const origin = id(s.origin)
    const right = ' ' + id(s.rightOrigin) + ' '
    const parent = origin === '-' && right === ' - ' ? (typeof s.parent === 'string' ? JSON.stringify(s.parent) : id(s.parent)) + '/' + JSON.stringify(s.parentSub) : ''
    put(client + s.id.clock, origin + right + parent + ' ' + each[0])
    for (let i = 1; i < s.length; i++) put(client + (s.id.clock + i), s.id.client + '.' + (s.id.clock + i - 1) + right + ' ' + each[i])
  }
  return units
}

const half = unit => {
  const m = /str (\d+)$/.exec(unit)
  return m !== null && (+m[1] === 0xfffd || (+m[1] >= 0xd800 && +m[1] < 0xe000))
}

// sameUnit allows U+FFFD for half of a surrogate pair.
export const sameUnit = (a, b) => a === b || (half(a) && half(b) && a.replace(/\d+$/, '') === b.replace(/\d+$/, ''))

// Forms is every form in which each unit was delivered, and all deletes.
export class Forms {
  constructor () {
    this.units = new Map()
    this.deletes = new Ranges()
  }

  add (update) {
    const { structs, ds } = Y.decodeUpdate(update)
    counted(structs)
    for (const [key, unit] of unitsOf(structs)) {
      const known = this.units.get(key)
      if (known === undefined) this.units.set(key, [unit])
      else if (!known.includes(unit)) known.push(unit)
    }
    this.deletes.addSet(ds)
  }

  // The contiguous prefix of each client.
  vector () {
    const vector = new Map()
    for (const key of this.units.keys()) {
      const client = +key.slice(0, key.indexOf(':'))
      if (vector.has(client) || !this.units.has(client + ':0')) continue
      let clock = 0
      while (this.units.has(client + ':' + clock)) clock++
      vector.set(client, clock)
    }
    return vector
  }
}

// Ranges is a set of (client, clock).
export class Ranges {
  constructor () { this.set = new Set() }

  addSet (ds) {
    ds.clients.forEach((ranges, client) => {
      for (const r of ranges) for (let i = 0; i < r.len; i++) this.set.add(client + ':' + (r.clock + i))
    })
    return this
  }

  differs (other) {
    for (const k of this.set) if (!other.set.has(k)) return 'lacks ' + k
    for (const k of other.set) if (!this.set.has(k)) return 'has ' + k
    return null
  }
}

export const rangesOf = ds => new Ranges().addSet(ds)
