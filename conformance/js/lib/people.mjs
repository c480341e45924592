// Everybody who must be able to work in one room: each kind of client that is
// named in the README, by a short name.

import { Client } from './client.mjs'
import { ElvaClient } from './elva.mjs'
import { HocuspocusClient } from './hocuspocus.mjs'
import { YSweetClient } from './ysweet.mjs'

const makers = {
  'y-websocket 1': (t, options) => new Client(t, { version: 1, ...options }),
  'y-websocket 2': (t, options) => new Client(t, { version: 2, ...options }),
  'y-websocket 3': (t, options) => new Client(t, { version: 3, ...options }),
  'y-websocket 3.1 candidate': (t, options) => new Client(t, { version: '3-rc', ...options }),
  'y-websocket 4 candidate': (t, options) => new Client(t, { version: 4, ...options }),
  'Hocuspocus 2': (t, options) => new HocuspocusClient(t, { version: 2, ...options }),
  'Hocuspocus 3': (t, options) => new HocuspocusClient(t, { version: 3, ...options }),
  'Hocuspocus 4': (t, options) => new HocuspocusClient(t, { version: 4, ...options }),
  'y-sweet': (t, options) => new YSweetClient(t, options),
  // ELVA's clients have no query in their URL, and are known by their first word of their own.
  ELVA: (t, { token, ...options }) => new ElvaClient(t, { id: 'elva', ...(token && { headers: { authorization: `Bearer ${token}` } }), ...options })
}

/** The names of all kinds. */
export const kinds = Object.keys(makers)

/**
 * A client of a kind, not yet synced. The user is the kind unless said otherwise.
 * @returns {import('./person.mjs').Person}
 */
export const person = (t, kind, options) => makers[kind](t, { user: kind, ...options })

/** A client of a kind that has synced. */
export const arrive = async (t, kind, options) => {
  const someone = person(t, kind, options)
  await someone.synced(options.within)
  return someone
}
