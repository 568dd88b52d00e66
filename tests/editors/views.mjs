// Real editors without a window: what people type in goes through their own bindings to Yjs.
import { JSDOM } from 'jsdom'

const { window } = new JSDOM('<body></body>')
const given = ['document', 'navigator', 'MutationObserver', 'Node', 'HTMLElement', 'getSelection', 'DOMParser', 'innerHeight']
for (const name of given) Object.defineProperty(globalThis, name, { value: window[name], configurable: true })
globalThis.window = window
window.requestAnimationFrame = globalThis.requestAnimationFrame = () => 0 // nothing is drawn or measured
window.cancelAnimationFrame = () => {}

const { getSchema } = await import('@tiptap/core')
const { default: StarterKit } = await import('@tiptap/starter-kit')
const { EditorState: RichState } = await import('@tiptap/pm/state')
const { EditorView: RichView } = await import('@tiptap/pm/view')
const { ySyncPlugin, ySyncPluginKey, yUndoPlugin, defaultDeleteFilter, defaultProtectedNodes, undo, redo, yUndoPluginKey } = await import('y-prosemirror')
const { UndoManager } = await import('yjs')
const { EditorState } = await import('@codemirror/state')
const { EditorView } = await import('@codemirror/view')
const { yCollab } = await import('y-codemirror.next')

const place = () => window.document.body.appendChild(window.document.createElement('div'))

// As y-prosemirror makes it, but that no clock tells where what is undone at once begins.
const clocklessUndo = root => new UndoManager(root, {
  trackedOrigins: new Set([ySyncPluginKey]),
  deleteFilter: item => defaultDeleteFilter(item, defaultProtectedNodes),
  captureTimeout: 1e9
})

// Tiptap's schema in ProseMirror. Underlining is no Markdown, and so not in the first schema.
export class RichEditor {
  constructor (doc, { clockless = false } = {}) {
    this.root = doc.getXmlFragment('prosemirror')
    this.lost = 0 // steps of undo that Yjs failed in
    this.undoing = clockless ? clocklessUndo(this.root) : null
    this.schema = getSchema([StarterKit.configure({ undoRedo: false, underline: false })])
    const plugins = [ySyncPlugin(this.root), yUndoPlugin({ undoManager: this.undoing })]
    this.view = new RichView(place(), { state: RichState.create({ schema: this.schema, plugins }) })
  }

  get #state () { return this.view.state }

  show () { return this.#state.doc.toString() }
  type (at, text) { for (const letter of text) this.view.dispatch(this.#state.tr.insertText(letter, at++)) }
  erase (at, length) { this.view.dispatch(this.#state.tr.delete(at, at + length)) }
  mark (from, to, name) { this.view.dispatch(this.#state.tr.addMark(from, to, this.schema.marks[name].create())) }
  block (at, name, attributes) { this.view.dispatch(this.#state.tr.setBlockType(at, at, this.schema.nodes[name], attributes)) }
  split (at) { this.view.dispatch(this.#state.tr.split(at)) }
  undo () { this.#step(undo) }
  redo () { this.#step(redo) }
  pause () { yUndoPluginKey.getState(this.#state).undoManager.stopCapturing() } // what comes next is undone by itself

  // Yjs 13.6.33 fails to undo what it has collected meanwhile. A browser tells its console; that step is lost to
  // the person who wanted it, and what was undone before it is said to others as ever.
  #step (command) {
    try { command(this.#state) } catch (error) {
      if (!(error instanceof TypeError && error.stack.includes('at redoItem'))) throw error
      this.lost++
    }
  }

  // one edit at random, as a person makes it; `below` draws numbers
  scribble (below) {
    const places = []
    this.#state.doc.descendants((node, at) => { if (node.isTextblock) places.push([at + 1, node.content.size]) })
    const [start, size] = places[below(places.length)]
    const at = start + below(size + 1)
    const to = Math.min(start + size, at + 3)
    const marks = ['bold', 'italic', 'code']
    const dice = below(14)
    if (dice === 12) this.undo()
    else if (dice === 13) this.redo()
    else if (dice <= 1) this.split(at)
    else if (dice === 2) this.block(at, ...[['heading', { level: 2 }], ['paragraph'], ['codeBlock']][below(3)])
    else if (dice === 3 && at < to) this.mark(at, to, marks[below(marks.length)])
    else if (dice === 4 && at < to) this.erase(at, to - at)
    else if (dice === 5 && places.length > 1) this.erase(start - 1, size + 2)
    else this.type(at, ['word ', 'é', 'ab', '日本'][below(4)])
  }
}

export class CodeEditor {
  constructor (doc, awareness) {
    const text = doc.getText('content')
    const state = EditorState.create({ doc: text.toString(), extensions: [yCollab(text, awareness, { undoManager: false })] })
    this.view = new EditorView({ state, parent: place() })
  }

  show () { return this.view.state.doc.toString() }
  type (at, text) { for (const insert of text) { this.view.dispatch({ changes: { from: at, insert } }); at += insert.length } }
  erase (at, length) { this.view.dispatch({ changes: { from: at, to: at + length } }) }
}
