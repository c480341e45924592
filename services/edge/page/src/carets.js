// Other people's carets and selections, and the publishing of our own, in the
// form that every Yjs editor binding reads: {cursor: {anchor, head}} with
// relative positions.
//
// y-codemirror.next can draw these too, but it writes a peer's colour into a
// style attribute as it came. Here a colour is checked (person.js) and set as
// one custom property, so the page needs no 'unsafe-inline' in its policy.

import * as Y from 'yjs'
import { Decoration, ViewPlugin, WidgetType } from '@codemirror/view'
import { Annotation, RangeSet } from '@codemirror/state'
import { readPerson } from './person.js'

const peersMoved = Annotation.define()

class Caret extends WidgetType {
  /** @param {string} moved changes whenever the peer moved, and so shows its name again */
  constructor (person, moved) {
    super()
    this.person = person
    this.moved = moved
  }

  eq (other) {
    return other.moved === this.moved && other.person.name === this.person.name && other.person.color === this.person.color
  }

  toDOM () {
    const caret = document.createElement('span')
    caret.className = 'peer-caret'
    caret.style.setProperty('--who', this.person.color)
    const label = document.createElement('span')
    label.className = 'peer-name'
    label.textContent = this.person.name
    // Word joiners keep the caret from opening a place to break the line.
    caret.append('\u2060', label, '\u2060')
    return caret
  }

  ignoreEvent () { return true }
  get estimatedHeight () { return -1 }
}

const selected = (person) => Decoration.mark({ class: 'peer-selection', attributes: { style: `--who: ${person.color}` } })

/** @returns {number|null} an index into the text, or null if it means nothing here */
export const indexOf = (text, relative) => {
  try {
    const absolute = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(relative), text.doc)
    return absolute?.type === text ? absolute.index : null
  } catch { // a peer may put anything into its state
    return null
  }
}

/**
 * @param {Y.Text} text
 * @param {import('y-protocols/awareness').Awareness} awareness
 */
export const carets = (text, awareness) => ViewPlugin.fromClass(class {
  constructor (view) {
    this.decorations = RangeSet.of([])
    this.onChange = ({ added, updated, removed }) => {
      const others = [...added, ...updated, ...removed].some((client) => client !== awareness.clientID)
      if (others) view.dispatch({ annotations: [peersMoved.of(true)] })
    }
    awareness.on('change', this.onChange)
  }

  destroy () { awareness.off('change', this.onChange) }

  update (update) {
    this.publish(update)
    const stale = update.docChanged || update.transactions.some((tr) => tr.annotation(peersMoved))
    if (stale) this.decorations = this.draw(update.state.doc.length)
  }

  // The caret stays while the window is in the background: two windows side by
  // side are how people try this page, and only one of them has the focus.
  publish ({ state, view, docChanged, selectionSet, focusChanged }) {
    const mine = awareness.getLocalState()
    if (mine === null || !(docChanged || selectionSet || focusChanged)) return
    if (!mine.cursor && !view.hasFocus) return
    const { anchor, head } = state.selection.main
    const cursor = {
      anchor: Y.createRelativePositionFromTypeIndex(text, anchor),
      head: Y.createRelativePositionFromTypeIndex(text, head)
    }
    if (JSON.stringify(cursor) !== JSON.stringify(mine.cursor)) awareness.setLocalStateField('cursor', cursor)
  }

  draw (length) {
    const ranges = []
    awareness.getStates().forEach((state, client) => {
      if (client === awareness.clientID || state.cursor == null) return
      const anchor = indexOf(text, state.cursor.anchor)
      const head = indexOf(text, state.cursor.head)
      if (anchor === null || head === null || Math.max(anchor, head) > length) return
      const person = readPerson(state)
      if (anchor !== head) ranges.push(selected(person).range(Math.min(anchor, head), Math.max(anchor, head)))
      const widget = new Caret(person, JSON.stringify(state.cursor))
      ranges.push(Decoration.widget({ widget, side: head < anchor ? 1 : -1 }).range(head))
    })
    return Decoration.set(ranges, true)
  }
}, { decorations: (plugin) => plugin.decorations })
