// Fjord's services over Connect, in JSON: what any program may ask.

import { until } from './wait.mjs'

/** "unavailable" says that it can be asked again, and all of these can. */
const unavailable = 503

const call = async (rpc, method, body) => {
  let response, answer
  await until(`${method} is answered`, async () => {
    response = await fetch(`${rpc}/fjord.rooms.v1.${method}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    answer = await response.json()
    return response.status !== unavailable
  }, { shows: () => answer })
  if (!response.ok) throw new Error(`${method}: ${response.status} ${JSON.stringify(answer)}`)
  return answer
}

/** @returns {Promise<Uint8Array>} a room's document as one v1 update */
export const getDocument = async (rpc, room) => {
  const { update = '' } = await call(rpc, 'DocumentsService/GetDocument', { room })
  return Buffer.from(update, 'base64')
}

/** Adds a v1 update to a room's document; it is stored when this returns. */
export const applyUpdate = (rpc, room, update) =>
  call(rpc, 'DocumentsService/ApplyUpdate', { room, update: Buffer.from(update).toString('base64') })

/** Takes back what somebody was granted. */
export const revoke = (rpc, revocation) => call(rpc, 'RoomsService/Revoke', revocation)
