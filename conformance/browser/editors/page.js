// A page of somebody's application: an editor from npm, and the Hocuspocus
// provider as its documentation says. ?editor=tiptap or prosemirror; the URL
// also says the server, the room and who is here.

import * as Y from 'yjs'
import { HocuspocusProvider } from '@hocuspocus/provider'
import { prosemirror } from './prosemirror.js'
import { tiptap } from './tiptap.js'

const query = new URLSearchParams(location.search)
const [kind, url, name, who, color] = ['editor', 'url', 'room', 'who', 'color'].map((key) => query.get(key))

const document_ = new Y.Doc()
const provider = new HocuspocusProvider({ url, name, document: document_, token: query.get('token') })
provider.setAwarenessField('user', { name: who, color })

const status = document.querySelector('#status')
let connection = 'connecting'
const tell = () => {
  const now = connection !== 'connected' ? 'offline' : !provider.isSynced ? 'connecting' : provider.hasUnsyncedChanges ? 'saving' : 'saved'
  status.dataset.status = status.textContent = now
}
provider.on('status', ({ status }) => { connection = status; tell() })
for (const event of ['synced', 'unsyncedChanges', 'disconnect']) provider.on(event, tell)
tell()

const people = document.querySelector('#people')
provider.awareness.on('change', () => {
  people.replaceChildren(...[...provider.awareness.getStates().values()].filter(({ user }) => user).map(({ user }) => {
    const face = document.createElement('span')
    face.className = 'person'
    face.textContent = user.name
    face.style.background = user.color
    return face
  }))
})

document.querySelector('#kind').textContent = kind
document.querySelector('#room').textContent = name
const place = document.querySelector('#editor')
const editors = { tiptap, prosemirror }
window.editor = editors[kind](place, provider, { name: who, color })
window.provider = provider
