// What of an upstream's reply is believed: the answer to the question and what that needs, nothing else (RFC 5452 section 6,
// RFC 2181 5.4.1). An upstream that was lied to cannot pass on records for other names. This is the one place that says so
// (docs/forwarded-answers.md has the reasons):
//
//   answer      the chain from the qname: CNAME, DNAME and the asked type, with their signatures; it ends with the alias that
//               leads into a zone that is served here: who may speak for that is asked, not believed by the way
//   authority   the SOA of a negative reply, where the name lies in its zone; with DO also the proofs (RFC 4035 3.1.3)
//               the NS set of a referral, where the last name lies at or below the cut; with DO also its DS
//   additional  addresses of the names in the answer's own SRV, MX, NS, NAPTR, SVCB and HTTPS records, or in those of the
//               referral; SVCB, HTTPS and SRV of these names, too; with DO their signatures
//
// Beyond the answer section an owner must lie in the zone that the Corefile gives the upstream, and in none that is served here.
//
// Names of the chain are kept in lower case; records are known by their number in the message.

import { readU16 } from '../../wire/header.ts'
import { copyFoldedName, copyName, measureName, sameName } from '../../wire/message-name.ts'
import { NAME_MAX_OCTETS, type Name } from '../../wire/name.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { type RecordWalk, SECTION } from '../../wire/walk.ts'

/** What was asked; the name stands in lower case behind the header of `question`. */
export interface Question {
  readonly question: Uint8Array
  readonly qtype: number
  readonly qclass: number
  readonly dnssecOk: boolean
  /** Whom the upstream may speak for beside the answer; absent: nobody. */
  readonly bounds?: Bounds | undefined
}

/** Names in lower case. */
export interface Bounds {
  /** The zone that the upstream is asked about. */
  readonly zone: Name
  /** Zones that are served here. */
  readonly ours: readonly Name[]
}

/** Links of one chain that are followed; the longest that resolvers make has sixteen. */
export const CHAIN_MAX = 128
/** Records that a message of 65,535 octets can hold. */
const RECORDS_MAX = 5957
const NAME_AT = 12
/** An RRSIG's data up to the signer's name (RFC 4034 3.1). */
const RRSIG_OCTETS = 18
/** A pointer to the name of the question, in a message that has one; the value of no pointer in others. */
const POINTER_TO_QUESTION = 0xc000 | NAME_AT
let askedPointer = POINTER_TO_QUESTION

const LINK = 1
const BELIEVED = 2

/** Of each record. */
const marks = new Uint8Array(RECORDS_MAX)
const ownerAts = new Int32Array(RECORDS_MAX)
const types = new Uint16Array(RECORDS_MAX)
const classes = new Uint16Array(RECORDS_MAX)
const rdataAts = new Int32Array(RECORDS_MAX)
const rdataEnds = new Int32Array(RECORDS_MAX)
/** Of each record that names another one, where that name begins; of those that are believed, once more with its hash. */
const nameAts = new Int32Array(RECORDS_MAX)
const namedAts = new Int32Array(RECORDS_MAX)
const namedHashes = new Int32Array(RECORDS_MAX)
let named = 0
/** Where the answer section ends, and the authority section; OPT is not counted. */
let answers = 0
let authorities = 0
let records = 0
let recordsEnd = 0

/** The names of the chain, the asked one first. */
const chain = new Uint8Array((CHAIN_MAX + 1) * (NAME_MAX_OCTETS + 1))
const STRIDE = NAME_MAX_OCTETS + 1
const chainOctets = new Uint16Array(CHAIN_MAX + 1)
let names = 0
/** An owner in lower case. */
const owner = new Uint8Array(STRIDE)
let ownerOctets = 0

/** Whether the record of that number, OPT not counted, was believed by the last `believe`. */
export const isBelieved = (record: number): boolean => (marks[record]! & BELIEVED) !== 0

/**
 * Decides about each record of a sound message but OPT. Returns where the last of them ends if all are believed and stay as they
 * are; 0 where some must go, or change.
 */
