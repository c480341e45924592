import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { basename, extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { WebSocketServer } from 'ws'
import { setupWSConnection } from 'y-websocket-2/bin/utils'

const { values } = parseArgs({ strict: false, options: { listen: { type: 'string', default: '127.0.0.1:0' } } })
const [host, port] = values.listen.split(':')

// The editor page too, so that its checks can be tried out.
const dist = fileURLToPath(new URL('../../../services/edge/internal/page/dist/', import.meta.url))
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.txt': 'text/plain' }
const policy = "default-src 'none'; script-src 'nonce-n'; style-src 'self' 'nonce-n'; img-src 'self'; connect-src 'self'"
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://host')
  const name = pathname === '/' ? 'index.html' : basename(pathname)
  try {
    const content = readFileSync(dist + name, 'utf8').replace('{{nonce}}', 'n')
    response.writeHead(200, { 'content-type': types[extname(name)], 'content-security-policy': policy }).end(content)
  } catch {
    response.end('y-websocket\n')
  }
})
const sockets = new WebSocketServer({ server })
sockets.on('connection', (socket, request) => {
  socket.on('error', () => {})
  setupWSConnection(socket, request)
})
// It parses inside an event handler; one broken frame would end the process.
process.on('uncaughtException', (error) => console.error(error.message))
server.listen(Number(port), host, () => {
  console.log(`websocket ws://${host}:${server.address().port}`)
  console.log('rpc http://127.0.0.1:1')
  console.log('ops http://127.0.0.1:1')
})
process.on('SIGTERM', () => process.exit(0))
