// Records what a real y-websocket client says, for the transcripts beside this
// file. In an empty folder:
//
//   npm install yjs@13.6.33 ws@8.18.0 y-websocket@3.1.0
//   node record.mjs 3.1.0 > y-websocket-3.1.0.txt
//
// The server answers as the edge does: step 2, then step 1, and an echo of
// updates and awareness.
import { WebSocketServer, WebSocket } from 'ws'
import * as Y from 'yjs'
import { WebsocketProvider } from 'y-websocket'

const lines = [
  `# y-websocket ${process.argv[2]}, yjs 13.6.33, recorded against a server that answers as the`,
  "# edge does. C: the client's frames, S: ours. The client's ID is 42; another",
  '# client, 7, is only in what the server says.'
]
const hex = bytes => Buffer.from(bytes).toString('hex')
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
await new Promise(resolve => server.on('listening', resolve))
let socket
const say = frame => {
  lines.push('S ' + frame)
  socket.send(Buffer.from(frame, 'hex'))
}
server.on('connection', (ws, request) => {
  socket = ws
  lines.push('# ' + request.url)
  ws.on('message', data => {
    const frame = hex(data)
    lines.push('C ' + frame)
    if (frame === '00000100') {
      say('0001020000')
      say('00000100')
    } else if (frame.startsWith('0002') || frame.startsWith('01')) {
      say(frame)
    }
  })
  ws.on('close', code => lines.push('# closed by the client with ' + code))
})

const doc = new Y.Doc()
doc.clientID = 42
const provider = new WebsocketProvider(`ws://127.0.0.1:${server.address().port}`, 'team/notes', doc,
  { WebSocketPolyfill: WebSocket, disableBc: true })
await pause(400)
const text = doc.getText('text')
const peer = new Y.Doc()
peer.clientID = 7
peer.getText('other').insert(0, 'x')
const update = Y.encodeStateAsUpdate(peer)
for (const step of [
  () => provider.awareness.setLocalStateField('user', { name: 'Ada', color: '#30bced' }),
  () => text.insert(0, 'hello'),
  () => text.insert(5, ' wörld 🏔'),
  () => text.delete(0, 1),
  () => doc.getMap('m').set('k', { deep: [1, 2.5, null, true] }),
  () => say('0002' + hex([update.length]) + hex(update)),
  () => say('03'), // who is there?
  () => say('00000100'), // what do you have?
  () => provider.awareness.setLocalState(null),
  () => provider.destroy()
]) {
  step()
  await pause(100)
}
if (doc.getText('other').toString() !== 'x') throw new Error("the peer's update didn't arrive")
console.log(lines.join('\n'))
process.exit(0)
