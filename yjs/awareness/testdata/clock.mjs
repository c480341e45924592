// Time stands still but when it is told. To be imported before y-protocols.
export const clock = { now: 0, ticks: [] }

Date.now = () => clock.now
globalThis.setInterval = f => clock.ticks.push(f)
globalThis.clearInterval = () => {}
