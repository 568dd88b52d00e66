// Applies updates in real Yjs: a line {shape, updates} in; out what the document shows by them alone,
// and, as an editor takes them in that cleans up needless marks, what it says of that and shows then.
import * as Y from 'yjs'
import { createInterface } from 'node:readline'
import { rootsOf, shownIn } from './visible.mjs'

const REMOTE = 'another'

function documentOf (shape) {
  const doc = new Y.Doc()
  rootsOf(doc, shape)
  return doc
}

for await (const line of createInterface({ input: process.stdin })) {
  const { shape, updates } = JSON.parse(line)
  const [plain, editor, said] = [documentOf(shape), documentOf(shape), []]
  editor.on('update', (update, origin) => origin === REMOTE || said.push(Buffer.from(update).toString('base64')))
  for (const update of updates.map(text => Buffer.from(text, 'base64'))) {
    plain.transact(transaction => {
      Y.applyUpdate(plain, update)
      transaction.local = true // what seems to be our own is not cleaned up
    })
    Y.applyUpdate(editor, update, REMOTE)
  }
  console.log(JSON.stringify({ shown: shownIn(plain, shape), said, cleaned: shownIn(editor, shape) }))
}
