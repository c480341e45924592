// Says in words what a frame is, for the comments of a transcript.

import * as decoding from 'lib0/decoding'

const sync = (d) => {
  const type = decoding.readVarUint(d)
  const body = decoding.readVarUint8Array(d)
  return `${['step 1', 'step 2', 'update', 'cross'][type]}, ${body.length} bytes`
}

const awareness = (d) => {
  const update = decoding.createDecoder(decoding.readVarUint8Array(d))
  const words = []
  for (let n = decoding.readVarUint(update); n > 0; n--) {
    const client = decoding.readVarUint(update)
    words.push(`${client} at ${decoding.readVarUint(update)} ${decoding.readVarString(update)}`)
  }
  return `awareness: ${words.join(', ') || 'nobody'}`
}

const auth = (d) => {
  switch (decoding.readVarUint(d)) {
    case 0: return `token ${JSON.stringify(decoding.readVarString(d)).slice(0, 24)}` + (decoding.hasContent(d) ? `, version ${decoding.readVarString(d)}` : '')
    case 1: return `denied: ${decoding.readVarString(d)}`
    default: return `may ${decoding.readVarString(d)}`
  }
}

/** Messages of y-websocket, y-sweet and ELVA, which open alike. */
export const plain = (frame) => {
  const d = decoding.createDecoder(frame)
  const type = decoding.readVarUint(d)
  const second = () => decoding.readUint8(d)
  const body = () => Buffer.from(decoding.readVarUint8Array(d)).toString('latin1')
  switch (type) {
    case 0: return sync(d)
    case 1: return awareness(d)
    case 2: return second() === 0 ? `denied: ${body()}` : 'auth'
    case 3: return 'who is there?'
    case 102: return `sync status ${Buffer.from(decoding.readVarUint8Array(d)).toString('hex')}`
    case 0x49: second(); return `I am ${body()}`
    case 0x52: return second() === 0x4f ? 'read' : 'read and write'
    case 0x44: return `data ${['request', 'offer', 'order', 'transfer'][second() - 1]}: ${body()}`
    default: return 'unknown'
  }
}

/** Messages of Hocuspocus. */
export const addressed = (frame) => {
  if (frame.length === 1) return { 9: 'ping', 10: 'pong' }[frame[0]]
  const d = decoding.createDecoder(frame)
  const address = decoding.readVarString(d)
  const type = decoding.readVarUint(d)
  const words = {
    0: () => sync(d),
    1: () => awareness(d),
    2: () => auth(d),
    3: () => 'who is there?',
    5: () => `stateless: ${decoding.readVarString(d)}`,
    7: () => 'leave',
    8: () => decoding.readVarUint(d) === 1 ? 'saved' : 'refused'
  }[type]()
  return `${address.replace('\0', ' session ')}: ${words}`
}
