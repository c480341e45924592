import { keymap } from 'prosemirror-keymap'
import { EditorState } from 'prosemirror-state'
import { EditorView } from 'prosemirror-view'
import { schema } from 'prosemirror-schema-basic'
import { exampleSetup } from 'prosemirror-example-setup'
import { redo, undo, yCursorPlugin, ySyncPlugin, yUndoPlugin } from 'y-prosemirror'

/** ProseMirror with its example setup, bound by y-prosemirror. */
export const prosemirror = (element, provider) => new EditorView(element, {
  state: EditorState.create({
    schema,
    plugins: [
      ySyncPlugin(provider.document.getXmlFragment('prosemirror')),
      yCursorPlugin(provider.awareness),
      yUndoPlugin(),
      keymap({ 'Mod-z': undo, 'Mod-y': redo, 'Mod-Shift-z': redo }),
      ...exampleSetup({ schema, history: false, menuBar: false })
    ]
  })
})
