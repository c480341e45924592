// The editing history of a long paper: some 260 000 single edits by one
// person. The real one (the public B4 / automerge-perf trace) is reference
// data that stays outside the repository; where it is missing, a history of
// the same shape is made: runs of typing, corrections, and jumps back to
// places worked on before. FJORD_TRACE names the file elsewhere.

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { Random } from './random.mjs'

const real = process.env.FJORD_TRACE ?? fileURLToPath(new URL('../../../../shared/data/b4-editing-trace.json.gz', import.meta.url))
const editCount = 260_000

/** @returns {Array<[number, number, string?]>} position, deleted, inserted */
const generated = () => {
  const random = new Random(20260101)
  const letters = 'etaoinshrdlucmfwypvbgk    ,.\n\\{}'
  const edits = []
  let length = 0
  let cursor = 0
  while (edits.length < editCount) {
    if (random.below(10) < 3) cursor = random.below(length + 1)
    for (let run = 5 + random.below(80); run > 0 && edits.length < editCount; run--) {
      // Of the real history's edits 70 % insert; some 30 % take back.
      if (cursor > 0 && random.below(100) < 28) {
        for (let n = 1 + random.below(3); n > 0 && cursor > 0; n--) {
          edits.push([--cursor, 1])
          length--
        }
      } else {
        edits.push([cursor++, 0, letters[random.below(letters.length)]])
        length++
      }
    }
  }
  return edits.slice(0, editCount)
}

/** @returns {{name: string, edits: Array<[number, number, string]>}} */
export const longPaper = () => existsSync(real)
  ? { name: 'the B4 trace', edits: JSON.parse(gunzipSync(readFileSync(real))) }
  : { name: 'a generated history', edits: generated() }

/** @returns {string} the text after all edits */
export const finalText = (edits) => {
  // A gap buffer: the text left and right of where the work goes on.
  const left = []
  const right = []
  for (const [position, deleted, inserted = ''] of edits) {
    while (left.length > position) right.push(left.pop())
    while (left.length < position) left.push(right.pop())
    for (let n = 0; n < deleted; n++) right.pop()
    for (const unit of inserted.split('')) left.push(unit)
  }
  return left.join('') + right.reverse().join('')
}
