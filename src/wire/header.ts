// The twelve octets at the head of every message (RFC 1035 4.1.1):
//
//   0 id  2 QR|opcode|AA|TC|RD  3 RA|Z|AD|CD|rcode  4 QDCOUNT  6 ANCOUNT  8 NSCOUNT  10 ARCOUNT

/** Octets of a header. */
export const HEADER_OCTETS = 12

/** Bits of octet 2. */
export const FLAG_QR = 0x80
export const FLAG_AA = 0x04
export const FLAG_TC = 0x02
export const FLAG_RD = 0x01
/** Bits of octet 3. */
export const FLAG_RA = 0x80
export const FLAG_AD = 0x20
export const FLAG_CD = 0x10

/** Smallest payload every client accepts (RFC 1035 2.3.4, RFC 6891 6.2.3). */
export const PAYLOAD_MIN = 512
/** The payload we announce and by default never exceed over UDP: no fragments on common paths (RFC 9715). */
export const PAYLOAD_DEFAULT = 1232
/** The largest message over TCP (RFC 1035 4.2.2). */
export const MESSAGE_MAX = 65535

export const readU16 = (octets: Uint8Array, at: number): number => (octets[at]! << 8) | octets[at + 1]!

export function writeU16(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >> 8
  octets[at + 1] = value
}

export const readU32 = (octets: Uint8Array, at: number): number =>
  ((octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!) >>> 0

export function writeU32(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 24
  octets[at + 1] = value >>> 16
  octets[at + 2] = value >>> 8
  octets[at + 3] = value
}
