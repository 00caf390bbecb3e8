// The endpoints of a slice as one text: a hundred thousand of them are most of what a large cluster has, and as objects each
// costs 150 octets of memory where 6 are enough. One character is one octet.
//
//   flags  1: IPv6  2: hostname  4: target name  8: topology zone  32: place  16: all four are those of the endpoint before
//   address of 4 or 16 octets, then each text that the flags name, its length before it
//
// Equal endpoints in the same order are equal texts.

import { ipFromBytes, readIp } from '../shared/ip.ts'

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
  /** NODE,NODE/ZONE,ZONE: the nodes and the zones that it is for; absent or '' but where `topology` needs it. */
  readonly place?: string
}

/** Endpoints as packEndpoints makes them; '' is none. */
export type PackedEndpoints = string

const FLAG = { V6: 1, HOSTNAME: 2, TARGET: 4, ZONE: 8, SAME: 16, PLACE: 32 } as const
const KNOWN_FLAGS = FLAG.V6 | FLAG.HOSTNAME | FLAG.TARGET | FLAG.ZONE | FLAG.SAME | FLAG.PLACE
/** Octets of each of an endpoint's texts, whose length has one: longer ones lose their end. */
export const TEXT_MAX = 255
/** The most that one endpoint takes. */
const ENDPOINT_MAX_OCTETS = 1 + 16 + 4 * (1 + TEXT_MAX)
const FIRST_OCTETS = 16 * 1024
/** A packer's buffer that has become larger is not kept. */
const KEPT_OCTETS = 256 * 1024

/** The buffer of the last packer, for the next one. */
let spare: Buffer | undefined

/** Packs endpoints one after another. */
export class EndpointPacker {
  #octets: Buffer
  #length = 0
  #hostname = ''
  #targetName = ''
  #zone = ''
  #place = ''

  constructor() {
    this.#octets = spare ?? Buffer.allocUnsafe(FIRST_OCTETS)
    spare = undefined
  }

  /** Adds an endpoint; false, and nothing is added, where the address is none. */
  add(address: string, hostname: string, targetName: string, zone: string, place = ''): boolean {
    const at = this.#length
    if (at + ENDPOINT_MAX_OCTETS > this.#octets.length) this.#grow()
    const octets = readIp(address, this.#octets, at + 1)
    if (octets === 0) return false
    this.#length = at + 1 + octets
    this.#octets[at] = (octets === 16 ? FLAG.V6 : 0) | this.#texts(hostname, targetName, zone, place)
    return true
  }

  /** All that was added; the packer is of no use any more. */
  finish(): PackedEndpoints {
    const packed = this.#octets.toString('latin1', 0, this.#length)
    if (this.#octets.length <= KEPT_OCTETS) spare = this.#octets
    return packed
  }

  #texts(hostname: string, targetName: string, zone: string, place: string): number {
    const same =
      hostname === this.#hostname &&
      targetName === this.#targetName &&
      zone === this.#zone &&
      place === this.#place
    this.#hostname = hostname
    this.#targetName = targetName
    this.#zone = zone
    this.#place = place
    if (hostname === '' && targetName === '' && zone === '' && place === '') return 0
    if (same) return FLAG.SAME
    return (
      this.#text(hostname, FLAG.HOSTNAME) |
      this.#text(targetName, FLAG.TARGET) |
      this.#text(zone, FLAG.ZONE) |
      this.#text(place, FLAG.PLACE)
    )
  }

  #text(text: string, flag: number): number {
    if (text === '') return 0
    const length = Math.min(TEXT_MAX, text.length)
    this.#octets[this.#length++] = length
    this.#length += this.#octets.write(text, this.#length, length, 'latin1')
    return flag
  }

  #grow(): void {
    const grown = Buffer.allocUnsafe(2 * this.#octets.length)
    this.#octets.copy(grown, 0, 0, this.#length)
    this.#octets = grown
  }
}

/** Packs endpoints; what is no IP address is left out. */
export function packEndpoints(endpoints: Iterable<SlimEndpoint>): PackedEndpoints {
  const packer = new EndpointPacker()
  for (const { address, hostname, targetName, zone, place } of endpoints)
    packer.add(address, hostname, targetName, zone, place)
  return packer.finish()
}

/** Stands on one endpoint after another. */
export class EndpointCursor {
  readonly #packed: PackedEndpoints
  #at = 0
  /** The 4 or 16 octets of the address as characters. */
  address = ''
  /** '' where there is none, as the other three. */
  hostname = ''
  targetName = ''
  zone = ''
  place = ''

  constructor(packed: PackedEndpoints) {
    this.#packed = packed
  }

  /** Moves to the next endpoint; false behind the last. */
  next(): boolean {
    const packed = this.#packed
    if (this.#at >= packed.length) return false
    const flags = packed.charCodeAt(this.#at)
    const addressEnd = this.#at + 1 + (flags & FLAG.V6 ? 16 : 4)
    this.address = packed.slice(this.#at + 1, addressEnd)
    this.#at = addressEnd
    if ((flags & FLAG.SAME) !== 0) return true
    this.hostname = this.#take(flags & FLAG.HOSTNAME)
    this.targetName = this.#take(flags & FLAG.TARGET)
    this.zone = this.#take(flags & FLAG.ZONE)
    this.place = this.#take(flags & FLAG.PLACE)
    return true
  }

  #take(flag: number): string {
    if (flag === 0) return ''
    const from = this.#at + 1
    this.#at = from + this.#packed.charCodeAt(this.#at)
    return this.#packed.slice(from, this.#at)
  }
}

/** Whether a text is one that a packer makes, to its last character: what reads it does not look. */
export function isPacked(text: string): boolean {
  for (let at = 0; at < text.length; ) {
    const flags = text.charCodeAt(at)
    const texts = flags & (FLAG.HOSTNAME | FLAG.TARGET | FLAG.ZONE | FLAG.PLACE)
    if (flags > KNOWN_FLAGS || (flags & FLAG.SAME && texts !== 0)) return false
    let end = at + 1 + (flags & FLAG.V6 ? 16 : 4)
    for (let left = texts; left !== 0; left &= left - 1) end += 1 + text.charCodeAt(end)
    // NaN, where a length is missing, is no end either.
    if (!(end <= text.length)) return false
    for (; at < end; at++) if (text.charCodeAt(at) > 0xff) return false
  }
  return true
}

/** The endpoints as objects, for those who show them. */
export function unpackEndpoints(packed: PackedEndpoints): SlimEndpoint[] {
  const endpoints: SlimEndpoint[] = []
  const cursor = new EndpointCursor(packed)
  while (cursor.next()) {
    const { hostname, targetName, zone, place } = cursor
    const address = ipFromBytes(Buffer.from(cursor.address, 'latin1')).text
    endpoints.push({ address, hostname, targetName, zone, ...(place !== '' && { place }) })
  }
  return endpoints
}
