// The oracle: one JSON request per line on stdin, one JSON answer per line on
// stdout. Bytes travel as base64.
//
//   {messages: [sync…], denied, update} → {sync: [step 1, answers…, update], text, denied, reason}
//
// A document takes the messages, and says in turn what y-protocols writes.
import { createInterface } from 'node:readline'
import * as Y from '../../internal/difftest/node_modules/yjs/dist/yjs.mjs'
import * as auth from '../../internal/difftest/node_modules/y-protocols/auth.js'
import * as sync from '../../internal/difftest/node_modules/y-protocols/sync.js'
import * as decoding from '../../internal/difftest/node_modules/lib0/decoding.js'
import * as encoding from '../../internal/difftest/node_modules/lib0/encoding.js'

const bytes = s => new Uint8Array(Buffer.from(s, 'base64'))
const written = f => Buffer.from(encoding.encode(f)).toString('base64')

const answer = ({ messages, denied, update }) => {
  const doc = new Y.Doc()
  const answers = messages.map(m => written(e => sync.readSyncMessage(decoding.createDecoder(bytes(m)), e, doc, 'test')))
  let reason = ''
  auth.readAuthMessage(decoding.createDecoder(bytes(denied)), doc, (_, why) => { reason = why })
  return {
    sync: [written(e => sync.writeSyncStep1(e, doc)), ...answers.filter(a => a !== ''), written(e => sync.writeUpdate(e, bytes(update)))],
    text: doc.getText('t').toString(),
    denied: written(e => auth.writePermissionDenied(e, reason)),
    reason
  }
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n')
}
