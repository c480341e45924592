// Other people's carets and selections, and the publishing of our own, in the
// form that every Yjs editor binding reads: {cursor: {anchor, head}} with
// relative positions.
//
// y-codemirror.next can draw these too, but it writes a peer's colour into a
// style attribute as it came, and puts the caret into the text, where it takes
// the size of the line and not of the heading. Here a colour is checked
// (person.js) and set as one custom property, and all is drawn on layers.

import * as Y from 'yjs'
import { RectangleMarker, ViewPlugin, layer } from '@codemirror/view'
import { Annotation, EditorSelection } from '@codemirror/state'
import { readPerson } from './person.js'

const peersMoved = Annotation.define()

/** @returns {number|null} an index into the text, or null if it means nothing here */
export const indexOf = (text, relative) => {
  try {
    const absolute = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(relative), text.doc)
    return absolute?.type === text ? absolute.index : null
  } catch { // a peer may put anything into its state
    return null
  }
}

/** A part of a peer's selection, or its caret. */
class PeerMark {
  constructor (rectangle, person) {
    this.rectangle = rectangle
    this.person = person
  }

  eq (other) {
    return this.rectangle.eq(other.rectangle) && this.looksLike(other)
  }

  looksLike (other) {
    return other.person.color === this.person.color
  }

  draw () {
    const mark = this.rectangle.draw()
    mark.style.setProperty('--who', this.person.color)
    return mark
  }

  update (mark, previous) {
    return this.looksLike(previous) && this.rectangle.update(mark, previous.rectangle)
  }
}

class PeerCaret extends PeerMark {
  /**
   * @param {string} moved changes whenever the peer moved, and so shows its name anew
   * @param {boolean} atRight whether the name must go to the left to have room
   */
  constructor (rectangle, person, moved, atRight) {
    super(rectangle, person)
    this.moved = moved
    this.atRight = atRight
  }

  looksLike (other) {
    return super.looksLike(other) && other.person.name === this.person.name && other.moved === this.moved && other.atRight === this.atRight
  }

  draw () {
    const caret = super.draw()
    const name = document.createElement('span')
    name.className = this.atRight ? 'peer-name at-right' : 'peer-name'
    name.textContent = this.person.name
    caret.append(name)
    return caret
  }
}

/**
 * @param {Y.Text} text
 * @param {import('y-protocols/awareness').Awareness} awareness
 */
export const carets = (text, awareness) => {
  const peers = (view) => [...awareness.getStates()].flatMap(([client, state]) => {
    if (client === awareness.clientID || state.cursor == null) return []
    const anchor = indexOf(text, state.cursor.anchor)
    const head = indexOf(text, state.cursor.head)
    if (anchor === null || head === null || Math.max(anchor, head) > view.state.doc.length) return []
    return [{ person: readPerson(state), range: EditorSelection.range(anchor, head), moved: JSON.stringify(state.cursor) }]
  })
  const update = ({ docChanged, transactions }) => docChanged || transactions.some((tr) => tr.annotation(peersMoved))

  const selections = layer({
    above: false,
    update,
    markers: (view) => peers(view).filter(({ range }) => !range.empty).flatMap(({ person, range }) =>
      RectangleMarker.forRange(view, 'peer-selection', range).map((rectangle) => new PeerMark(rectangle, person)))
  })
  const heads = layer({
    above: true,
    class: 'peer-carets',
    update,
    markers: (view) => peers(view).flatMap(({ person, range, moved }) =>
      RectangleMarker.forRange(view, 'peer-caret', EditorSelection.cursor(range.head)).map((rectangle) =>
        new PeerCaret(rectangle, person, moved, rectangle.left > view.scrollDOM.clientWidth * 0.6)))
  })
  return [announcer(text, awareness), selections, heads]
}

/** Tells the others where we are, and the layers that somebody moved. */
const announcer = (text, awareness) => ViewPlugin.fromClass(class {
  constructor (view) {
    this.onChange = ({ added, updated, removed }) => {
      const others = [...added, ...updated, ...removed].some((client) => client !== awareness.clientID)
      if (others) view.dispatch({ annotations: [peersMoved.of(true)] })
    }
    awareness.on('change', this.onChange)
  }

  destroy () { awareness.off('change', this.onChange) }

  // The caret stays while the window is in the background: two windows side by
  // side are how people try this page, and only one of them has the focus.
  update ({ state, view, docChanged, selectionSet, focusChanged }) {
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
})
