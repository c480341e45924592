// The rows of rows.go for yjs and for ywasm: node --expose-gc bench.mjs yjs|ywasm dir n regexp [crowd]
// node bench.mjs prepare dir writes the long history's final state, as yjs encodes it.
import fs from 'node:fs'
import path from 'node:path'

const [which, dir, n, only, crowd] = process.argv.slice(2)
const vectors = 100
const bytes = name => new Uint8Array(fs.readFileSync(path.join(dir, name)))

const list = name => {
  const all = bytes(name)
  const view = new DataView(all.buffer)
  const out = []
  for (let at = 0; at < all.length;) {
    const size = view.getUint32(at, true)
    out.push(all.slice(at + 4, at + 4 + size))
    at += 4 + size
  }
  return out
}

const loadYjs = async () => {
  const Y = await import('yjs')
  return {
    doc: () => new Y.Doc(),
    free: () => {},
    apply: Y.applyUpdate,
    applyV2: Y.applyUpdateV2,
    encode: Y.encodeStateAsUpdate,
    encodeV2: Y.encodeStateAsUpdateV2,
    vector: Y.encodeStateVector,
    merge: Y.mergeUpdates,
    diff: Y.diffUpdate,
    updateVector: Y.encodeStateVectorFromUpdate,
    text: (doc, name) => doc.getText(name).toString(),
    documents: 2000
  }
}

const loadYwasm = async () => {
  const { default: Y } = await import('ywasm')
  return {
    doc: () => new Y.YDoc({}),
    free: doc => doc.free(), // else it is freed at some time, in another row
    apply: (doc, update) => Y.applyUpdate(doc, update, undefined),
    applyV2: (doc, update) => Y.applyUpdateV2(doc, update, undefined),
    encode: Y.encodeStateAsUpdate,
    encodeV2: Y.encodeStateAsUpdateV2,
    vector: Y.encodeStateVector,
    text: (doc, name) => { const t = doc.getText(name); const s = t.toString(undefined); t.free(); return s },
    documents: 500
  }
}

// As in sample.go, in milliseconds.
const least = 100
const enough = 12_000
const fewest = 3
const once = 20_000 // from here on one sample is enough, and that the first

// row measures what does ops operations. run returns documents to free.
const row = (lib, name, ops, run) => {
  if (!new RegExp(only).test(name)) return
  let repeat = 1
  let samples = +n
  for (let sample = -1; sample < samples; sample++) {
    globalThis.gc()
    const kept = []
    const cpu = process.cpuUsage()
    const wall = process.hrtime.bigint()
    for (let i = 0; i < repeat; i++) kept.push(run())
    const took = Number(process.hrtime.bigint() - wall)
    const { user, system } = process.cpuUsage(cpu)
    for (const docs of kept) docs?.forEach(lib.free)
    if (sample < 0 && took < once * 1e6) {
      repeat = Math.max(1, Math.floor(least * 1e6 / took))
      samples = Math.min(+n, Math.max(fewest, Math.floor(enough * 1e6 / took)))
      continue
    }
    const per = repeat * ops
    process.stdout.write(`Benchmark${name} ${per} ${(took / per).toPrecision(5)} ns/op ${((user + system) * 1000 / per).toPrecision(5)} cpu-ns/op\n`)
    if (sample < 0) break
  }
  process.stderr.write(`${which} ${name}\n`)
}

const live = () => {
  for (let i = 0; i < 3; i++) globalThis.gc()
  const m = process.memoryUsage()
  return m.heapUsed + m.arrayBuffers
}

// heap measures what remains of each of ops documents. What is in WebAssembly's
// memory isn't seen.
const heap = (lib, name, ops, make) => {
  if (which !== 'yjs' || !new RegExp(only).test(name)) return
  const sample = () => {
    const before = live()
    const kept = make()
    process.stdout.write(`Benchmark${name} ${ops} ${((live() - before) / ops).toPrecision(6)} heap-B/op\n`)
    if (kept.length === 0) throw new Error('nothing')
  }
  const wall = process.hrtime.bigint()
  for (let i = 0; i < +n && (i < fewest || Number(process.hrtime.bigint() - wall) < enough * 1e6); i++) sample()
  process.stderr.write(`${which} ${name}\n`)
}

