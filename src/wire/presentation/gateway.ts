// Keys with the gateways that they are for: IPSECKEY (RFC 4025 section 3), AMTRELAY (RFC 8777 4.3), HIP (RFC 8005 section 6).

import type { Cursor, Reader } from './cursor.ts'
import { base64, base64Word, hexWord, ipv4, ipv6, name, u8, unsigned } from './field.ts'

const NOTHING = new Uint8Array(0)

/** A gateway of the kind that a number before it tells: none, written as a dot, an address, or a name. */
function gateway(cursor: Cursor, kind: number): Uint8Array | undefined {
  if (kind === 1) return ipv4(cursor)
  if (kind === 2) return ipv6(cursor)
  if (kind === 3) return name(cursor)
  if (kind !== 0) return cursor.fail('this is not a kind of gateway, 0 to 3')
  return cursor.take('a dot for no gateway') === '.' ? NOTHING : cursor.fail('no gateway is written as a dot')
}

/** What is behind the precedence of IPSECKEY: the gateway's kind, the algorithm, the gateway, the key if there is one. */
export const ipsecGateway: Reader = cursor => {
  const kind = u8(cursor)
  const algorithm = kind && u8(cursor)
  const written = algorithm && gateway(cursor, kind[0]!)
  const key = written && (cursor.has ? base64(cursor) : NOTHING)
  return key && Buffer.concat([kind, algorithm, written, key])
}

/** What is behind the precedence of AMTRELAY: whether discovery is optional, the relay's kind, the relay. */
export const amtRelay: Reader = cursor => {
  const discovery = cursor.take('0 or 1')
  if (discovery === undefined) return undefined
  if (discovery !== '0' && discovery !== '1') return cursor.fail('this is neither 0 nor 1')
  const kind = u8(cursor)
  const written = kind && gateway(cursor, kind[0]!)
  return written && Buffer.concat([Uint8Array.of((Number(discovery) << 7) | kind[0]!), written])
}

/** The algorithm, the host identity tag, its key, and rendezvous servers, if there are any. */
export const hostIdentity: Reader = cursor => {
  const algorithm = u8(cursor)
  const tag = algorithm && hexWord(cursor)
  const key = tag && base64Word(cursor)
  if (!key) return undefined
  if (tag.length > 255) return cursor.fail('a tag of more than 255 octets')
  const servers: Uint8Array[] = []
  while (cursor.has) {
    const server = name(cursor)
    if (server === undefined) return undefined
    servers.push(server)
  }
  return Buffer.concat([Uint8Array.of(tag.length), algorithm, unsigned(key.length, 2), tag, key, ...servers])
}
