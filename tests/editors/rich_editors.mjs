// Rich editors without a network, steered by lines of JSON: [what, ...given] in; out the updates that
// the editor said for it, or what it shows.
import * as Y from 'yjs'
import { createInterface } from 'node:readline'
import { Dice } from './dice.mjs'
import { RichEditor } from './views.mjs'
import { shownIn } from './visible.mjs'

const REMOTE = 'another'
const text = update => Buffer.from(update).toString('base64')
let [dice, editors] = [null, []]

// What all editors begin with; nobody here can undo it.
function beginning (client) {
  const doc = new Y.Doc()
  doc.clientID = client
  const [title, body] = [new Y.XmlElement('heading'), new Y.XmlElement('paragraph')]
  title.setAttribute('level', 1)
  title.insert(0, [new Y.XmlText('Title')])
  const words = new Y.XmlText()
  words.applyDelta([{ insert: 'Hello ' }, { insert: 'bold', attributes: { bold: {} } }, { insert: ' words.' }])
  body.insert(0, [words])
  doc.getXmlFragment('prosemirror').insert(0, [title, body])
  return Y.encodeStateAsUpdate(doc)
}

class Editor {
  constructor (client, first) {
    this.said = []
    this.doc = new Y.Doc()
    this.doc.clientID = client
    Y.applyUpdate(this.doc, first, REMOTE)
    this.doc.on('update', (update, origin) => origin === REMOTE || this.said.push(text(update)))
    this.view = new RichEditor(this.doc, { clockless: true })
  }

  edit () { this.view.scribble(most => dice.below(most)); return this.#told() }
  hear (update) { Y.applyUpdate(this.doc, Buffer.from(update, 'base64'), REMOTE); return this.#told() }
  shown () { return shownIn(this.doc, 'rich') }
  lost () { return this.view.lost }
  #told () { return this.said.splice(0) }
}

function begin (seed, author, clients) {
  const first = beginning(author)
  for (const { view } of editors) view.view.destroy()
  dice = new Dice(seed)
  editors = clients.map(client => new Editor(client, first))
  return text(first)
}

for await (const line of createInterface({ input: process.stdin })) {
  const [what, ...given] = JSON.parse(line)
  const answer = what === 'begin' ? begin(...given) : editors[given[0]][what](...given.slice(1))
  console.log(JSON.stringify(answer))
}
