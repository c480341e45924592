// The oracle: one JSON request per line on stdin, one JSON answer per line on
// stdout. Bytes travel as base64.
//
//   {op: "make", specs: [{seed}…]} → [{id, name, steps, sent, phases: [{updates, v2, vectors}]}…]
//                                     makes programs: see program.mjs
//   {op: "keep", spec}             → a program whole, for
//   {op: "load", programs}         → as make, of programs that were kept
//   {op: "check", programs: [{id, phases: [result…]}…]} → [{id, errors, read}…] of what
//                                     was made or loaded last: see check.mjs
//   {op: "accepts", sessions: [[b64…]…]} → ["" or why a Yjs client that gets these
//                                          updates in turn can't load them…]
//   {op: "acceptsV2", updates: [b64…]} → ["" or why yjs can't read this as version 2…]
//   {op: "collected", pairs: [{before, after, diffs}…]} → [{errors, size}…]: how replicas made from the two
//                                          states differ, and how large yjs encodes the first one;
//                                          the n-th pair's diffs go to those who are behind at the
//                                          end of the n-th program that was made last
//   {op: "sessions", length} → [{name, updates}…]: see sessions.mjs
//   {op: "text", update, name} → what the root text of a name reads
//   {op: "census"} → {what: how often it was made or compared since the last census…}
import { createInterface } from 'node:readline'
import './crypto.mjs'
import * as Y from 'yjs'
import { census } from './census.mjs'
import { checkProgram, load as loaded, sameReplica } from './check.mjs'
import { makeProgram, toV2 } from './program.mjs'
import { sessions } from './sessions.mjs'

const b64 = bytes => Buffer.from(bytes).toString('base64')
const bytes = s => new Uint8Array(Buffer.from(s, 'base64'))

const made = new Map()

// known is a program with what the engine needs of it.
const known = (id, program) => {
  made.set(id, program)
  return { id, name: program.name, steps: program.steps, sent: program.sent, phases: program.phases.map(p => ({ updates: p.updates.map(b64), v2: p.v2.map(b64), vectors: p.vectors.map(b64) })) }
}

const make = ({ specs }) => specs.map((spec, id) => known(id, makeProgram(spec)))

// keep is a program whole, as load takes it again.
const keep = ({ spec }) => {
  const { name, phases } = makeProgram(spec)
  return {
    name,
    phases: phases.map(p => ({
      updates: p.updates.map(b64),
      vectors: p.vectors.map(b64),
      behind: p.behind.map(({ state, vector }) => ({ state: b64(state), vector: b64(vector) }))
    }))
  }
}

const load = ({ programs }) => programs.map(({ name, phases }, id) => known(id, {
  name,
  phases: phases.map(p => {
    const updates = p.updates.map(bytes)
    return {
      updates,
      v2: toV2(updates),
      vectors: p.vectors.map(bytes),
      behind: p.behind.map(({ state, vector }) => ({ state: bytes(state), vector: bytes(vector) }))
    }
  })
}))

const check = ({ programs }) => programs.map(({ id, phases }) => {
  const program = made.get(id)
  made.delete(id)
  const results = phases.map(p => ({
    state: bytes(p.state),
    vector: bytes(p.vector),
    diffs: p.diffs.map(bytes),
    diffsV2: p.diffsV2.map(bytes),
    stateV2: bytes(p.stateV2),
    singles: p.singles.map(s => ({ diff: bytes(s.diff), vector: bytes(s.vector), v1: bytes(s.v1) })),
    merged: bytes(p.merged),
    roots: p.roots,
    waits: p.waits
  }))
  try {
    return { id, ...checkProgram(program, results) }
  } catch (e) {
    return { id, errors: ['oracle threw: ' + e.stack] }
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

// A few bytes of version 2 can say that there are 2^50 structs.
class Patient extends Y.UpdateDecoderV2 {
  structs = 0

  readInfo () {
    if (++this.structs > 100000) throw new Error('more structs than anybody would wait for')
    return super.readInfo()
  }
}

const acceptsV2 = ({ updates }) => updates.map(u => {
  try {
    Y.applyUpdateV2(new Y.Doc(), bytes(u), null, Patient)
    Y.convertUpdateFormatV2ToV1(bytes(u))
    return ''
  } catch (e) {
    return e.stack
  }
})

const collected = ({ pairs }) => pairs.map(({ before, after, diffs = [] }, id) => {
  const want = loaded([bytes(before)])
  const errors = sameReplica('collected', loaded([bytes(after)]), want)
  made.get(id)?.phases.at(-1).behind.forEach(({ state }, k) => {
    errors.push(...sameReplica(`behind ${k}`, loaded([state, bytes(diffs[k])]), loaded([state, bytes(before)])))
  })
  return { errors, size: Y.encodeStateAsUpdate(want).length }
})

const text = ({ update, name }) => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, bytes(update))
  return doc.getText(name).toString()
}

const sessionsMade = ({ length }) => sessions(length).map(({ name, updates }) => ({ name, updates: updates.map(b64) }))

const ops = { make, keep, load, check, accepts, acceptsV2, collected, sessions: sessionsMade, text, census }

// Subdocuments that a program makes twice are of no interest here.
console.error = () => {}
console.warn = () => {}
console.log = () => {}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const request = JSON.parse(line)
  process.stdout.write(JSON.stringify(ops[request.op](request)) + '\n')
}
