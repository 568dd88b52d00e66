// Types so many keys at a steady pace in one tab, and says after how many ms each was in another.
import * as Y from 'yjs'
import { WebsocketProvider } from 'y-websocket'

const [count, everyMs, ...views] = process.argv.slice(2).map(given => JSON.parse(given))
const [here, there] = await Promise.all(views.map(view => new Promise(resolve => {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(view.url, view.room, doc, { params: { token: view.token }, disableBc: true })
  provider.once('sync', () => { provider.awareness.setLocalState(null); doc.clientID = view.client; resolve(doc.getText('content')) })
})))
const typed = []
const lags = []
there.observe(() => {
  while (lags.length < there.length) lags.push(performance.now() - typed[lags.length])
  if (lags.length === count) { console.log(JSON.stringify(lags)); process.exit(0) }
})
const typing = setInterval(() => {
  typed.push(performance.now())
  here.insert(here.length, 'k')
  if (typed.length === count) clearInterval(typing)
}, everyMs)
