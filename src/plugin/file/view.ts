// What a reply out of one zone is made of, for a client that wants signatures (DO) or not: rrsets with their signatures,
// the authority section, glue and the addresses of targets (CoreDNS plugin/file).

import { equalNames, foldName, isWithin, type Name, nameKey } from '../../wire/name.ts'
import { type Rr, soaMinimum, withTtl } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { Node, ZoneImage } from './image.ts'

/** The name under which replies are counted. */
export const PLUGIN = 'file'

/** Types whose targets get their addresses in the additional section, and where the target begins. */
const TARGET_AT: ReadonlyMap<number, number> = new Map([
  [TYPE.MX, 2],
  [TYPE.SRV, 6],
  [TYPE.SVCB, 2],
  [TYPE.HTTPS, 2],
])

/** The name that begins at rdata[at]. */
function nameAt(rdata: Uint8Array, at: number): Name {
  let end = at
  while (rdata[end]! > 0) end += rdata[end]! + 1
  return rdata.subarray(at, end + 1)
}

export class ZoneView {
  readonly zone: ZoneImage
  readonly #dnssecOk: boolean

  constructor(zone: ZoneImage, dnssecOk: boolean) {
    this.zone = zone
    this.#dnssecOk = dnssecOk
  }

  /** The rrset with its signatures, under `owner` where a wildcard gives it. */
  rrset(node: Node, type: number, owner?: Name): Rr[] {
    const records = this.zone.rrset(node, type, owner)
    return records.length > 0 ? [...records, ...this.#signatures(node, type, owner)] : records
  }

  #signatures(node: Node, type: number, owner?: Name): Rr[] {
    return this.#dnssecOk ? this.zone.signatures(node, type, owner) : []
  }

  /** The zone's name servers, for the authority section of an answer. */
  nameservers(): Rr[] {
    return this.rrset(this.zone.apex, TYPE.NS)
  }

  soa(): Rr[] {
    return [this.zone.soa, ...this.#signatures(this.zone.apex, TYPE.SOA)]
  }

  /** The SOA as negative answers carry it: for how long they hold is its TTL (RFC 2308 section 3). */
  negativeSoa(): Rr[] {
    const { soa } = this.zone
    const ttlSeconds = Math.min(soa.ttlSeconds, soaMinimum(soa))
    return this.soa().map(record => withTtl(record, ttlSeconds))
  }

  /** That the name of a node has no other types (RFC 4035 3.1.3.1). */
  denialOfType(node: Node): Rr[] {
    return this.#dnssecOk ? this.rrset(node, TYPE.NSEC) : []
  }

  /** That names do not exist, each proof once (RFC 4035 3.1.3.2). */
  denialOfNames(...names: readonly Name[]): Rr[] {
    if (!this.#dnssecOk || !this.zone.has(this.zone.apex, TYPE.NSEC)) return []
    const nodes = new Set(names.map(name => this.zone.denier(name)))
    return [...nodes].flatMap(node => this.rrset(node, TYPE.NSEC))
  }

  /** Addresses of the name servers that lie below the cut itself: nobody else could tell them. */
  glue(nameservers: readonly Rr[]): Rr[] {
    return nameservers.flatMap(({ type, owner, rdata }) =>
      type === TYPE.NS && isWithin(rdata, owner) ? this.#addresses(rdata) : [],
    )
  }

  /** Addresses of the targets of an answer that lie in the zone, each target once. */
  targets(answer: readonly Rr[]): Rr[] {
    const seen = new Set<string>()
    return answer.flatMap(({ type, rdata }) => {
      const at = TARGET_AT.get(type)
      if (at === undefined) return []
      const target = nameAt(rdata, at)
      const key = nameKey(target)
      if (seen.has(key)) return []
      seen.add(key)
      return this.#addresses(target)
    })
  }

  #addresses(name: Name): Rr[] {
    const node = isWithin(name, this.zone.origin) ? this.zone.find(name) : 0
    return node === 0 ? [] : [...this.rrset(node, TYPE.A), ...this.rrset(node, TYPE.AAAA)]
  }

  /**
   * The highest zone cut at or above a name of the zone, or 0. The DS records of a cut belong to this side of it
   * (RFC 4035 3.1.4.1): for them the name itself is none.
   */
  cutAbove(name: Name, qtype: number): Node {
    for (const at of labelStarts(name, name.length - this.zone.origin.length)) {
      const node = this.zone.find(name, at)
      if (node === 0) return 0
      if (this.isCut(node, at === 0, qtype)) return node
    }
    return 0
  }

  /** Whether a node is a zone cut; `asked` says that it is the name asked for. */
  isCut(node: Node, asked: boolean, qtype: number): boolean {
    return node !== this.zone.apex && this.zone.has(node, TYPE.NS) && !(asked && qtype === TYPE.DS)
  }

  /** The authority and additional sections of a referral. */
  referral(cut: Node): { readonly authority: Rr[]; readonly additional: Rr[] } {
    const nameservers = this.zone.rrset(cut, TYPE.NS)
    const ds = this.#dnssecOk ? this.rrset(cut, TYPE.DS) : []
    return { authority: [...nameservers, ...ds], additional: this.glue(nameservers) }
  }

  /** A name that exists for the names below it only, and the apex where it has but its SOA and NS: CoreDNS passes both on. */
  isBare(node: Node): boolean {
    if (node !== this.zone.apex) return this.zone.isEmpty(node)
    return this.zone.types(node).every(type => type === TYPE.NS)
  }

  isOrigin(name: Name): boolean {
    return equalNames(name, this.zone.origin)
  }
}

/** Where the labels left of name[end] begin, from right to left. */
export function labelStarts(name: Name, end: number): number[] {
  const starts: number[] = []
  for (let at = 0; at < end; at += name[at]! + 1) starts.unshift(at)
  return starts
}

/** `*` before the name that begins at name[at]: the source of synthesis below it (RFC 4592 3.3.1). */
export function wildcardOf(name: Name, at: number): Name {
  return Uint8Array.of(1, 0x2a, ...foldName(name.subarray(at)))
}
