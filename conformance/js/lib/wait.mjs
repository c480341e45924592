// Waiting with a deadline. No check in this suite sleeps and then looks: each
// says what must come true, and by when.
//
// Machines that are busy stand still for seconds. So a deadline is long where it
// only says that something has failed, and also counts looks: whoever was stopped
// while the time ran out looks again before it complains.

/** How long a check waits for what need not come soon, in ms. */
export const patience = 120_000
/**
 * What "at once" may take, in ms: too little for a client's own heartbeat (15 s in
 * y-protocols), or its end of patience with the silent (30 s), to do it instead of
 * the server.
 */
export const atOnce = 10_000
/** For node:test's timeout option, in ms: the end of a check that hangs elsewhere. */
export const longest = 600_000

const pause = 5
/** How often until looks at least: in half a second of a process that runs. */
const looks = 100

/**
 * Polls until condition() gives something truthy, and returns that.
 * @param {string} what ends the sentence "within 5000 ms: …"
 * @param {() => any} condition may be async; a throw counts as "not yet" and is shown if time runs out
 * @param {{within?: number, shows?: () => any}} [options] within in ms; shows adds what was seen to the failure
 */
export const until = async (what, condition, { within = patience, shows } = {}) => {
  const started = performance.now()
  let problem
  for (let looked = 1; ; looked++) {
    try {
      const result = await condition()
      if (result) return result
      problem = undefined
    } catch (error) {
      problem = error
    }
    if (performance.now() - started > within && looked >= looks) {
      const seen = shows ? `; saw ${JSON.stringify(shows())}` : ''
      throw new Error(`within ${within} ms: ${what}${seen}`, { cause: problem })
    }
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}

/** Settles as promise does, or fails after `within` ms. */
export const inTime = async (what, promise, within = patience) => {
  let settled
  promise.then(() => { settled = true }, () => { settled = true })
  await until(what, () => settled, { within })
  return promise
}

/** Lets sockets and timers have their turn. */
export const turn = () => new Promise((resolve) => setImmediate(resolve))
