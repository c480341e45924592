import { Editor } from '@tiptap/core'
import StarterKit from '@tiptap/starter-kit'
import Collaboration from '@tiptap/extension-collaboration'
import CollaborationCaret from '@tiptap/extension-collaboration-caret'

/** Tiptap with its starter kit, collaboration and carets. */
export const tiptap = (element, provider, user) => new Editor({
  element,
  extensions: [
    StarterKit.configure({ undoRedo: false }), // the collaboration brings its own
    Collaboration.configure({ document: provider.document }),
    CollaborationCaret.configure({ provider, user })
  ]
})
