// Builds the editors' page and serves it on this machine, as an application
// would: from an origin of its own.

import { build } from 'esbuild'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('editors/', import.meta.url))
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' }

/** @returns {Promise<string>} the page's address */
export const serveEditors = async (t) => {
  const outdir = mkdtempSync(join(tmpdir(), 'fjord-editors-'))
  t.after(() => rmSync(outdir, { recursive: true, force: true }))
  await build({ entryPoints: [join(source, 'page.js')], outdir, bundle: true, format: 'esm', target: 'es2022', logLevel: 'error' })
  const files = { '/': join(source, 'index.html'), '/page.css': join(source, 'page.css'), '/page.js': join(outdir, 'page.js') }
  const server = createServer((request, response) => {
    const file = files[new URL(request.url, 'http://host').pathname]
    if (!file) return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': types[extname(file)] }).end(readFileSync(file))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => { server.closeAllConnections(); server.close() })
  return `http://127.0.0.1:${server.address().port}/`
}
