// What can be read of a packet that a test sends, however broken it is: the facts that a reply to it is judged by.

/** The facts; what a short or broken packet does not tell is undefined. */
export interface AskedPacket {
  readonly id: number | undefined
  readonly isQuery: boolean
  readonly opcode: number
  readonly rd: boolean
  readonly ad: boolean
  readonly cd: boolean
  readonly questions: number
  /** What its OPT record announces; `none` where all records could be read and there is none; undefined where they could not. */
  readonly edns: AskedEdns | 'none' | undefined
}

export interface AskedEdns {
  readonly udpSize: number
  readonly dnssecOk: boolean
}

const HEADER_OCTETS = 12
const OPT = 41

/** Reads what is there. */
export function readAsked(octets: Uint8Array): AskedPacket {
  const packet = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
  const whole = packet.length >= HEADER_OCTETS
  const high = packet[2] ?? 0
  const low = packet[3] ?? 0
  return {
    id: packet.length >= 2 ? packet.readUInt16BE(0) : undefined,
    isQuery: whole && (high & 0x80) === 0,
    opcode: (high >> 3) & 15,
    rd: (high & 1) !== 0,
    ad: (low & 0x20) !== 0,
    cd: (low & 0x10) !== 0,
    questions: whole ? packet.readUInt16BE(4) : 0,
    edns: whole ? findOpt(packet) : undefined,
  }
}

function findOpt(packet: Buffer): AskedEdns | 'none' | undefined {
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map(at => packet.readUInt16BE(at))
  let at = HEADER_OCTETS
  for (let left = questions!; left > 0; left--) {
    at = nameEnd(packet, at) + 4
    if (!(at <= packet.length)) return undefined
  }
  for (let left = answers! + authorities! + additionals!; left > 0; left--) {
    const fixedAt = nameEnd(packet, at)
    if (!(fixedAt + 10 <= packet.length)) return undefined
    at = fixedAt + 10 + packet.readUInt16BE(fixedAt + 8)
    if (at > packet.length) return undefined
    if (packet.readUInt16BE(fixedAt) !== OPT) continue
    return { udpSize: packet.readUInt16BE(fixedAt + 2), dnssecOk: (packet[fixedAt + 6]! & 0x80) !== 0 }
  }
  return 'none'
}

/** Behind the name, pointers not followed; NaN where it does not end. */
function nameEnd(packet: Buffer, at: number): number {
  while (at < packet.length) {
    const length = packet[at]!
    if (length === 0) return at + 1
    if (length >= 0xc0) return at + 2
    if (length > 63) return Number.NaN
    at += length + 1
  }
  return Number.NaN
}
