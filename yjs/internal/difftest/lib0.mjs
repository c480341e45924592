// The oracle for lib0: one JSON request per line on stdin, one JSON answer per line
// on stdout. Bytes travel as base64, values as canonical.mjs writes them.
//
//   {op: "make", seed, n} → [{any, value, json}…] random values, written
//   {op: "read", anys: [b64…]} → [{any, value, json}…] what the anys read, and written again
import { createInterface } from 'node:readline'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { canonical } from './canonical.mjs'
import { Random } from './random.mjs'
import { value } from './values.mjs'

// sorted sets the keys of all objects one after the other in ascending order: Go's
// maps know no other.
const sorted = v => {
  if (Array.isArray(v)) return v.map(sorted)
  if (v === null || typeof v !== 'object' || v instanceof Uint8Array) return v
  return Object.fromEntries(Object.keys(v).sort().map(k => [k, sorted(v[k])]))
}

// Objects with many keys, some of them numbers, which JavaScript puts first.
const wide = rnd => {
  const object = {}
  for (let n = rnd.int(30); n > 0; n--) {
    object[rnd.pick(['', '0', '01', '-1', '1e3', '4294967294', '4294967295', '\ue000', '\u{10000}', 'é', rnd.int(2000).toString(), 'k' + rnd.int(50)])] = value(rnd, 1)
  }
  return object
}

const plain = v => {
  if (Array.isArray(v)) return v.map(plain)
  if (v === null || typeof v !== 'object') return v
  if (v instanceof Uint8Array) return Buffer.from(v).toString('base64')
  return Object.fromEntries(Object.keys(v).map(k => [k, plain(v[k])]))
}

// json is empty where JSON.stringify throws: on a bigint.
const json = v => {
  try { return JSON.stringify(plain(v)) ?? 'null' } catch { return '' }
}

const written = v => ({ any: Buffer.from(encoding.encode(e => encoding.writeAny(e, v))).toString('base64'), value: canonical(v), json: json(v) })

const make = ({ seed, n }) => Array.from({ length: n }, (_, i) => {
  const rnd = new Random(seed, i)
  return written(sorted(rnd.chance(0.2) ? wide(rnd) : value(rnd)))
})

const read = ({ anys }) => anys.map(s => {
  const decoder = decoding.createDecoder(new Uint8Array(Buffer.from(s, 'base64')))
  const v = decoding.readAny(decoder)
  if (decoding.hasContent(decoder)) throw new Error('bytes are left of ' + s)
  return written(v)
})

const ops = { make, read }

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const request = JSON.parse(line)
  process.stdout.write(JSON.stringify(ops[request.op](request)) + '\n')
}
