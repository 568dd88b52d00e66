// Histories of real Yjs documents: several clients edit, undo, redo, and hear of each other late.
// A line {seed, shape, clients} in; out {updates, shown}: what each client said, in an order in which it
// can be heard, with how many of each client's updates it had heard; and what each shows in the end.
import * as Y from 'yjs'
import { createInterface } from 'node:readline'
import { Dice } from './dice.mjs'
import { rootsOf, shownIn } from './visible.mjs'

const STEPS = 48
const LOCAL = 'this editor'
const REMOTE = 'another'
const WORDS = ['a', 'bc', 'é', '😀', 'x😀y', '\n', '日本', 'مرحبا', '\u0301', '👩‍👩‍👧', 'a longer run of words']
const MARKS = [{ bold: {} }, { italic: {} }, { link: { href: 'https://example.org' } }, { bold: null }, { italic: null }]
const BLOCKS = ['paragraph', 'heading', 'bulletList', 'listItem', 'blockquote']
const VALUES = ['Plan', 3, 2.5, true, null, new Uint8Array([0, 255]), ['a', { b: [1] }], { '😀': 'é' }]

class Client {
  constructor (number, clients, shape, said) {
    this.shape = shape
    this.heard = clients.map(() => 0)
    this.doc = new Y.Doc()
    this.doc.clientID = clients[number]
    this.roots = rootsOf(this.doc, shape)
    this.doc.on('update', (update, origin) => {
      if (origin === REMOTE) return
      said.push({ author: number, heard: [...this.heard], update })
      this.heard[number]++
    })
    this.undo = new Y.UndoManager(Object.values(this.roots), { trackedOrigins: new Set([LOCAL]), captureTimeout: 1e9 })
  }

  canHear (op) {
    return op.heard[op.author] === this.heard[op.author] && op.heard.every((count, n) => count <= this.heard[n])
  }

  hear (op) {
    this.heard[op.author]++
    Y.applyUpdate(this.doc, op.update, REMOTE)
  }

  edit (dice) {
    if (dice.is(0.5)) this.undo.stopCapturing()
    const kind = dice.next()
    if (kind < 0.12) return this.undo.undo()
    if (kind < 0.2) return this.undo.redo()
    this.doc.transact(() => {
      for (let left = dice.of([1, 1, 1, 2, 4]); left > 0; left--) {
        if (dice.is(0.15)) editMap(this.roots.meta, dice)
        else if (this.shape === 'rich') editTree(this.roots.body, dice)
        else editWords(this.roots.body, dice)
      }
    }, LOCAL)
  }
}

function editMap (map, dice) {
  const key = dice.of(['title', 'schema', 'tags'])
  if (map.has(key) && dice.is(0.3)) map.delete(key)
  else if (dice.is(0.7)) map.set(key, dice.of(VALUES))
  else map.set(key, dice.of([() => new Y.Map([['a', 1]]), () => Y.Array.from([1, 'b']), () => new Y.Text('deep')])())
}

// Offsets, in UTF-16 units, between characters.
function boundariesOf (text) {
  const found = [0]
  for (const { insert } of text.toDelta()) {
    const sizes = typeof insert === 'string' ? [...insert].map(character => character.length) : [1]
    for (const size of sizes) found.push(found.at(-1) + size)
  }
  return found
}

function editWords (text, dice) {
  const boundaries = boundariesOf(text)
  const [start, end] = [dice.below(boundaries.length), dice.below(boundaries.length)].sort((a, b) => a - b)
  if (start < end && dice.is(0.35)) {
    const last = Math.min(end, start + dice.of([1, 3, 20]))
    text.delete(boundaries[start], boundaries[last] - boundaries[start])
  } else if (start < end && text instanceof Y.XmlText && dice.is(0.5)) {
    text.format(boundaries[start], boundaries[end] - boundaries[start], dice.of(MARKS))
  } else {
    text.insert(boundaries[dice.of([start, end, boundaries.length - 1])], dice.of(WORDS))
  }
}

function editTree (fragment, dice) {
  const blocks = [fragment]
  const texts = []
  for (const node of fragment.createTreeWalker(() => true)) (node instanceof Y.XmlText ? texts : blocks).push(node)
  const kind = dice.next()
  if (kind < 0.3 || texts.length === 0) editBlocks(dice.of(blocks), dice)
  else if (kind < 0.4 && blocks.length > 1) editAttributes(dice.of(blocks.slice(1)), dice)
  else editWords(dice.of(texts), dice)
}

function editAttributes (block, dice) {
  const name = dice.of(['level', 'align'])
  if (block.getAttribute(name) !== undefined && dice.is(0.3)) block.removeAttribute(name)
  else block.setAttribute(name, dice.of([1, 2, 'left', true]))
}

function editBlocks (parent, dice) {
  if (parent.length > 0 && dice.is(0.3)) return parent.delete(dice.below(parent.length), 1)
  const block = new Y.XmlElement(dice.of(BLOCKS))
  if (dice.is(0.5)) block.setAttribute('level', 1)
  if (dice.is(0.8)) block.insert(0, [new Y.XmlText(dice.of(WORDS))])
  parent.insert(dice.below(parent.length + 1), [block])
}

function play ({ seed, shape, clients }) {
  const dice = new Dice(seed)
  const said = []
  const everybody = clients.map((_, number) => new Client(number, clients, shape, said))
  const hearOne = one => {
    const ready = said.filter(op => one.canHear(op))
    if (ready.length > 0) one.hear(dice.of(ready))
    return ready.length > 0
  }
  for (let step = 0; step < STEPS; step++) {
    const one = dice.of(everybody)
    if (dice.is(0.5)) one.edit(dice)
    else for (let left = dice.below(6); left > 0 && hearOne(one); left--);
  }
  // Whoever hears of marks may clean up behind them, and says so: until all have heard all.
  while (everybody.some(hearOne));
  return {
    updates: said.map(op => ({ ...op, update: Buffer.from(op.update).toString('base64') })),
    shown: everybody.map(one => shownIn(one.doc, shape))
  }
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(play(JSON.parse(line))))
