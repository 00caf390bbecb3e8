// A reply out of one zone, as it is put together (CoreDNS plugin/file): which rrsets of the zone's image stand in which
// section, with their signatures where the client wants them (DO), glue and the addresses of targets. Octets are copied
// once, out of the image into the message.

import type { Packet } from '../../query/packet.ts'
import type { Composer } from '../../wire/composer.ts'
import type { ExtendedError } from '../../wire/extended-error.ts'
import { FLAG_AA, FLAG_TC, readU16 } from '../../wire/header.ts'
import { copyName } from '../../wire/message-name.ts'
import { isWithin, NAME_MAX_OCTETS, type Name, nameKey } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { type Rr, soaMinimum } from '../../wire/record.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import { RecordWalk, SECTION } from '../../wire/walk.ts'
import type { Node, ZoneImage } from './image.ts'
import { labelStarts } from './names.ts'

const { ANSWER, AUTHORITY, ADDITIONAL } = SECTION

/** Types whose targets get their addresses in the additional section, and where the target begins. */
const TARGET_AT: ReadonlyMap<number, number> = new Map([
  [TYPE.MX, 2],
  [TYPE.SRV, 6],
  [TYPE.SVCB, 2],
  [TYPE.HTTPS, 2],
])

/** The zone's records of a type at a node, under another name where a wildcard gives them. */
interface Rrset {
  readonly node: Node
  readonly type: number
  readonly owner: Name | undefined
  /** TTLs are no higher. */
  readonly ttlMaxSeconds: number
}

/** What stands in a section: an rrset, a record that was made for the question, or what was found at an alias's end. */
type Piece = Rrset | Rr | 'found'

const isRr = (piece: Rrset | Rr): piece is Rr => 'rdata' in piece

const walk = new RecordWalk()

export class ZoneReply {
  readonly zone: ZoneImage
  readonly qtype: number
  readonly dnssecOk: boolean
  rcode: number = RCODE.NOERROR
  isAuthoritative = true
  /** There is no such name, or nothing is at it: what `fallthrough` hands on. */
  isMissing = false
  /** The name of an alias's end that the whole server is to be asked about: the answer is written behind the alias. */
  target: Name | undefined
  /** Why there is nothing behind an alias. */
  reason: ExtendedError | undefined
  /** What is wrong, where nothing at all can be answered. */
  fault: string | undefined
  /** The wildcard that gave the answer. */
  wildcard: Name | undefined
  readonly #sections: readonly Piece[][] = [[], [], []]

  constructor(zone: ZoneImage, qtype: number, dnssecOk: boolean) {
    this.zone = zone
    this.qtype = qtype
    this.dnssecOk = dnssecOk
  }

  /** Puts an rrset into a section, once; false where the node has none of the type. */
  add(section: number, node: Node, type: number, owner?: Name, ttlMaxSeconds = Infinity): boolean {
    if (!this.zone.has(node, type)) return false
    const pieces = this.#sections[section]!
    const isThere = pieces.some(
      piece =>
        piece !== 'found' &&
        !isRr(piece) &&
        piece.node === node &&
        piece.type === type &&
        piece.owner === owner,
    )
    if (!isThere) pieces.push({ node, type, owner, ttlMaxSeconds })
    return true
  }

  addRecord(section: number, record: Rr): void {
    this.#sections[section]!.push(record)
  }

  /** The zone's name servers, for the authority section of an answer. */
  addNameservers(): this {
    this.add(AUTHORITY, this.zone.apex, TYPE.NS)
    return this
  }

  addSoa(): void {
    this.#addSoa(ANSWER, Infinity)
  }

  /** The SOA as negative answers carry it: for how long they hold is its TTL (RFC 2308 section 3). */
  addNegativeSoa(): void {
    const { soa } = this.zone
    this.#addSoa(AUTHORITY, Math.min(soa.ttlSeconds, soaMinimum(soa)))
  }

