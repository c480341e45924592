// The oracle: one JSON request per line on stdin, one JSON answer per line on
// stdout. Bytes travel as base64.
//
//   {op: "make", seeds: [n…]}       → [{seed, name, phases: [{updates, v2, vectors}]}…]
//   {op: "check", programs: [{seed, phases: [result…]}…]} → [{seed, errors}…]
//   {op: "accepts", sessions: [[b64…]…]} → ["" or why a Yjs client that gets these
//                                          updates in turn can't load them…]
//   {op: "acceptsV2", updates: [b64…]} → ["" or why yjs can't read this as version 2…]
//   {op: "collected", pairs: [{before, after}…]} → [{errors, size}…]: how replicas made from the two
//                                          states differ, and how large yjs encodes the first one
//   {op: "text", update, name} → what the root text of a name reads
import { createInterface } from 'node:readline'
import * as Y from 'yjs'
import { checkProgram, load, sameReplica } from './check.mjs'
import { makeProgram } from './program.mjs'

const b64 = bytes => Buffer.from(bytes).toString('base64')
const bytes = s => new Uint8Array(Buffer.from(s, 'base64'))

const made = new Map()

const make = ({ seeds }) => seeds.map(seed => {
  const program = makeProgram(seed)
  made.set(seed, program)
  return { seed, name: program.name, phases: program.phases.map(p => ({ updates: p.updates.map(b64), v2: p.v2.map(b64), vectors: p.vectors.map(b64) })) }
})

const check = ({ programs }) => programs.map(({ seed, phases }) => {
  const program = made.get(seed)
  made.delete(seed)
  const results = phases.map(p => ({
    state: bytes(p.state),
    vector: bytes(p.vector),
    diffs: p.diffs.map(bytes),
    stateV2: bytes(p.stateV2),
    singles: p.singles.map(s => ({ diff: bytes(s.diff), vector: bytes(s.vector), v1: bytes(s.v1) })),
    merged: bytes(p.merged)
  }))
  try {
    return { seed, errors: checkProgram(program, results) }
  } catch (e) {
    return { seed, errors: ['oracle threw: ' + e.stack] }
  }
})

const accepts = ({ sessions }) => sessions.map(updates => {
  try {
    const doc = new Y.Doc()
    for (const u of updates) Y.applyUpdate(doc, bytes(u))
    Y.applyUpdate(new Y.Doc(), Y.encodeStateAsUpdate(doc))
    return ''
  } catch (e) {
    return e.stack
  }
})

const acceptsV2 = ({ updates }) => updates.map(u => {
  try {
    Y.applyUpdateV2(new Y.Doc(), bytes(u))
    Y.convertUpdateFormatV2ToV1(bytes(u))
    return ''
  } catch (e) {
    return e.stack
  }
})

const collected = ({ pairs }) => pairs.map(({ before, after }) => {
  const want = load([bytes(before)])
  return { errors: sameReplica('collected', load([bytes(after)]), want), size: Y.encodeStateAsUpdate(want).length }
})

const text = ({ update, name }) => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, bytes(update))
  return doc.getText(name).toString()
}

const ops = { make, check, accepts, acceptsV2, collected, text }

// Subdocuments that a program makes twice are of no interest here.
console.error = () => {}
console.warn = () => {}
console.log = () => {}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const request = JSON.parse(line)
  process.stdout.write(JSON.stringify(ops[request.op](request)) + '\n')
}
