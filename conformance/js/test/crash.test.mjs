// Seen by somebody, or echoed to its writer, means on disk: SIGKILL at that
// very moment loses nothing.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { Client, versions } from '../lib/client.mjs'
import { converge, identity } from '../lib/content.mjs'
import { edit } from '../lib/edits.mjs'
import { clocksOf, holds } from '../lib/marks.mjs'
import { seeded } from '../lib/random.mjs'
import { Raw, updateFrame } from '../lib/raw.mjs'
import { Fjord, dataDirectory, freshRoom, needsFjord } from '../lib/servers.mjs'
import { longest, until } from '../lib/wait.mjs'

const kills = 50
const echoKills = 10

test(`SIGKILL right after an edit was seen, ${kills} times`, { skip: needsFjord, timeout: longest }, async (t) => {
  const random = seeded(t)
  const fjord = await Fjord.start(t, { data: dataDirectory() })
  const room = freshRoom('crash')
  const restarts = []
  let previous
  for (let round = 0; round < kills; round++) {
    const options = (version) => ({ version, url: fjord.url, room })
    const writer = await Client.open(t, options(versions[round % 2]))
    const watcher = await Client.open(t, options(versions[(round + 1) % 2]))
    if (previous) assert.equal(identity(watcher.doc), previous, 'the document is not what it was after the last restart')
    const mark = `round ${round}`
    edit(random, writer.doc)
    writer.doc.getMap('map').set('mark', mark)
    await until('the watcher sees the edit', () => watcher.doc.getMap('map').get('mark') === mark)
    fjord.process.kill() // at once; everything else waits
    const seen = identity(watcher.doc)
    await fjord.process.exited
    // Both are gone for good before the server is back: it alone can know.
    writer.close()
    watcher.close()
    const started = performance.now()
    await fjord.start()
    restarts.push(performance.now() - started)
    const third = await Client.open(t, options(versions[round % 2]))
    assert.equal(third.doc.getMap('map').get('mark'), mark, `round ${round}: the edit is lost`)
    assert.equal(identity(third.doc), seen, `round ${round}: more or less than was seen`)
    previous = seen
    third.close()
  }
  restarts.sort((a, b) => a - b)
  t.diagnostic(`restart: median ${Math.round(restarts[kills >> 1])} ms, slowest ${Math.round(restarts.at(-1))} ms`)
})

test(`SIGKILL in the middle of typing, ${echoKills} times: what was echoed or seen is there`, { skip: needsFjord, timeout: longest }, async (t) => {
  const random = seeded(t)
  const fjord = await Fjord.start(t, { data: dataDirectory() })
  let acknowledged = 0
  for (let round = 0; round < echoKills; round++) {
    const room = freshRoom('typing')
    const doc = new Y.Doc()
    const writer = await Raw.open(t, `${fjord.url}/${room}`)
    await writer.sync()
    const watcher = await Client.open(t, { version: versions[round % 2], url: fjord.url, room })
    doc.on('update', (update) => writer.send(updateFrame(update)))
    const enough = 50 + random.below(400)
    let typed = 0
    const typing = setInterval(() => {
      if (writer.socket.readyState !== writer.socket.OPEN) return
      for (let n = 0; n < 20; n++) doc.getText('text').insert(0, String(typed++ % 10))
    }, 1)
    // How far the echo is, by the content of what came back.
    const echoed = new Y.Doc()
    let read = 0
    const echo = () => {
      const updates = writer.updates
      for (; read < updates.length; read++) Y.applyUpdate(echoed, updates[read])
      return clocksOf(echoed).get(doc.clientID) ?? 0
    }
    try {
      await until('enough has been echoed', () => echo() >= enough)
    } finally {
      clearInterval(typing)
    }
    fjord.process.kill()
    await fjord.process.exited
    await writer.closed
    acknowledged += echo() // also what was on its way when the server died
    const seen = clocksOf(watcher.doc)
    watcher.close()
    await fjord.start()
    const third = await Client.open(t, { url: fjord.url, room })
    holds(third.doc, clocksOf(echoed), 'echoed')
    holds(third.doc, seen, 'seen')
    third.close()
  }
  t.diagnostic(`${acknowledged} edits were echoed before the kills`)
})

test('an update comes back to its writer, content for content', { skip: needsFjord }, async (t) => {
  const fjord = await Fjord.start(t, { data: dataDirectory() })
  const url = `${fjord.url}/${freshRoom('echo')}`
  const writer = await Raw.open(t, url)
  await writer.sync()
  const doc = new Y.Doc()
  doc.on('update', (update) => writer.send(updateFrame(update)))
  const text = doc.getText('text')
  for (let n = 0; n < 200; n++) {
    text.insert(random(text.length + 1), `${n},`)
    if (n % 3 === 0) text.delete(random(text.length - 1), 1) // deletes must come back too
  }
  const echoed = new Y.Doc()
  await until('all is back', () => {
    for (const update of writer.updates) Y.applyUpdate(echoed, update)
    return identity(echoed) === identity(doc)
  })
  await converge([doc, echoed])
})

const random = (n) => Math.floor(Math.random() * Math.max(1, n))
