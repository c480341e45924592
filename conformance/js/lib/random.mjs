// Random numbers that can be had again: set FJORD_SEED to the printed seed.

export class Random {
  /** @param {number} seed any 32-bit integer */
  constructor (seed) { this.state = seed >>> 0 }

  /** @returns {number} an integer in [0, n) (mulberry32) */
  below (n) {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 4294967296 * n)
  }

  pick (list) { return list[this.below(list.length)] }
}

/** A seed for one check, printed where the check's failure is read. */
export const seeded = (t) => {
  const seed = process.env.FJORD_SEED ? Number(process.env.FJORD_SEED) : Math.floor(Math.random() * 2 ** 31)
  t.diagnostic(`FJORD_SEED=${seed}`)
  return new Random(seed)
}