  #addSoa(section: number, ttlMaxSeconds: number): void {
    const { apex, soa } = this.zone
    this.#sections[section]!.push({ node: apex, type: TYPE.SOA, owner: soa.owner, ttlMaxSeconds })
  }

  get hasAnswer(): boolean {
    return this.#sections[ANSWER]!.length > 0
  }

  /**
   * Whether a node is a zone cut; `isAsked` says that it is the name asked for, whose DS and NSEC records belong to this side
   * of it (RFC 4035 3.1.4.1).
   */
  isCut(node: Node, isAsked: boolean): boolean {
    const { zone, qtype } = this
    if (node === zone.apex || !zone.has(node, TYPE.NS)) return false
    return !isAsked || !(qtype === TYPE.DS || (qtype === TYPE.NSEC && zone.has(node, TYPE.NSEC)))
  }

  /** The highest zone cut at or above a name of the zone, or 0. */
  cutAbove(name: Name): Node {
    for (const at of labelStarts(name, name.length - this.zone.origin.length)) {
      const node = this.zone.find(name, at)
      if (node === 0) return 0
      if (this.isCut(node, at === 0)) return node
    }
    return 0
  }

  /** Whether the question goes on at the target of the node's CNAME. Beside it may stand its own signature and proof. */
  isAlias(node: Node): boolean {
    const { zone, qtype } = this
    if (qtype === TYPE.CNAME || !zone.has(node, TYPE.CNAME)) return false
    return !((qtype === TYPE.RRSIG || qtype === TYPE.NSEC) && zone.has(node, qtype))
  }

  /** A name that exists for the names below it only, and the apex where it has but its SOA and NS: CoreDNS passes both on. */
  isBare(node: Node): boolean {
    const { zone } = this
    return node === zone.apex ? zone.hasNothingBut(node, TYPE.NS) : zone.isEmpty(node)
  }

  /** Addresses of the name servers of a node that lie below it: nobody else could tell them. */
  addGlue(node: Node): void {
    const { zone } = this
    const owner = zone.nameOf(node)
    this.#eachRecord(node, TYPE.NS, data => {
      const target = nameAt(zone.octets, data)
      if (isWithin(target, owner)) this.#addAddresses(target)
    })
  }

  /** Addresses of the targets of the answer that lie in the zone, each target once. */
  addTargets(found?: Packet): this {
    const seen = new Set<string>()
    const add = (target: Name): void => {
      const key = nameKey(target)
      if (seen.has(key)) return
      seen.add(key)
      this.#addAddresses(target)
    }
    for (const piece of this.#sections[ANSWER]!) {
      if (piece === 'found' || isRr(piece)) continue
      const targetAt = TARGET_AT.get(piece.type)
      if (targetAt === undefined) continue
      this.#eachRecord(piece.node, piece.type, data => add(nameAt(this.zone.octets, data + targetAt)))
    }
    if (found !== undefined) for (const target of targetsFound(found)) add(target)
    return this
  }

  #addAddresses(name: Name): void {
    const node = isWithin(name, this.zone.origin) ? this.zone.find(name) : 0
    if (node === 0) return
    this.add(ADDITIONAL, node, TYPE.A)
    this.add(ADDITIONAL, node, TYPE.AAAA)
  }

  #eachRecord(node: Node, type: number, visit: (data: number) => void): void {
    const { zone } = this
    const rrset = zone.rrsetAt(node, type)
    if (rrset === 0) return
    for (let at = zone.firstOf(rrset), left = zone.countOf(rrset); left > 0; left--, at = zone.nextOf(at))
      visit(zone.dataOf(at))
  }

  /** Behind the alias comes what the server says about its end. */
  addFound(section: number): void {
    this.#sections[section]!.push('found')
  }

  /** Writes the reply; `found` is what the server says about the end of an alias. */
  write(packet: Packet, plugin: number, found?: Packet): void {
    const composer = packet.compose()
    for (let section = 0; section <= ADDITIONAL; section++) {
      const pieces = this.#sections[section]!
      for (let i = 0; i < pieces.length; i++) {
        const piece = pieces[i]!
        if (piece === 'found') writeFound(composer, section, found!)
        else if (isRr(piece)) writeRecord(composer, section, piece)
        else this.#writeRrset(composer, section, piece)
      }
    }
    const truncated = found?.truncated === true
    packet.composed(this.rcode, plugin, (this.isAuthoritative ? FLAG_AA : 0) | (truncated ? FLAG_TC : 0))
    packet.setReason(this.reason?.code ?? -1, this.reason?.text)
  }

  #writeRrset(composer: Composer, section: number, { node, type, owner, ttlMaxSeconds }: Rrset): void {
    const { zone } = this
    const { octets } = zone
    const name = owner ?? octets
    const nameAt = owner === undefined ? node + 1 : 0
    if (type === TYPE.SOA) {
      const { ttlSeconds, rdata } = zone.soa
      const ttl = Math.min(ttlSeconds, ttlMaxSeconds)
      composer.record(section, name, nameAt, type, CLASS.IN, ttl, rdata, 0, rdata.length)
    } else {
      const rrset = zone.rrsetAt(node, type)
      for (let at = zone.firstOf(rrset), left = zone.countOf(rrset); left > 0; left--) {
        const end = zone.nextOf(at)
        const ttl = Math.min(zone.ttlOf(at), ttlMaxSeconds)
        composer.record(section, name, nameAt, type, CLASS.IN, ttl, octets, zone.dataOf(at), end)
        at = end
      }
    }
    if (!this.dnssecOk || type === TYPE.RRSIG) return
    const signatures = zone.rrsetAt(node, TYPE.RRSIG)
    if (signatures === 0) return
    for (let at = zone.firstOf(signatures), left = zone.countOf(signatures); left > 0; left--) {
      const end = zone.nextOf(at)
      const data = zone.dataOf(at)
      // RFC 4034 3.1.1: an RRSIG's data begins with the type that it covers.
      if (readU16(octets, data) === type) {
        const ttl = Math.min(zone.ttlOf(at), ttlMaxSeconds)
        composer.record(section, name, nameAt, TYPE.RRSIG, CLASS.IN, ttl, octets, data, end)
      }
      at = end
    }
  }
}

function writeRecord(composer: Composer, section: number, record: Rr): void {
  const { owner, type, ttlSeconds, rdata } = record
  composer.record(section, owner, 0, type, record.class, ttlSeconds, rdata, 0, rdata.length)
}

function writeFound(composer: Composer, section: number, { out, outAt, length }: Packet): void {
  for (walk.open(out, outAt, outAt + length); walk.next() && walk.section <= section; )
    if (walk.section === section) composer.copy(walk)
}

/** The name that begins at octets[at]: a copy. */
function nameAt(octets: Uint8Array, at: number): Name {
  let end = at
  while (octets[end]! > 0) end += octets[end]! + 1
  return octets.slice(at, end + 1)
}

/** The targets of an answer that was found. */
function targetsFound({ out, outAt, length }: Packet): Name[] {
  const targets: Name[] = []
  for (walk.open(out, outAt, outAt + length); walk.next() && walk.section === ANSWER; ) {
    if (!TARGET_AT.has(walk.type) || walk.nameAt < 0) continue
    const name = new Uint8Array(NAME_MAX_OCTETS + 1)
    targets.push(name.subarray(0, copyName(walk.octets, walk.nameAt, walk.start, name, 0)))
  }
  return targets
}
