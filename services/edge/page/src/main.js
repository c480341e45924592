// The page: a room from the address, a person, an editor, a connection.

import { defaultRoom, pageFor, pathFor, roomFromAddress, roomProblem } from './room.js'
import { keepPerson, loadPerson, palette } from './person.js'
import { openConnection } from './connection.js'
import { openEditor } from './editor.js'
import { showPeople } from './people.js'
import { showStatus } from './status.js'

const element = (id) => document.getElementById(id)
const room = roomFromAddress(location)

const setUpRoomField = () => {
  const field = element('room')
  field.value = room
  element('room-form').addEventListener('submit', (event) => {
    event.preventDefault()
    const wanted = field.value.trim() || defaultRoom
    const problem = roomProblem(wanted)
    field.setCustomValidity(problem ?? '')
    if (problem === null) location.assign(pageFor(wanted))
    else field.reportValidity()
  })
  field.addEventListener('input', () => field.setCustomValidity(''))
  field.addEventListener('focus', () => field.select())
  addEventListener('hashchange', () => location.reload())
}

const setUpPerson = (awareness) => {
  const person = loadPerson()
  const publish = () => {
    keepPerson(person)
    // colorLight is what other Yjs editors tint selections with.
    awareness.setLocalStateField('user', { name: person.name, color: person.color, colorLight: person.color + '33' })
    element('name').style.setProperty('--who', person.color)
  }
  const field = element('name')
  field.value = person.name
  field.addEventListener('input', () => {
    person.name = field.value.trim() || 'Somebody'
    publish()
  })
  element('colours').append(...palette.map((colour, i) => {
    const choice = document.createElement('input')
    choice.type = 'radio'
    choice.name = 'colour'
    choice.checked = colour === person.color
    choice.ariaLabel = `Colour ${i + 1} of ${palette.length}`
    choice.style.setProperty('--who', colour)
    choice.addEventListener('change', () => {
      person.color = colour
      publish()
    })
    return choice
  }))
  publish()
}

const open = () => {
  const server = (location.protocol === 'https:' ? 'wss://' : 'ws://') + location.host
  const connection = openConnection(server, pathFor(room), (status, reason) => showStatus(element('status'), status, reason))
  const text = connection.doc.getText('codemirror') // the name that Yjs's own demos use
  const nonce = document.querySelector('script[nonce]').nonce
  const editor = openEditor(element('editor'), text, connection.awareness, nonce)
  const count = () => { element('count').textContent = `${text.length.toLocaleString('en')} characters` }

  setUpPerson(connection.awareness)
  showPeople(element('people'), connection.awareness, editor.goTo)
  text.observe(count)
  connection.onceSynced(() => {
    count()
    editor.hint('Start writing. Open this page once more, in another tab, and watch both.')
  })
  addEventListener('beforeunload', (event) => {
    if (connection.unsaved) event.preventDefault() // the browser asks whether to stay
  })
  connection.connect()
  editor.focus()
}

document.title = `${room} · Fjord`
element('address').textContent = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/${pathFor(room)}`
setUpRoomField()
const problem = roomProblem(room)
if (problem === null) open()
else {
  showStatus(element('status'), 'closed', problem)
  element('editor').textContent = problem
}
