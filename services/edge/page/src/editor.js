// The editor: CodeMirror with Markdown, bound to a Y.Text.

import { Compartment, EditorState } from '@codemirror/state'
import { EditorView, drawSelection, dropCursor, highlightSpecialChars, keymap, placeholder } from '@codemirror/view'
import { defaultKeymap, indentWithTab } from '@codemirror/commands'
import { HighlightStyle, Language, defineLanguageFacet, languageDataProp, syntaxHighlighting } from '@codemirror/language'
import { tags } from '@lezer/highlight'
import { Strikethrough, parser } from '@lezer/markdown'
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next'
import { carets, indexOf } from './carets.js'

// @codemirror/lang-markdown would bring the languages of HTML, CSS and
// JavaScript along and double the page's size.
const data = defineLanguageFacet()
const markdown = new Language(data, parser.configure([Strikethrough, {
  props: [languageDataProp.add({ Document: data })]
}]), [], 'markdown')

const look = HighlightStyle.define([
  { tag: tags.heading1, fontSize: '1.75em', fontWeight: '650', letterSpacing: '-0.02em', lineHeight: '1.4' },
  { tag: tags.heading2, fontSize: '1.35em', fontWeight: '650', letterSpacing: '-0.01em', lineHeight: '1.5' },
  { tag: tags.heading, fontWeight: '650' },
  { tag: tags.strong, fontWeight: '650' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: tags.strikethrough, textDecoration: 'line-through' },
  { tag: tags.monospace, fontFamily: 'var(--mono)', fontSize: '0.9em', color: 'var(--accent)' },
  { tag: [tags.link, tags.url], color: 'var(--accent)' },
  { tag: tags.quote, color: 'var(--soft)', fontStyle: 'italic' },
  { tag: [tags.processingInstruction, tags.contentSeparator, tags.labelName], color: 'var(--faint)', fontWeight: '400' }
])

/**
 * @param {HTMLElement} parent
 * @param {import('yjs').Text} text
 * @param {import('y-protocols/awareness').Awareness} awareness
 * @param {string} nonce lets CodeMirror add its style sheet under the page's policy
 */
export const openEditor = (parent, text, awareness, nonce) => {
  const hint = new Compartment()
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text.toString(),
      extensions: [
        EditorView.cspNonce.of(nonce),
        // Other clients may write a lone \r; were it taken for a line break,
        // every position after it would be off by one.
        EditorState.lineSeparator.of('\n'),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': 'Document', spellcheck: 'true', autocorrect: 'on', autocapitalize: 'sentences' }),
        highlightSpecialChars(),
        drawSelection(),
        dropCursor(),
        hint.of([]),
        markdown,
        syntaxHighlighting(look),
        keymap.of([...yUndoManagerKeymap, ...defaultKeymap, indentWithTab]),
        // The binding must come before the carets: it brings the text up to
        // date, and their positions are taken from the text.
        yCollab(text, null),
        carets(text, awareness)
      ]
    })
  })
  return {
    focus: () => view.focus(),

    /** Shown while the document is empty. */
    hint: (words) => view.dispatch({ effects: hint.reconfigure(placeholder(words)) }),

    /** Scrolls to where a person's caret is, if they have one. */
    goTo (client) {
      const cursor = awareness.getStates().get(client)?.cursor
      const index = cursor == null ? null : indexOf(text, cursor.head)
      if (index === null || index > view.state.doc.length) return
      view.dispatch({ effects: EditorView.scrollIntoView(index, { y: 'center' }) })
    }
  }
}
