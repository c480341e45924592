// Tokens, as an application signs them for its users, and the calls that take
// them back.

import { createHmac, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How far clocks may be apart: tokens hold this much longer than they say. In seconds. */
export const leeway = 30

/** A file in a directory of its own that goes when the check is over. */
export const file = (t, name, content) => {
  const dir = mkdtempSync(join(tmpdir(), 'fjord-conformance-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const path = join(dir, name)
  writeFileSync(path, content, { mode: 0o600 })
  return path
}

const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const now = () => Math.floor(Date.now() / 1000)

/** Signs tokens with a secret of its own. */
export class Issuer {
  constructor (t) {
    this.secret = randomBytes(32).toString('hex')
    this.file = file(t, 'secret', this.secret)
  }

  /** @param {{sub?: string, rooms?: object[], lasts?: number}} claims lasts in seconds from now, the server's leeway included */
  sign ({ lasts = 3600, ...claims }) {
    const text = b64({ alg: 'HS256', typ: 'JWT' }) + '.' + b64({ exp: Math.floor(now() + lasts - leeway), ...claims })
    return text + '.' + createHmac('sha256', this.secret).update(text).digest('base64url')
  }
}