export function believe(
  walk: RecordWalk,
  octets: Uint8Array,
  start: number,
  end: number,
  asked: Question,
): number {
  askedPointer = readU16(octets, start + 4) === 1 ? POINTER_TO_QUESTION : -1
  let all = list(walk, octets, start, end)
  named = 0
  followChain(octets, start, asked)
  let negative = true
  for (let i = 0; i < answers; i++) {
    if (!isOfChain(i, octets, start, asked)) {
      all = false
      continue
    }
    marks[i]! |= BELIEVED
    if (types[i] === asked.qtype || asked.qtype === TYPE.ANY) negative = false
    note(i, octets, start)
    all &&= staysAsItIs(i, octets, start)
  }
  const soa = negative ? soaOf(octets, start, asked) : -1
  const cut = negative && soa < 0 ? cutOf(octets, start, asked) : -1
  for (let i = answers; i < records; i++) {
    if (i >= authorities ? isBeside(i, octets, start, asked) : isAuthority(i, octets, start, asked, soa, cut))
      marks[i]! |= BELIEVED
    else all = false
    // No TTL leaves with its highest bit set (RFC 8767 section 4).
    all &&= octets[rdataAts[i]! - 6]! < 0x80
  }
  return all ? recordsEnd : 0
}

/** Whether no record stands behind OPT. */
function list(walk: RecordWalk, octets: Uint8Array, start: number, end: number): boolean {
  records = answers = authorities = 0
  let optAt = -1
  for (walk.open(octets, start, end), recordsEnd = walk.questionEnd; walk.next(); ) {
    if (walk.section === SECTION.ADDITIONAL && walk.type === TYPE.OPT) {
      optAt = records
      continue
    }
    if (walk.section === SECTION.ANSWER) answers = records + 1
    if (walk.section < SECTION.ADDITIONAL) authorities = records + 1
    marks[records] = 0
    ownerAts[records] = walk.ownerAt
    types[records] = walk.type
    classes[records] = walk.rrclass
    rdataAts[records] = walk.rdataAt
    rdataEnds[records] = walk.rdataEnd
    nameAts[records] = namedBy(walk)
    recordsEnd = walk.rdataEnd
    records++
  }
  return optAt < 0 || optAt === records
}

/** Where the name begins that who has this record will ask for next; -1 for other types. */
function namedBy(walk: RecordWalk): number {
  switch (walk.type) {
    case TYPE.SRV:
    case TYPE.MX:
    case TYPE.NS:
    case TYPE.NAPTR:
      return walk.nameAt
    case TYPE.SVCB:
    case TYPE.HTTPS: {
      const { octets, rdataAt, rdataEnd, start } = walk
      return measureName(octets, rdataAt + 2, start, rdataEnd) < 0 ? -1 : rdataAt + 2
    }
    default:
      return -1
  }
}

/** Types that such a name is asked for. */
const isNeeded = (type: number): boolean =>
  type === TYPE.A || type === TYPE.AAAA || type === TYPE.SVCB || type === TYPE.HTTPS || type === TYPE.SRV

/** From the asked name to where no alias leads on, or back to one that was, or into a zone that is served here. */
function followChain(octets: Uint8Array, start: number, { question, qtype, qclass, bounds }: Question): void {
  chainOctets[0] = copyName(question, NAME_AT, 0, chain, 0)
  names = 1
  if (qtype === TYPE.ANY) return
  if (qtype === TYPE.CNAME) {
    // The alias that a DNAME makes is not to be believed without it where signatures are looked at (RFC 6672 5.3.1).
    const dname = linkOf(TYPE.DNAME, octets, start, qclass)
    if (dname >= 0) marks[dname]! |= LINK
    return
  }
  let aliases = false
  for (let i = 0; i < answers && !aliases; i++) aliases = types[i] === TYPE.CNAME || types[i] === TYPE.DNAME
  while (aliases && names <= CHAIN_MAX) {
    const cname = linkOf(TYPE.CNAME, octets, start, qclass)
    const dname = linkOf(TYPE.DNAME, octets, start, qclass)
    if (cname >= 0) marks[cname]! |= LINK
    if (dname >= 0) marks[dname]! |= LINK
    if (cname < 0 && dname < 0) return
    const target = names * STRIDE
    chainOctets[names] =
      cname >= 0
        ? copyFoldedName(octets, rdataAts[cname]!, start, chain, target)
        : substitute(octets, start, dname, target)
    if (chainOctets[names] === 0 || isOnChain(chain, target, 0) || isOurs(names, bounds?.ours)) return
    names++
  }
}

