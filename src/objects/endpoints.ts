// The endpoints of a slice as one text: a hundred thousand of them are most of what a large cluster has, and as objects each
// costs 150 octets of memory where 6 are enough. One character is one octet.
//
//   flags  1: IPv6  2: hostname  4: target name  8: topology zone
//   address of 4 or 16 octets, then each text that the flags name, its length before it
//
// Equal endpoints in the same order are equal texts.

import { ipFromBytes, parseIp } from '../shared/ip.ts'

/** One ready address of an EndpointSlice (ready is true or absent). */
export interface SlimEndpoint {
  /** A canonical IP address. */
  readonly address: string
  /** The endpoint's own hostname, lower case, or ''. */
  readonly hostname: string
  /** targetRef.name, or '' (kept only where endpoint_pod_names needs it). */
  readonly targetName: string
  /** The topology zone, lower case, or '' (kept only where `zonal` needs it). */
  readonly zone: string
}

/** Endpoints as packEndpoints makes them; '' is none. */
export type PackedEndpoints = string

const FLAG = { V6: 1, HOSTNAME: 2, TARGET: 4, ZONE: 8 } as const
/** A length has one octet; what Kubernetes allows is shorter. */
const TEXT_MAX = 255

/** Packs endpoints; what is no IP address is left out. */
export function packEndpoints(endpoints: Iterable<SlimEndpoint>): PackedEndpoints {
  const parts: string[] = []
  for (const { address, hostname, targetName, zone } of endpoints) {
    const ip = parseIp(address)
    if (ip === undefined) continue
    const flags =
      (ip.family === 6 ? FLAG.V6 : 0) |
      (hostname === '' ? 0 : FLAG.HOSTNAME) |
      (targetName === '' ? 0 : FLAG.TARGET) |
      (zone === '' ? 0 : FLAG.ZONE)
    parts.push(String.fromCharCode(flags, ...ip.bytes))
    for (const text of [hostname, targetName, zone]) {
      const kept = text.slice(0, TEXT_MAX)
      if (kept !== '') parts.push(String.fromCharCode(kept.length), kept)
    }
  }
  // Joined, and not added up: that would keep every part beside the whole.
  return parts.join('')
}

/** Calls back with each endpoint: the 4 or 16 octets of its address as characters, and its texts, '' where it has none. */
export function eachEndpoint(
  packed: PackedEndpoints,
  visit: (address: string, hostname: string, targetName: string, zone: string) => void,
): void {
  for (let at = 0; at < packed.length; ) {
    const flags = packed.charCodeAt(at)
    const addressEnd = at + 1 + (flags & FLAG.V6 ? 16 : 4)
    const address = packed.slice(at + 1, addressEnd)
    at = addressEnd
    const take = (flag: number): string => {
      if ((flags & flag) === 0) return ''
      const from = at + 1
      at = from + packed.charCodeAt(at)
      return packed.slice(from, at)
    }
    const hostname = take(FLAG.HOSTNAME)
    const targetName = take(FLAG.TARGET)
    visit(address, hostname, targetName, take(FLAG.ZONE))
  }
}

/** The endpoints as objects, for those who show them. */
export function unpackEndpoints(packed: PackedEndpoints): SlimEndpoint[] {
  const endpoints: SlimEndpoint[] = []
  eachEndpoint(packed, (octets, hostname, targetName, zone) => {
    const address = ipFromBytes(Buffer.from(octets, 'latin1')).text
    endpoints.push({ address, hostname, targetName, zone })
  })
  return endpoints
}
