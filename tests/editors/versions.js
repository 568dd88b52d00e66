// Says which Yjs is here, and that it can be loaded next to the editors' bindings only once.
import { readFileSync } from 'node:fs'
import * as Y from 'yjs'
import { ySyncPlugin } from 'y-prosemirror'
import { yCollab } from 'y-codemirror.next'

const doc = new Y.Doc()
doc.getText('content').insert(0, 'héllo 😀')
const { version } = JSON.parse(readFileSync('node_modules/yjs/package.json', 'utf8'))
const bindings = [ySyncPlugin, yCollab].map((binding) => typeof binding)
console.log(JSON.stringify({ yjs: version, text: doc.getText('content').toString(), bindings }))