const rows = lib => {
  const applied = updates => {
    const doc = lib.doc()
    for (const u of updates) lib.apply(doc, u)
    return [doc]
  }
  const loadedV2 = update => { const doc = lib.doc(); lib.applyV2(doc, update); return [doc] }
  history(lib, applied, loadedV2)
  big(lib, applied, loadedV2)
  const small = list('small.updates')
  const many = () => {
    const docs = []
    for (let i = 0; i < lib.documents; i++) docs.push(applied(small)[0])
    return docs
  }
  row(lib, 'Documents', lib.documents, many)
  heap(lib, 'DocumentsHeap', lib.documents, many)
  const pair = bytes('pair.v1')
  row(lib, 'PairLoad', 1, () => applied([pair]))
  if (crowd === 'false') return
  const state = bytes('crowd.v1')
  row(lib, 'CrowdLoad', 1, () => applied([state]))
}

const history = (lib, applied, loadedV2) => {
  const b4 = list('b4.updates')
  row(lib, 'B4Apply', b4.length, () => applied(b4))
  const second = list('b4.updates2')
  row(lib, 'B4ApplyV2', second.length, () => {
    const doc = lib.doc()
    for (const u of second) lib.applyV2(doc, u)
    return [doc]
  })
  heap(lib, 'B4Heap', 1, () => applied(b4))
  const v1 = bytes('b4.v1')
  const v2 = bytes('b4.v2')
  row(lib, 'B4LoadV1', 1, () => applied([v1]))
  row(lib, 'B4LoadV2', 1, () => loadedV2(v2))
  const [paper] = applied([v1])
  row(lib, 'B4Text', 1, () => { lib.text(paper, 'text') })
  lib.free(paper)
  if (!lib.merge) return
  row(lib, 'Merge1000', 1, () => { lib.merge(b4.slice(0, 1000)) })
  const both = [v1, ...list('small.updates')]
  row(lib, 'B4Merge', 1, () => { lib.merge(both) })
  row(lib, 'B4UpdateVector', 1, () => { lib.updateVector(v1) })
}

const big = (lib, applied, loadedV2) => {
  const state = bytes('big.v1')
  row(lib, 'BigLoad', 1, () => applied([state]))
  const second = bytes('big.v2')
  row(lib, 'BigLoadV2', 1, () => loadedV2(second))
  heap(lib, 'BigHeap', 1, () => applied([state]))
  const [doc] = applied([state])
  if (lib.text(doc, 't') !== fs.readFileSync(path.join(dir, 'big.text'), 'utf8')) {
    throw new Error(`the text of the large document isn't what was written`)
  }
  row(lib, 'BigEncode', 1, () => { lib.encode(doc) })
  row(lib, 'BigEncodeV2', 1, () => { lib.encodeV2(doc) })
  row(lib, 'BigVector', vectors, () => { for (let i = 0; i < vectors; i++) lib.vector(doc) })
  const recent = bytes('big.vector')
  row(lib, 'BigDiff', 1, () => { lib.encode(doc, recent) })
  lib.free(doc)
  if (!lib.merge) return
  const letter = bytes('big.letter')
  row(lib, 'BigMerge', 1, () => { lib.merge([state, letter]) })
  row(lib, 'BigUpdateDiff', 1, () => { lib.diff(state, recent) })
  row(lib, 'BigUpdateVector', 1, () => { lib.updateVector(state) })
}

const prepare = lib => {
  const doc = lib.doc()
  for (const u of list('b4.updates')) lib.apply(doc, u)
  fs.writeFileSync(path.join(dir, 'b4.v1'), lib.encode(doc))
  fs.writeFileSync(path.join(dir, 'b4.v2'), lib.encodeV2(doc))
}

if (which === 'prepare') prepare(await loadYjs())
else rows(which === 'yjs' ? await loadYjs() : await loadYwasm())
