// A rich document in Tiptap's own schema. In: {updates, replaced, by}, updates in hex. Out: what an
// editor shows of it, what showing it wrote, and what changing one word in it writes.
import { readFileSync } from 'node:fs'
import * as Y from 'yjs'
import { getSchema, Node } from '@tiptap/core'
import StarterKit from '@tiptap/starter-kit'
import { initProseMirrorDoc, updateYFragment } from 'y-prosemirror'

const Image = Node.create({ // as @tiptap/extension-image with `inline: true`
  name: 'image',
  inline: true,
  group: 'inline',
  addAttributes: () => Object.fromEntries(['src', 'alt', 'title', 'width', 'height'].map(name => [name, { default: null }])),
  renderHTML: ({ HTMLAttributes }) => ['img', HTMLAttributes]
})
const schema = getSchema([StarterKit.configure({ underline: false }), Image])

const { updates, replaced, by } = JSON.parse(readFileSync(0, 'utf8'))
const doc = new Y.Doc()
const wrote = []
for (const update of updates) Y.applyUpdate(doc, Buffer.from(update, 'hex'))
doc.on('update', update => wrote.push(Buffer.from(update).toString('hex')))
const fragment = doc.getXmlFragment('prosemirror')
const { doc: shown, mapping } = initProseMirrorDoc(fragment, schema)
shown.check()
const wroteByShowing = wrote.splice(0)
const changed = schema.nodeFromJSON(JSON.parse(JSON.stringify(shown).replaceAll(replaced, by)))
changed.check()
doc.clientID = 12345
doc.transact(() => updateYFragment(doc, fragment, changed, { mapping, isOMark: new Map() }))
console.log(JSON.stringify({ shown, wroteByShowing, wrote }))
