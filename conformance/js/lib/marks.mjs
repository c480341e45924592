// For the crash checks: edits that can be told apart, and what a document that
// was loaded afresh must hold at least.

import * as Y from 'yjs'

/** @returns {Map<number, number>} client → next clock */
export const clocksOf = (doc) => Y.decodeStateVector(Y.encodeStateVector(doc))

/**
 * Fails unless doc holds all inserts below the clocks.
 * @param {Map<number, number>} clocks
 */
export const holds = (doc, clocks, what) => {
  const has = clocksOf(doc)
  for (const [client, clock] of clocks) {
    if ((has.get(client) ?? 0) < clock) {
      throw new Error(`${what}: client ${client} had written up to clock ${clock}; after the restart there are ${has.get(client) ?? 0}`)
    }
  }
}
