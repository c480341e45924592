// The oracle: one JSON request per line on stdin, one JSON answer per line on
// stdout. Bytes travel as base64.
//
//   {op: "make", seeds}                           → [{name, updates, late}…] random sessions
//   {op: "read", documents: [{update, roots: [[[name, kind]…]…]}…]}
//                                                 → [{views: [[text…]…], snapshot} or {error}…]
//   {op: "edit", sessions: [{state, client, edits: [[action…]…], roots, mine: [update…],
//                            places: [{root, path, index, assoc}…], positions: [bytes…]}…]}
//                                                 → [{updates, views, applied, snapshot,
//                                                     positions: [bytes…], places: [text…], undone: [[text…]…]} or {error}…]
//        what Yjs makes of the edits, and what a document reads to which mine, the
//        updates of the same edits, were applied; then the places as positions, and
//        where the positions are; and, of every third, what both read when Yjs has
//        undone the edits
//   {op: "scene", step, …}                         → one step of a scenario: see scene.mjs
//   {op: "history", seeds}                        → [{name, state, moments: [{snapshot, views}…]}…]
import { createInterface } from 'node:readline'
import * as Y from '../../internal/difftest/node_modules/yjs/dist/yjs.mjs'
import { makeProgram } from '../../internal/difftest/program.mjs'
import { natural } from '../../internal/difftest/check.mjs'
import { blur, canonical, kinds } from '../../internal/difftest/canonical.mjs'
import { edit as editDoc, find } from './edits.mjs'
import { scene } from './scene.mjs'

const b64 = bytes => Buffer.from(bytes).toString('base64')
const bytes = s => new Uint8Array(Buffer.from(s, 'base64'))

const make = ({ seeds }) => seeds.map(seed => {
  const { name, phases } = makeProgram({ seed })
  const [updates, late] = [0, 1].map(i => (phases[i]?.updates ?? []).map(b64))
  return { name, updates, late }
})

const load = update => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, bytes(update))
  return doc
}

const view = (doc, [name, kind]) => canonical(doc.get(name, kinds[kind]))

const read = ({ documents }) => documents.map(({ update, roots }) => {
  try {
    const views = roots.map(each => { const doc = load(update); return each.map(root => view(doc, root)) })
    return { views, snapshot: b64(Y.encodeSnapshot(Y.snapshot(load(update)))) }
  } catch (e) {
    return { error: e.stack }
  }
})

// A text that is asked for after the document was loaded has lost the knowledge
// that there are marks in it, and then counts formats wrongly.
const loadAs = (update, roots) => {
  const doc = new Y.Doc()
  roots.forEach(([name, kind]) => doc.get(name, kinds[kind]))
  Y.applyUpdate(doc, bytes(update))
  return doc
}

const position = (doc, { index, assoc, ...type }) => b64(Y.encodeRelativePosition(Y.createRelativePositionFromTypeIndex(find(doc, type), index, assoc)))

const place = (doc, position) => {
  const at = Y.createAbsolutePositionFromRelativePosition(Y.decodeRelativePosition(bytes(position)), doc)
  if (at === null) return 'gone'
  const item = at.type._item
  return (item === null ? JSON.stringify(Y.findRootTypeKey(at.type)) : item.id.client + ':' + item.id.clock) + ' ' + at.index
}

// undone lets work happen to a document, undoes and redoes some of it, and returns
// what is read then. Of pairs that were cut in vain others don't know.
const undone = (state, roots, origin, work) => {
  const doc = loadAs(state, roots)
  const types = roots.map(([name, kind]) => doc.get(name, kinds[kind]))
  const undos = new Y.UndoManager(types, { captureTimeout: 0, trackedOrigins: new Set([origin]) })
  work(doc)
  doc.clientID = 2 ** 40
  for (let n = undos.undoStack.length; n > 0; n--) undos.undo()
  const none = types.map(canonical)
  undos.redo()
  return [...none, ...types.map(canonical)].map(blur)
}

const edit = ({ sessions }) => sessions.map(({ state, client, edits, roots, mine, places, positions }, i) => {
  try {
    const doc = loadAs(state, roots)
    const updates = edits.map(actions => b64(editDoc(doc, client, actions)))
    const other = loadAs(state, roots)
    mine.forEach(update => Y.applyUpdate(other, bytes(update)))
    return {
      updates,
      views: roots.map(root => view(doc, root)),
      applied: roots.map(root => view(other, root)),
      snapshot: b64(Y.encodeSnapshot(Y.snapshot(other))),
      positions: places.map(p => position(doc, p)),
      places: positions.map(p => place(doc, p)),
      undone: i % 3 > 0 ? [[], []] : [
        undone(state, roots, null, doc => edits.forEach(actions => editDoc(doc, client, actions))),
        undone(state, roots, 'mine', doc => mine.forEach(update => Y.applyUpdate(doc, bytes(update), 'mine')))
      ]
    }
  } catch (e) {
    return { error: e.stack }
  }
})

// history keeps everything of a session, and what it read at some moments.
const history = ({ seeds }) => seeds.map(seed => {
  const { name, phases } = makeProgram({ seed })
  const doc = new Y.Doc({ gc: false })
  const moments = []
  phases.flatMap(p => p.updates).forEach((update, i) => {
    Y.applyUpdate(doc, update)
    if ((i + seed) % 7 === 0) moments.push(Y.snapshot(doc))
  })
  return {
    name,
    state: b64(Y.encodeStateAsUpdate(doc)),
    moments: moments.map(snapshot => {
      const then = Y.createDocFromSnapshot(doc, snapshot)
      return { snapshot: b64(Y.encodeSnapshot(snapshot)), views: natural.map(root => view(then, root)) }
    })
  }
})

const ops = { make, read, edit, history, scene }

console.error = console.warn = console.log = () => {}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const request = JSON.parse(line)
  process.stdout.write(JSON.stringify(ops[request.op](request)) + '\n')
}
