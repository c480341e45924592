// Waiting with a deadline. No check in this suite sleeps and then looks: each
// says what must come true, and by when.

/**
 * Polls until condition() gives something truthy, and returns that.
 * @param {string} what ends the sentence "within 5000 ms: …"
 * @param {() => any} condition may be async; a throw counts as "not yet" and is shown if time runs out
 * @param {{within?: number, shows?: () => any}} [options] within in ms; shows adds what was seen to the failure
 */
export const until = async (what, condition, { within = 10_000, shows } = {}) => {
  const started = performance.now()
  let problem
  for (;;) {
    try {
      const result = await condition()
      if (result) return result
      problem = undefined
    } catch (error) {
      problem = error
    }
    if (performance.now() - started > within) {
      const seen = shows ? `; saw ${JSON.stringify(shows())}` : ''
      throw new Error(`within ${within} ms: ${what}${seen}`, { cause: problem })
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Settles as promise does, or fails after `within` ms. */
export const inTime = (what, promise, within = 10_000) => {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`within ${within} ms: ${what}`)), within)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** Lets sockets and timers have their turn. */
export const turn = () => new Promise((resolve) => setImmediate(resolve))
