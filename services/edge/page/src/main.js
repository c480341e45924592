// The page: a room from the address, a person, an editor, a connection.

import { defaultRoom, pageFor, pathFor, roomFromAddress, roomProblem } from './room.js'
import { freeColour, keepPerson, loadPerson, palette, readPerson } from './person.js'
import { openConnection } from './connection.js'
import { openEditor } from './editor.js'
import { showPeople } from './people.js'
import { showStatus } from './status.js'
import { optionsFor, tokenFor } from './token.js'

const element = (id) => document.getElementById(id)
const token = tokenFor(window) // before the room is read: both may be behind a #
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
  const field = element('name')
  const choices = palette.map((colour, i) => {
    const choice = document.createElement('input')
    choice.type = 'radio'
    choice.name = 'colour'
    choice.ariaLabel = `Colour ${i + 1} of ${palette.length}`
    choice.style.setProperty('--who', colour)
    choice.addEventListener('change', () => publish({ color: colour, chosen: true }))
    return choice
  })
  const publish = (change) => {
    Object.assign(person, change)
    keepPerson(person)
    // colorLight is what other Yjs editors tint selections with.
    awareness.setLocalStateField('user', { name: person.name, color: person.color, colorLight: person.color + '33' })
    field.style.setProperty('--who', person.color)
    for (const [i, choice] of choices.entries()) choice.checked = palette[i] === person.color
  }
  // Of two people with the same colour, one gives way: the one who didn't pick
  // it, and came with the higher number.
  const giveWay = ({ added }) => {
    const others = [...awareness.getStates()].filter(([client]) => client !== awareness.clientID)
    const clash = added.some((client) => client < awareness.clientID && readPerson(awareness.getStates().get(client)).color === person.color)
    if (clash && !person.chosen) publish({ color: freeColour(new Set(others.map(([, state]) => readPerson(state).color))) })
  }

  field.value = person.name
  field.addEventListener('input', () => publish({ name: field.value.trim() || 'Somebody' }))
  element('colours').append(...choices)
  awareness.on('change', giveWay)
  publish({})
}

const open = () => {
  const server = (location.protocol === 'https:' ? 'wss://' : 'ws://') + location.host
  const connection = openConnection(server, pathFor(room), optionsFor(token), (status, reason) => showStatus(element('status'), status, reason))
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
