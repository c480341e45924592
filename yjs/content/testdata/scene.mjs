// What scenario_test.go does with clients of its own, done with yjs, step by step.
import * as Y from '../../internal/difftest/node_modules/yjs/dist/yjs.mjs'
import { canonical, kinds } from '../../internal/difftest/canonical.mjs'
import { edit, find } from './edits.mjs'

const b64 = bytes => Buffer.from(bytes).toString('base64')
const bytes = s => new Uint8Array(Buffer.from(s, 'base64'))

let clients, roots, events

const open = (client, gc) => {
  const doc = new Y.Doc({ gc })
  doc.clientID = client
  for (const [name, kind] of roots) {
    doc.get(name, kinds[kind]).observeDeep(list => {
      for (const e of list) events.push(told(name, e))
    })
  }
  clients.set(client, doc)
}

// What an event says, as canonical text. To ask a text for its delta changes the
// text, and yjs also tells of what came and went.
const told = (root, event) => {
  const text = event.target instanceof Y.Text
  const delta = text
    ? []
    : event.delta.map(op => (op.insert === undefined ? '' : canonical(op.insert)) + (op.retain ?? '') + (op.delete === undefined ? '' : '-' + op.delete))
  const keys = text ? [] : [...event.keys].map(([key, { action, oldValue }]) => canonical(key) + action + (oldValue instanceof Y.AbstractType ? 'type' : canonical(oldValue))).sort()
  return { at: root + ' ' + canonical(event.path), says: delta.join() + ' ' + keys.join(), text }
}

const undoOf = doc => {
  doc.undo ??= new Y.UndoManager(roots.map(([name, kind]) => doc.get(name, kinds[kind])), { captureTimeout: 0 })
  return doc.undo
}

// What a client of yjs does that ours can't: the update says what came of it.
const does = {
  undo: doc => undoOf(doc).undo(),
  redo: doc => undoOf(doc).redo(),
  watch: doc => undoOf(doc),
  clear: (doc, a) => find(doc, a).clear(),
  tidy: (doc, a) => Y.cleanupYTextFormatting(find(doc, a))
}

const steps = {
  begin: request => {
    clients = new Map()
    roots = request.roots
    events = []
    for (const client of request.clients) open(client, request.gc)
    return {}
  },
  act: ({ client, actions }) => ({ update: b64(edit(clients.get(client), client, actions)) }),
  does: ({ client, what, on }) => {
    let update = new Uint8Array([0, 0])
    const doc = clients.get(client)
    doc.once('update', u => { update = u })
    doc.transact(() => does[what](doc, on))
    return { update: b64(update) }
  },
  deliver: ({ client, update, v2 }) => {
    events = []
    ;(v2 ? Y.applyUpdateV2 : Y.applyUpdate)(clients.get(client), bytes(update))
    return { events }
  },
  look: ({ client }) => {
    const doc = clients.get(client)
    return {
      views: roots.map(([name, kind]) => canonical(doc.get(name, kinds[kind]))),
      snapshot: b64(Y.encodeSnapshot(Y.snapshot(doc))),
      vector: b64(Y.encodeStateVector(doc)),
      state: b64(Y.encodeStateAsUpdate(doc))
    }
  },
  past: ({ client, snapshot }) => {
    const doc = Y.createDocFromSnapshot(clients.get(client), Y.decodeSnapshot(bytes(snapshot)))
    return { views: roots.map(([name, kind]) => canonical(doc.get(name, kinds[kind]))) }
  },
  contain: ({ snapshot, updates }) => ({ contained: updates.map(u => Y.snapshotContainsUpdate(Y.decodeSnapshot(bytes(snapshot)), bytes(u))) }),
  position: ({ client, on, index, assoc }) => ({ position: b64(Y.encodeRelativePosition(Y.createRelativePositionFromTypeIndex(find(clients.get(client), on), index, assoc))) }),
  resolve: ({ client, position }) => {
    const at = Y.createAbsolutePositionFromRelativePosition(Y.decodeRelativePosition(bytes(position)), clients.get(client))
    return { index: at === null ? -1 : at.index }
  }
}

export const scene = request => {
  try {
    return steps[request.step](request)
  } catch (e) {
    return { error: e.stack }
  }
}
