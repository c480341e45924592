// Who sits at this page: a name and a colour, kept in this browser. Other
// people's come from their awareness state, which anybody may fill with
// anything: readPerson turns it into something that is safe to show.

export const palette = ['#0f7b8a', '#b4530f', '#6d4bc3', '#2f7d3b', '#b8336a', '#2563c9', '#8a6d00', '#a23b2c']

const adjectives = ['Quiet', 'Bright', 'Swift', 'Gentle', 'Bold', 'Calm', 'Clever', 'Merry', 'Northern', 'Patient']
const animals = ['Otter', 'Puffin', 'Seal', 'Heron', 'Lynx', 'Orca', 'Eider', 'Marten', 'Reindeer', 'Tern']
const pick = (list) => list[Math.floor(Math.random() * list.length)]

const storageKey = 'fjord.person'
const longestName = 40

const cleanName = (name) => typeof name === 'string' ? name.replace(/\p{C}+/gu, ' ').trim().slice(0, longestName) : ''
const cleanColour = (colour) => /^#[0-9a-f]{6}$/i.test(colour) ? colour : '#5b6b76'

/** @returns {{name: string, color: string, chosen: boolean}} chosen: whether the person picked the colour */
export const loadPerson = () => {
  let kept = {}
  try {
    kept = JSON.parse(localStorage.getItem(storageKey)) ?? {}
  } catch { /* storage is blocked or holds something else: start anew */ }
  return {
    name: cleanName(kept.name) || `${pick(adjectives)} ${pick(animals)}`,
    color: palette.includes(kept.color) ? kept.color : pick(palette),
    chosen: kept.chosen === true
  }
}

/** @returns {string} a colour that nobody has, or any if all are taken */
export const freeColour = (taken) => {
  const free = palette.filter((colour) => !taken.has(colour))
  return pick(free.length > 0 ? free : palette)
}

/** @param {{name: string, color: string, chosen: boolean}} person */
export const keepPerson = (person) => {
  try {
    localStorage.setItem(storageKey, JSON.stringify(person))
  } catch { /* storage is blocked: the name lasts as long as the page */ }
}

/**
 * @param {any} state one client's awareness state
 * @returns {{name: string, color: string}}
 */
export const readPerson = (state) => ({
  name: cleanName(state?.user?.name) || 'Somebody',
  color: cleanColour(state?.user?.color)
})
