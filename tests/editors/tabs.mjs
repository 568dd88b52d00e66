// Tabs of real editors, steered by lines of JSON: [number, tab, name, ...arguments] in, and
// [number, answer] out.
import { createInterface } from 'node:readline'
import * as Y from 'yjs'
import { WebsocketProvider } from 'y-websocket'
import WebSocket from 'ws'

process.setMaxListeners(0)
const tabs = new Map()

// --- one tab

class Tab {
  constructor (attached, { origin = '', Editor, ...options } = {}) {
    this.Editor = Editor
    this.attached = attached
    this.doc = new Y.Doc()
    this.text = this.doc.getText('content')
    this.closings = []
    class Socket extends WebSocket {
      constructor (url, protocols) { super(url, protocols, origin ? { origin } : {}) }
    }
    this.provider = new WebsocketProvider(attached.url, attached.room, this.doc, {
      params: { token: attached.token }, disableBc: true, WebSocketPolyfill: Socket, maxBackoffTime: 300, ...options
    })
    this.provider.on('connection-close', event => { if (event) this.closings.push([event.code, event.reason]) })
    this.provider.once('sync', () => this.#takeClient())
  }

  #takeClient () {
    const { awareness } = this.provider
    awareness.setLocalState(null)
    this.doc.clientID = awareness.clientID = this.attached.client
    awareness.setLocalState({})
    if (this.Editor) this.editor = new this.Editor(this.doc, awareness)
    this.undoing = new Y.UndoManager(this.root, { captureTimeout: 0 })
  }

  get root () { return this.text }

  // --- what can be asked

  async synced () { await this.until(() => this.provider.synced && this.doc.clientID === this.attached.client && !this.Editor === !this.editor) }
  // through the editor that is bound to the text, not beside it
  edit (what, ...given) { this.editor[what](...given) }
  // a mark beside the text: whoever sees it has all that came before
  flag () { this.doc.getMap('meta').set(String(this.doc.clientID), true) }
  flags () { return this.doc.getMap('meta').size }
  seen () { return this.editor.show() }
  async edited (wanted) { await this.until(() => this.editor.show() === wanted, () => this.editor.show()) }
  async editHolds (part) { await this.until(() => this.editor.show().includes(part), () => this.editor.show()) }
  async shown (wanted) { await this.until(() => this.show() === wanted, () => this.show()); return true }
  async holds (part) { await this.until(() => this.show().includes(part), () => this.show()); return this.show() }
  show () { return this.text.toString() }
  type (at, text) { for (const letter of text) { this.text.insert(at, letter); at += letter.length } }
  paste (at, text) { this.text.insert(at, text) }
  erase (at, length) { this.text.delete(at, length) }
  block (name, text = '') {
    const block = new Y.XmlElement(name)
    if (text) block.insert(0, [new Y.XmlText(text)])
    this.doc.getXmlFragment('prosemirror').insert(0, [block])
  }

  // many edits at random, some undone, each a few ms after the last
  scribble (seed, count) { this.scribbling = this.#scribble(seed, count) }
  // words one behind the other at the end, each a few ms after the last
  write (name, count) { this.scribbling = this.#write(name, count) }
  async #write (name, count) {
    for (let number = 0; number < count; number++) {
      await new Promise(resolve => setTimeout(resolve, 10))
      this.text.insert(this.text.length, `${name}${number} `)
    }
  }

  async scribbled () { await this.scribbling }
  async #scribble (state, count) {
    const below = most => { state = (state * 48271) % 2147483647; return state % most }
    const words = ['word ', 'é', '😀', 'x😀y', '\n', '日本', '\u0301']
    for (let number = 0; number < count; number++) {
      await new Promise(resolve => setTimeout(resolve, below(12)))
      if (this.editor) { this.editor.scribble(below); continue }
      const letters = [...this.show()]
      const at = below(letters.length + 1)
      const unit = letters.slice(0, at).join('').length
      const dice = below(10)
      if (dice === 0) this.undoing.undo()
      else if (dice === 1) this.undoing.redo()
      else if (dice < 5) this.text.delete(unit, letters.slice(at, at + 3).join('').length)
      else this.text.insert(unit, words[below(words.length)])
    }
  }
  undo () { this.undoing.undo() }
  redo () { this.undoing.redo() }
  leave () { this.provider.disconnect() }
  comeBack () { this.provider.connect() }
  client () { return this.doc.clientID }
  clients () { return [...this.doc.store.clients.keys()] }
  closes () { return this.closings }
  async closed () { await this.until(() => this.closes().length > 0); return this.closes()[0] }
  async closedBy (code) { await this.until(() => this.closings.some(([found]) => found === code), () => this.closings); return this.closings.find(([found]) => found === code)[1] }
  say (state) { this.provider.awareness.setLocalState(state) }
  others () { return [...this.provider.awareness.getStates()].map(([client, state]) => JSON.stringify([String(client), state])).sort() }
  async sees (wanted) {
    const all = Object.entries(wanted).map(entry => JSON.stringify(entry)).sort().join()
    await this.until(() => this.others().join() === all, () => this.others())
    return wanted
  }
  raw (...messages) { for (const hex of messages) this.provider.ws.send(Buffer.from(hex, 'hex')) }
  takeForeignClient (client) { this.doc.clientID = client }
  close () { this.provider.ws?.close(1000); this.provider.destroy() }

  until (holds, shown = () => '') {
    return new Promise((resolve, reject) => {
      const check = () => { if (holds()) { clearInterval(timer); resolve() } }
      const timer = setInterval(check, 5)
      setTimeout(() => { clearInterval(timer); reject(new Error(`waited in vain: ${JSON.stringify(shown())} ${JSON.stringify(this.closings)}`)) }, 20_000).unref()
      check()
    })
  }
}

async function opened (attached, { editor, ...options }) {
  const views = editor ? await import('./views.mjs') : {}
  return new Tab(attached, { Editor: views[editor], ...options })
}

const lines = createInterface({ input: process.stdin })
const answer = (number, value) => console.log(JSON.stringify([number, value ?? null]))
lines.on('line', async line => {
  const [number, name, what, ...given] = JSON.parse(line)
  try {
    if (what === 'open') tabs.set(name, await opened(...given))
    const found = what === 'open' ? null : await tabs.get(name)[what](...given)
    answer(number, found)
  } catch (error) {
    answer(number, { failed: String(error?.stack ?? error) })
  }
})
lines.on('close', () => process.exit(0))