/** The first record that leads on from the last name of the chain: its CNAME, or a DNAME above it; -1 for none. */
function linkOf(type: number, octets: Uint8Array, start: number, qclass: number): number {
  const last = names - 1
  for (let i = 0; i < answers; i++) {
    if (types[i] !== type || classes[i] !== qclass) continue
    if (type === TYPE.CNAME) {
      if (sameName(octets, ownerAts[i]!, start, chain, last * STRIDE, 0)) return i
    } else {
      const length = copyFoldedName(octets, ownerAts[i]!, start, owner, 0)
      if (length < chainOctets[last]! && isBelowOwner(last, length)) return i
    }
  }
  return -1
}

/** RFC 6672 section 2.2: the octets of the new name, written to the chain; 0 where it is too long. */
function substitute(octets: Uint8Array, start: number, dname: number, target: number): number {
  const last = (names - 1) * STRIDE
  const prefixOctets = chainOctets[names - 1]! - copyFoldedName(octets, ownerAts[dname]!, start, owner, 0)
  const targetOctets = copyFoldedName(octets, rdataAts[dname]!, start, owner, 0)
  if (prefixOctets + targetOctets > NAME_MAX_OCTETS) return 0
  chain.copyWithin(target, last, last + prefixOctets)
  chain.set(owner.subarray(0, targetOctets), target + prefixOctets)
  return prefixOctets + targetOctets
}

/** Whether a name of the chain lies in one of these zones. */
function isOurs(name: number, zones: readonly Name[] = []): boolean {
  for (let i = 0; i < zones.length; i++) {
    owner.set(zones[i]!)
    if (isBelowOwner(name, zones[i]!.length)) return true
  }
  return false
}

/** Whether a name of the chain is `owner`, of so many octets, or below it. */
function isBelowOwner(name: number, length: number): boolean {
  const from = name * STRIDE
  const tail = from + chainOctets[name]! - length
  let at = from
  while (at < tail) at += chain[at]! + 1
  if (at !== tail) return false
  for (let i = 0; i < length; i++) if (chain[tail + i] !== owner[i]) return false
  return true
}

function isOnChain(octets: Uint8Array, at: number, start: number): boolean {
  for (let i = 0; i < names; i++) if (sameName(octets, at, start, chain, i * STRIDE, 0)) return true
  return false
}

function isOfChain(i: number, octets: Uint8Array, start: number, { qtype, qclass }: Question): boolean {
  if (classes[i] !== qclass) return false
  if (marks[i]! & LINK) return true
  const ownerAt = ownerAts[i]!
  const type = types[i]
  const covered = type === TYPE.RRSIG ? coveredBy(i, octets) : -1
  const isWanted = type === qtype || qtype === TYPE.ANY || (covered >= 0 && covered === qtype)
  if (isWanted && (readU16(octets, ownerAt) === askedPointer || isOnChain(octets, ownerAt, start)))
    return true
  return covered >= 0 && signsLink(covered, ownerAt, octets, start)
}

/** The type that a signature covers; -1 for what is too short to be one. */
const coveredBy = (i: number, octets: Uint8Array): number =>
  rdataEnds[i]! - rdataAts[i]! > RRSIG_OCTETS ? readU16(octets, rdataAts[i]!) : -1

function signsLink(covered: number, ownerAt: number, octets: Uint8Array, start: number): boolean {
  for (let i = 0; i < answers; i++) {
    if ((marks[i]! & LINK) === 0 || types[i] !== covered) continue
    if (sameName(octets, ownerAts[i]!, start, octets, ownerAt, start)) return true
  }
  return false
}

/** Whether a record of the answer may be given as it lies: the asked name is a pointer, which follows its spelling. */
function staysAsItIs(i: number, octets: Uint8Array, start: number): boolean {
  if (octets[rdataAts[i]! - 6]! >= 0x80) return false
  const ownerAt = ownerAts[i]!
  return readU16(octets, ownerAt) === askedPointer || !sameName(octets, ownerAt, start, chain, 0, 0)
}

/** The SOA of a zone in which a name of the chain lies. */
function soaOf(octets: Uint8Array, start: number, { qclass }: Question): number {
  for (let i = answers; i < records; i++) {
    if (types[i] !== TYPE.SOA || classes[i] !== qclass) continue
    const length = copyFoldedName(octets, ownerAts[i]!, start, owner, 0)
    for (let name = 0; name < names; name++)
      if (length <= chainOctets[name]! && isBelowOwner(name, length)) return i
  }
  return -1
}

