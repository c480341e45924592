// The list of who is here. Choosing a person scrolls to where they are.

import { readPerson } from './person.js'

const initials = (name) => name.split(/\s+/).map((word) => [...word][0]).slice(0, 2).join('').toUpperCase()

/**
 * @param {HTMLElement} list a <ul>
 * @param {import('y-protocols/awareness').Awareness} awareness
 * @param {(client: number) => void} choose called with the chosen person's client
 */
export const showPeople = (list, awareness, choose) => {
  const item = (client, state) => {
    const person = readPerson(state)
    const self = client === awareness.clientID
    const button = document.createElement('button')
    button.type = 'button'
    button.className = self ? 'person self' : 'person'
    button.style.setProperty('--who', person.color)
    button.title = self ? `${person.name} (you)` : `Go to ${person.name}`
    button.addEventListener('click', () => choose(client))
    const face = document.createElement('span')
    face.className = 'face'
    face.ariaHidden = 'true'
    face.textContent = initials(person.name)
    const name = document.createElement('span')
    name.className = 'name'
    name.textContent = self ? `${person.name} (you)` : person.name
    button.append(face, name)
    const entry = document.createElement('li')
    entry.append(button)
    return entry
  }

  let shown = ''
  const draw = () => {
    // A client without a state of its own choosing ({}) is a connection, not a person.
    const here = [...awareness.getStates()].filter(([, state]) => state.user != null)
    here.sort(([a], [b]) => (b === awareness.clientID) - (a === awareness.clientID) || a - b)
    // Carets move with every key: the list is redrawn only when people change.
    const next = JSON.stringify(here.map(([client, state]) => [client, readPerson(state)]))
    if (next === shown) return
    shown = next
    list.replaceChildren(...here.map(([client, state]) => item(client, state)))
  }
  awareness.on('change', draw)
  draw()
}
