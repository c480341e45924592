// Everybody ends with the same document, byte for byte, the newcomer too.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { Client, mixes } from '../lib/client.mjs'
import { converge } from '../lib/content.mjs'
import { edit } from '../lib/edits.mjs'
import { seeded } from '../lib/random.mjs'
import { Raw, updateFrame } from '../lib/raw.mjs'
import { freshRoom, serverURL } from '../lib/servers.mjs'
import { turn, until } from '../lib/wait.mjs'

const editsEach = 60

test('clients that edit at once converge, and so does one who joins last', async (t) => {
  const url = await serverURL(t)
  for (const { name, version } of mixes) {
    for (const size of [2, 4, 8]) {
      await t.test(`${size} clients of ${name}`, async (t) => {
        const random = seeded(t)
        const room = freshRoom('converge')
        const people = await Promise.all(Array.from({ length: size }, (_, i) => Client.open(t, { version: version(i), url, room })))
        for (let n = 0; n < editsEach; n++) {
          for (const { doc } of people) edit(random, doc)
          if (n % 5 === 0) await turn()
        }
        const late = await Client.open(t, { version: version(0), url, room })
        const { text } = await converge([...people, late].map(({ doc }) => doc))
        assert.ok(text.length > 0, 'the edits left no text: they prove nothing')
        // One who comes when all is quiet sees the same at once.
        const last = await Client.open(t, { version: version(1), url, room })
        await converge([people[0].doc, last.doc])
      })
    }
  }
})

test('each kind of content arrives as it was written', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('kinds')
  const writer = await Client.open(t, { url, room })
  const watcher = await Client.open(t, { version: 2, url, room })
  const { doc } = writer
  doc.transact(() => {
    doc.getText('text').insert(0, 'plain ')
    doc.getText('text').insert(6, 'bold', { bold: true })
    doc.getText('text').insertEmbed(10, { image: 'fjord.png' })
    doc.getMap('map').set('nested', new Y.Map([['deep', new Y.Array()]]))
    doc.getMap('map').set('bytes', new Uint8Array([1, 2, 3]))
    doc.getArray('array').push([1, 'two', null, { four: 4 }, [undefined, 5n]])
    const paragraph = new Y.XmlElement('p')
    paragraph.setAttribute('class', 'lead')
    paragraph.insert(0, [new Y.XmlText('in xml')])
    doc.getXmlFragment('xml').insert(0, [paragraph])
    doc.getMap('map').set('sub', new Y.Doc({ guid: 'a-subdocument' }))
  })
  await until('the watcher has it', () => watcher.doc.getXmlFragment('xml').length === 1)
  const last = await Client.open(t, { url, room })
  for (const { doc } of [watcher, last]) {
    assert.deepEqual(doc.getText('text').toDelta(), [{ insert: 'plain ' }, { insert: 'bold', attributes: { bold: true } }, { insert: { image: 'fjord.png' } }])
    assert.deepEqual(doc.getMap('map').get('nested').toJSON(), { deep: [] })
    assert.deepEqual(doc.getMap('map').get('bytes'), new Uint8Array([1, 2, 3]))
    assert.equal(doc.getMap('map').get('sub').guid, 'a-subdocument')
    assert.deepEqual(doc.getArray('array').toJSON(), [1, 'two', null, { four: 4 }, [undefined, 5n]])
    assert.equal(doc.getXmlFragment('xml').toString(), '<p class="lead">in xml</p>')
  }
})

test('an update that comes before the one that it builds on is kept until that comes', async (t) => {
  const url = await serverURL(t)
  const room = freshRoom('gap')
  const doc = new Y.Doc()
  const updates = []
  doc.on('update', (update) => updates.push(update))
  for (const part of ['one ', 'two ', 'three']) doc.getText('text').insert(doc.getText('text').length, part)
  const raw = await Raw.open(t, `${url}/${room}`)
  await raw.sync()
  raw.send(updateFrame(updates[2]))
  raw.send(updateFrame(updates[0]))
  const watcher = await Client.open(t, { url, room })
  await until('the first part is there', () => watcher.text.toString() === 'one ')
  raw.send(updateFrame(updates[1]))
  await until('all is there', () => watcher.text.toString() === 'one two three')
  await converge([doc, watcher.doc, (await Client.open(t, { version: 2, url, room })).doc])
})
