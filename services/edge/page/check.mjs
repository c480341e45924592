// Proves that the committed bundle is what the source builds to.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const committed = join(here, '../internal/page/dist')
const fresh = mkdtempSync(join(tmpdir(), 'fjord-page-'))
const read = (dir) => new Map(readdirSync(dir).sort().map((name) => [name, readFileSync(join(dir, name))]))

try {
  execFileSync(process.execPath, [join(here, 'build.mjs'), fresh], { stdio: ['ignore', 'ignore', 'inherit'] })
  const [a, b] = [read(committed), read(fresh)]
  const differing = [...new Set([...a.keys(), ...b.keys()])].filter((name) => !a.get(name)?.equals(b.get(name) ?? Buffer.alloc(0)))
  if (differing.length > 0) {
    console.error(`services/edge/internal/page/dist is stale (${differing.join(', ')}): run npm ci && npm run build in services/edge/page`)
    process.exitCode = 1
  }
} finally {
  rmSync(fresh, { recursive: true, force: true })
}
