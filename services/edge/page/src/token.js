// The token that says who is here, where the server wants one: from #token=…
// behind the address, a part that a browser sends to nobody. It is taken out of
// the address, so that it isn't shared with the room, and kept for this tab.

const place = 'fjord.token'

/** @returns {string|null} the token that the address brings, or brought before */
export const tokenFor = ({ location, history, sessionStorage }) => {
  if (location.hash.startsWith('#token=')) {
    const token = location.hash.slice('#token='.length)
    try {
      sessionStorage.setItem(place, decodeURIComponent(token))
    } catch { // a stray %
      sessionStorage.setItem(place, token)
    }
    history.replaceState(null, '', location.pathname + location.search)
  }
  return sessionStorage.getItem(place) || null
}

/** @returns {object} the options with which y-websocket sends the token */
export const optionsFor = (token) => {
  if (token === null) return {}
  // A subprotocol is written down in fewer places than a URL, but can't hold
  // every character: a JWT fits, base64 of user:password may not.
  return /^[\w.~-]+$/.test(token) ? { protocols: ['fjord', 'fjord.token.' + token] } : { params: { token } }
}
