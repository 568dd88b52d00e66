// Chance that follows from a seed.
export class Dice {
  constructor (seed) { this.state = seed | 0 }

  // The numbers of mulberry32, from 0 to 1.
  next () {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  below (count) { return Math.floor(this.next() * count) }
  of (things) { return things[this.below(things.length)] }
  is (share) { return this.next() < share }
}
