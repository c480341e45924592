// Records what a real Hocuspocus provider and a Fjord server say to each other,
// for the transcripts beside this file. In an empty folder:
//
//   npm install yjs@13.6.33 ws@8.23.0 @hocuspocus/provider@4.8.0
//   node record.mjs 4.8.0 ws://127.0.0.1:1234 > hocuspocus-4.8.0.txt
//
// A name in the place of @hocuspocus/provider may follow as third argument.
import { WebSocketServer, WebSocket } from 'ws'
import * as Y from 'yjs'

globalThis.WebSocket = WebSocket // version 2 looks for it even if it is given another
const [version, url, name = '@hocuspocus/provider'] = process.argv.slice(2)
const { HocuspocusProvider } = await import(name)
const lines = [
  `# @hocuspocus/provider ${version}, yjs 13.6.33, recorded against Fjord. C: the`,
  "# client's frames, S: ours. The client's ID is 42."
]
const hex = bytes => Buffer.from(bytes).toString('hex')
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

const proxy = new WebSocketServer({ host: '127.0.0.1', port: 0 })
await new Promise(resolve => proxy.on('listening', resolve))
proxy.on('connection', client => {
  const server = new WebSocket(url)
  const open = new Promise(resolve => server.on('open', resolve))
  client.on('message', async data => { lines.push('C ' + hex(data)); await open; server.send(data) })
  server.on('message', data => { lines.push('S ' + hex(data)); client.send(data) })
})

const room = 'recorded-' + Date.now().toString(36)
const doc = new Y.Doc()
doc.clientID = 42
const provider = new HocuspocusProvider({
  url: `ws://127.0.0.1:${proxy.address().port}`, name: room, document: doc, token: 'secret', WebSocketPolyfill: WebSocket
})
await pause(500)
const text = doc.getText('text')
for (const step of [
  () => provider.awareness.setLocalStateField('user', { name: 'Ada', color: '#30bced' }),
  () => text.insert(0, 'hello'),
  () => text.insert(5, ' wörld 🏔'),
  () => text.delete(0, 1),
  () => doc.getMap('m').set('k', { deep: [1, 2.5, null, true] }),
  () => provider.sendStateless('how are you?'),
  () => provider.forceSync(),
  () => provider.awareness.setLocalState(null),
  () => provider.destroy()
]) {
  step()
  await pause(100)
}
if (provider.unsyncedChanges !== 0) throw new Error(`${provider.unsyncedChanges} changes are unsynced`)
console.log(lines.join('\n').replaceAll(hex(Buffer.from(room)), hex(Buffer.from('d'.repeat(room.length)))))
process.exit(0)
