// What a document shows, in the one form that tests compare: [body, meta].
import * as Y from 'yjs'

export function rootsOf (doc, shape) {
  const body = shape === 'rich' ? doc.getXmlFragment('prosemirror') : doc.getText('content')
  return { body, meta: doc.getMap('meta') }
}

export function shownIn (doc, shape) {
  const { body, meta } = rootsOf(doc, shape)
  return [shape === 'rich' ? body.toArray().map(tree) : body.toString(), plain(meta)]
}

function tree (node) {
  const attributes = mapped(node.getAttributes())
  if (node instanceof Y.XmlElement) return [node.nodeName, attributes, node.toArray().map(tree)]
  const runs = []
  for (const { insert, attributes } of node.toDelta()) {
    const marks = mapped(attributes ?? {})
    const last = runs.at(-1)
    if (typeof insert === 'string' && last?.[2] === 'text' && same(last[1], marks)) last[0] += insert
    else runs.push([plain(insert), marks, typeof insert === 'string' ? 'text' : 'embed'])
  }
  return [attributes, runs]
}

function plain (value) {
  if (value instanceof Y.Map) return mapped(Object.fromEntries(value.entries()))
  if (value instanceof Y.Array) return value.toArray().map(plain)
  if (value instanceof Y.XmlElement || value instanceof Y.XmlText) return tree(value)
  if (value instanceof Y.Text) return value.toString()
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') }
  if (Array.isArray(value)) return value.map(plain)
  return value !== null && typeof value === 'object' ? mapped(value) : value
}

function mapped (values) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, plain(value)]))
}

function same (one, other) {
  const sorted = marks => JSON.stringify(Object.entries(marks).sort())
  return sorted(one) === sorted(other)
}
