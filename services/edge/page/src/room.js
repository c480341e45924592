// The room's name: from ?room=…, else from #…, else "welcome". The server's
// default rule is 1 to 255 bytes of UTF-8 without control characters; what it
// would refuse at the upgrade is explained here instead, because a browser
// hides the reason of a refused upgrade from its page.

export const defaultRoom = 'welcome'

/** @returns {string} the name that the address asks for, not yet checked */
export const roomFromAddress = ({ search, hash }) => {
  const asked = new URLSearchParams(search).get('room')
  if (asked) return asked
  try {
    return decodeURIComponent(hash.slice(1)) || defaultRoom
  } catch { // a stray % in the fragment
    return hash.slice(1)
  }
}

/** @returns {string|null} what is wrong with the name, or null */
export const roomProblem = (name) => {
  const bytes = new TextEncoder().encode(name).length
  if (bytes === 0) return 'A room needs a name.'
  if (bytes > 255) return `A room's name has at most 255 bytes; this one has ${bytes}.`
  if (/\p{Cc}/u.test(name)) return "A room's name has no control characters."
  // URL parsers resolve dot segments, also percent-encoded ones, before the
  // server can see them: the client would land in another room.
  if (name.split('/').some((part) => part === '.' || part === '..')) return "A browser can't reach a room with “.” or “..” as a part of its name."
  return null
}

/** @returns {string} the address of this page for another room */
export const pageFor = (name) => '/?' + new URLSearchParams({ room: name })

/** @returns {string} the part of the websocket's URL that names the room */
export const pathFor = (name) => name.split('/').map(encodeURIComponent).join('/')
