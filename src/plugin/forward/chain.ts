// What of an upstream's reply is believed: the answer to the question, nothing else (RFC 5452 section 6, RFC 2181 5.4.1). An
// upstream that was lied to cannot pass on records for other names. This is the one place that says so:
//
//   answer      the chain from the qname: CNAME, DNAME and the asked type, with their signatures
//   authority   the SOA of a negative reply, where the name lies in its zone; with DO also the proofs (RFC 4035 3.1.3)
//   additional  nothing
//
// Names of the chain are kept in lower case; records are known by their number in the message.

import { readU16 } from '../../wire/header.ts'
import { copyFoldedName, copyName, sameName } from '../../wire/message-name.ts'
import { NAME_MAX_OCTETS } from '../../wire/name.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { type RecordWalk, SECTION } from '../../wire/walk.ts'

/** What was asked; the name stands in lower case behind the header of `question`. */
export interface Question {
  readonly question: Uint8Array
  readonly qtype: number
  readonly qclass: number
  readonly dnssecOk: boolean
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

/** Of each record of answer and authority. */
const marks = new Uint8Array(RECORDS_MAX)
const ownerAts = new Int32Array(RECORDS_MAX)
const types = new Uint16Array(RECORDS_MAX)
const classes = new Uint16Array(RECORDS_MAX)
const rdataAts = new Int32Array(RECORDS_MAX)
const rdataEnds = new Int32Array(RECORDS_MAX)
let answers = 0
let records = 0

/** The names of the chain, the asked one first. */
const chain = new Uint8Array((CHAIN_MAX + 1) * (NAME_MAX_OCTETS + 1))
const STRIDE = NAME_MAX_OCTETS + 1
const chainOctets = new Uint16Array(CHAIN_MAX + 1)
let names = 0
/** An owner in lower case. */
const owner = new Uint8Array(STRIDE)

/** Whether the record of that number, counted through answer and authority, was believed by the last `believe`. */
export const isBelieved = (record: number): boolean => (marks[record]! & BELIEVED) !== 0

/**
 * Decides about each record of answer and authority in a sound message. Returns where the authority section ends if
 * all of them are believed and stay as they are; 0 where some must go, or change.
 */
export function believe(
  walk: RecordWalk,
  octets: Uint8Array,
  start: number,
  end: number,
  asked: Question,
): number {
  askedPointer = readU16(octets, start + 4) === 1 ? POINTER_TO_QUESTION : -1
  list(walk, octets, start, end)
  const recordsEnd = records === 0 ? walk.questionEnd : rdataEnds[records - 1]!
  followChain(octets, start, asked)
  let negative = true
  let all = true
  for (let i = 0; i < answers; i++) {
    if (!isOfChain(i, octets, start, asked)) {
      all = false
      continue
    }
    marks[i]! |= BELIEVED
    if (types[i] === asked.qtype || asked.qtype === TYPE.ANY) negative = false
    all &&= staysAsItIs(i, octets, start)
  }
  const soa = negative ? soaOf(octets, start, asked) : -1
  for (let i = answers; i < records; i++) {
    if (i === soa || isProof(i, octets, start, asked, soa)) marks[i]! |= BELIEVED
    else all = false
    // The highest bit of a TTL means zero (RFC 2181 section 8).
    all &&= octets[rdataAts[i]! - 6]! < 0x80
  }
  return all ? recordsEnd : 0
}

function list(walk: RecordWalk, octets: Uint8Array, start: number, end: number): void {
  records = answers = 0
  for (walk.open(octets, start, end); walk.next() && walk.section < SECTION.ADDITIONAL; records++) {
    if (walk.section === SECTION.ANSWER) answers = records + 1
    marks[records] = 0
    ownerAts[records] = walk.ownerAt
    types[records] = walk.type
    classes[records] = walk.rrclass
    rdataAts[records] = walk.rdataAt
    rdataEnds[records] = walk.rdataEnd
  }
}

/** From the asked name to where no alias leads on, or back to one that was. */
function followChain(octets: Uint8Array, start: number, { question, qtype, qclass }: Question): void {
  chainOctets[0] = copyName(question, NAME_AT, 0, chain, 0)
  names = 1
  if (qtype === TYPE.CNAME || qtype === TYPE.ANY) return
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
    if (chainOctets[names] === 0 || isOnChain(chain, target, 0)) return
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
