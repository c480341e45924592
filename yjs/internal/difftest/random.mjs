// A small seeded generator (mulberry32), so that every program can be made again
// from its number. Several numbers make a generator of their own: what one part of
// a program draws doesn't move what another part draws.
export class Random {
  constructor (...seeds) {
    this.state = 1013904223
    for (const seed of seeds) {
      this.state = (this.state ^ Math.imul(seed % 4294967296 | 0, 2654435761) ^ Math.floor(seed / 4294967296)) >>> 0
      this.state = Math.floor(this.next() * 4294967296)
    }
  }

  next () {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  int (n) { return Math.floor(this.next() * n) }
  chance (p) { return this.next() < p }
  pick (list) { return list[this.int(list.length)] }

  shuffle (list) {
    const out = list.slice()
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.int(i + 1)
      ;[out[i], out[j]] = [out[j], out[i]]
    }
    return out
  }
}
