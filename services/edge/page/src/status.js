// The status line: what is true of this page's edits right now.

const texts = {
  connecting: ['Connecting', 'Opening the connection to the server.'],
  syncing: ['Syncing', 'Connected; the document is on its way.'],
  offline: ['Offline', 'No connection to the server. The page keeps trying. If the server wants a token, open the page with #token=… behind its address.'],
  waiting: ['Offline, not saved', 'No connection to the server. Your last edits are only on this page: keep it open, they go out when the server is back.'],
  saving: ['Saving', 'Your last edits are on their way to the server.'],
  saved: ['Saved', 'Every edit of yours has come back from the server. A durable room sends an edit back only once it is on disk.'],
  synced: ['Synced', 'This page shows what the server has.'],
  closed: ['Closed', 'The server has closed this room for this page, and asks it not to come back.']
}

/**
 * @param {{connected: boolean, synced: boolean, tried: boolean, unsaved: boolean, edited: boolean, closed: boolean}} now
 * tried: a first attempt to connect has succeeded or failed; edited: this page has made an edit.
 * @returns {keyof typeof texts}
 */
export const statusOf = ({ connected, synced, tried, unsaved, edited, closed }) => {
  if (closed) return 'closed'
  if (!connected) return unsaved ? 'waiting' : tried ? 'offline' : 'connecting'
  if (!synced) return 'syncing'
  if (unsaved) return 'saving'
  return edited ? 'saved' : 'synced'
}

/**
 * @param {HTMLElement} line
 * @param {keyof typeof texts} status
 * @param {string} [reason] shown instead of the usual explanation
 */
export const showStatus = (line, status, reason) => {
  const [word, explanation] = texts[status]
  line.dataset.status = status
  line.title = reason || explanation
  // Only a change is written, so that screen readers aren't told every key.
  if (line.textContent !== word) line.textContent = word
}
