// Does to a yjs document what edit_test.go does to a view.
import * as Y from '../../internal/difftest/node_modules/yjs/dist/yjs.mjs'
import { kinds } from '../../internal/difftest/canonical.mjs'

const mapped = (o, f) => Object.fromEntries(Object.entries(o ?? {}).map(([k, v]) => [k, f(v)]))

// Values that JSON doesn't have, and new types, come as [kind, …].
const makers = {
  undefined: () => undefined,
  bigint: v => BigInt(v),
  number: v => ({ '-0': -0, NaN, Infinity })[v],
  bytes: v => new Uint8Array(v),
  list: v => v.map(value),
  object: v => mapped(v, value),
  doc: (guid, options) => new Y.Doc({ guid, ...options }),
  text: v => new Y.Text(v),
  xmltext: v => new Y.XmlText(v),
  array: v => Y.Array.from(v.map(value)),
  map: v => new Y.Map(Object.entries(mapped(v, value))),
  fragment: v => { const x = new Y.XmlFragment(); x.insert(0, v.map(value)); return x },
  element: (name, attributes, children) => {
    const x = new Y.XmlElement(name)
    x.insert(0, children.map(value))
    for (const [k, v] of Object.entries(attributes)) x.setAttribute(k, value(v))
    return x
  },
  hook: (name, v) => {
    const x = new Y.XmlHook(name)
    for (const k in v) x.set(k, value(v[k]))
    return x
  }
}

const value = v => Array.isArray(v) ? makers[v[0]](...v.slice(1)) : v

// embed is a value in a delta.
const embed = v => Array.isArray(v) ? value(v) : v

export const find = (doc, { root: [name, kind], path }) => {
  let type = doc.get(name, kinds[kind])
  for (const step of path) type = type.get(step)
  return type
}

const actions = {
  insert: (t, { index, text, formats }) => t.insert(index, text, formats ?? undefined),
  embed: (t, { index, value: v, formats }) => t.insertEmbed(index, embed(v), formats ?? undefined),
  format: (t, { index, length, formats }) => t.format(index, length, formats),
  delta: (t, { delta }) => t.applyDelta(delta.map(op => op.insert === undefined ? op : { ...op, insert: embed(op.insert) })),
  tidy: t => Y.cleanupYTextFormatting(t),
  put: (t, { index, values }) => t.insert(index, values.map(value)),
  push: (t, { values }) => t.push(values.map(value)),
  remove: (t, { index, length }) => t.delete(index, length),
  set: (t, { key, value: v }) => t.set(key, value(v)),
  unset: (t, { key }) => t.delete(key),
  attribute: (t, { key, value: v }) => t.setAttribute(key, value(v)),
  unattribute: (t, { key }) => t.removeAttribute(key)
}

// edit does the actions in one transaction and returns the update.
export const edit = (doc, client, list) => {
  doc.clientID = client
  let update = new Uint8Array([0, 0])
  doc.once('update', u => { update = u })
  doc.transact(() => list.forEach(a => actions[a.do](find(doc, a), a)))
  return update
}