/** The first NS record of a referral: of a zone below the upstream's in which the last name lies; -1 for none. */
function cutOf(octets: Uint8Array, start: number, { qclass, bounds }: Question): number {
  if (bounds === undefined) return -1
  for (let i = answers; i < authorities; i++) {
    if (types[i] !== TYPE.NS || classes[i] !== qclass) continue
    const length = copyFoldedName(octets, ownerAts[i]!, start, owner, 0)
    if (length > bounds.zone.length && length <= chainOctets[names - 1]! && isBelowOwner(names - 1, length))
      return isInBounds(length, bounds) ? i : -1
  }
  return -1
}

/** Whether `owner`, of so many octets, lies in the upstream's zone, and in none of ours. */
function isInBounds(length: number, { zone, ours }: Bounds): boolean {
  if (!endsWith(length, zone)) return false
  for (let i = 0; i < ours.length; i++) if (endsWith(length, ours[i]!)) return false
  return true
}

/** Whether `owner`, of so many octets, is a zone or below it. */
function endsWith(length: number, zone: Name): boolean {
  const tail = length - zone.length
  let at = 0
  while (at < tail) at += owner[at]! + 1
  if (at !== tail) return false
  for (let i = 0; i < zone.length; i++) if (owner[tail + i] !== zone[i]) return false
  return true
}

/** Notes the name that a believed record names; a SVCB record of the root means its own owner (RFC 9460 2.5.2). */
function note(i: number, octets: Uint8Array, start: number): void {
  const nameAt = nameAts[i]!
  if (nameAt < 0) return
  const at = octets[nameAt] === 0 ? ownerAts[i]! : nameAt
  namedAts[named] = at
  namedHashes[named++] = hashName(octets, at, start)
}

/** FNV-1a over the name in lower case, which `owner` holds afterwards. */
function hashName(octets: Uint8Array, at: number, start: number): number {
  ownerOctets = copyFoldedName(octets, at, start, owner, 0)
  let hash = 0x811c9dc5
  for (let i = 0; i < ownerOctets; i++) hash = Math.imul(hash ^ owner[i]!, 0x01000193)
  return hash
}

function isBeside(i: number, octets: Uint8Array, start: number, asked: Question): boolean {
  const { bounds, dnssecOk, qclass } = asked
  if (bounds === undefined || named === 0 || classes[i] !== qclass) return false
  const type = types[i] === TYPE.RRSIG && dnssecOk ? coveredBy(i, octets) : types[i]!
  if (!isNeeded(type)) return false
  const hash = hashName(octets, ownerAts[i]!, start)
  if (!isInBounds(ownerOctets, bounds)) return false
  for (let k = 0; k < named; k++)
    if (namedHashes[k] === hash && sameName(octets, ownerAts[i]!, start, octets, namedAts[k]!, start))
      return true
  return false
}

function isAuthority(
  i: number,
  octets: Uint8Array,
  start: number,
  asked: Question,
  soa: number,
  cut: number,
): boolean {
  if (i === soa || isProof(i, octets, start, asked, soa)) return true
  if (cut < 0 || classes[i] !== asked.qclass) return false
  const isSigned = types[i] === TYPE.DS || (types[i] === TYPE.RRSIG && coveredBy(i, octets) === TYPE.DS)
  if (types[i] !== TYPE.NS && !(isSigned && asked.dnssecOk)) return false
  if (!sameName(octets, ownerAts[i]!, start, octets, ownerAts[cut]!, start)) return false
  note(i, octets, start)
  return true
}

const isProofType = (type: number): boolean => type === TYPE.NSEC || type === TYPE.NSEC3

function isProof(
  i: number,
  octets: Uint8Array,
  start: number,
  { dnssecOk, qclass }: Question,
  soa: number,
): boolean {
  if (!dnssecOk || classes[i] !== qclass) return false
  if (types[i] !== TYPE.RRSIG) return isProofType(types[i]!)
  const covered = coveredBy(i, octets)
  if (isProofType(covered)) return true
  return (
    soa >= 0 && covered === TYPE.SOA && sameName(octets, ownerAts[i]!, start, octets, ownerAts[soa]!, start)
  )
}
