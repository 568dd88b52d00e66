// What a tab has to do. The arguments are what `p2pvalue --json document attach` gave.
import * as Y from 'yjs'
import { WebsocketProvider } from 'y-websocket'

const [url, room, token, client] = process.argv.slice(2)
const doc = new Y.Doc()
const provider = new WebsocketProvider(url, room, doc, { params: { token }, disableBc: true })
provider.on('closed', ({ code, reason }) => console.error(code, reason)) // for good: attach again
provider.once('sync', () => {
  provider.awareness.setLocalState(null)
  doc.clientID = provider.awareness.clientID = Number(client) // now, and not before
  provider.awareness.setLocalState({ user: { name: 'Ana' } })
  // Here an editor is bound to doc.getText('content'); if rich, to doc.getXmlFragment('prosemirror').
  doc.getText('content').insert(0, 'typed by a program\n')
  provider.destroy() // what was sent is signed
  doc.destroy()
})
