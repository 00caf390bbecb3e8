// What of an upstream's reply is taken, decided on trees: the slow and plain way, which the octets are compared with.

import { HEADER_OCTETS, PAYLOAD_MIN, readU16 } from '../../../src/wire/header.ts'
import { decodeMessage, type Message } from '../../../src/wire/message.ts'
import { equalNames, isWithin, joinNames, type Name, nameKey } from '../../../src/wire/name.ts'
import { OPCODE, RCODE } from '../../../src/wire/rcode.ts'
import type { Rr } from '../../../src/wire/record.ts'
import { CLASS, RDATA_LAYOUT, TYPE } from '../../../src/wire/rrtype.ts'

/** A question; the name is in lower case. */
export interface Asked {
  readonly qname: Name
  readonly qtype: number
  readonly qclass: number
  readonly dnssecOk: boolean
}

/** What a message from the upstream is good for. */
export type Judgement =
  | { readonly kind: 'reply'; readonly message: Message }
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'no-edns' }

const MISMATCH: Judgement = { kind: 'mismatch' }
const NO_EDNS: Judgement = { kind: 'no-edns' }

/** Judges octets that came where a reply to `sent`, a message with OPT or without, is waited for. */
export function judge(octets: Uint8Array, sent: Uint8Array, protocol: 'udp' | 'tcp'): Judgement {
  if (octets.length < HEADER_OCTETS || readU16(octets, 0) !== readU16(sent, 0)) return MISMATCH
  if ((octets[2]! & 0x80) === 0 || ((octets[2]! >> 3) & 15) !== OPCODE.QUERY) return MISMATCH
  const edns = sent[11] === 1
  const rcode = octets[3]! & 15
  if (readU16(octets, 4) === 0) {
    if (edns && isEdnsRefusal(rcode) && readU16(octets, 10) === 0) return NO_EDNS
    if (protocol === 'udp' || rcode === RCODE.NOERROR) return MISMATCH
  } else if (!sameQuestion(octets, sent)) return MISMATCH
  const announced = edns ? readU16(sent, questionEndOf(sent) + 3) : PAYLOAD_MIN
  if (protocol === 'udp' && octets.length > announced) return cut(octets)
  const message = decodeMessage(octets)
  if (message === undefined || !isExact(message)) return (octets[2]! & 2) !== 0 ? cut(octets) : MISMATCH
  const refusesEdns =
    message.rcode === RCODE.BADVERS || (isEdnsRefusal(message.rcode) && message.edns === undefined)
  return edns && refusesEdns ? NO_EDNS : { kind: 'reply', message }
}

/** Whether no record's data is longer or shorter than its type has it. */
const isExact = ({ answer, authority, additional }: Message): boolean =>
  [...answer, ...authority, ...additional].every(({ type, class: rrclass, rdata }) => {
    if (type === TYPE.A) return rrclass !== CLASS.IN || rdata.length === 4
    if (type === TYPE.AAAA) return rrclass !== CLASS.IN || rdata.length === 16
    let at = 0
    for (const field of RDATA_LAYOUT.get(type) ?? []) {
      if (field === 's') at += rdata[at]! + 1
      else if (field === 'n') {
        while (rdata[at] !== 0) at += rdata[at]! + 1
        at++
      } else at += Number(field)
    }
    return !RDATA_LAYOUT.has(type) || rdata.length - at === (type === TYPE.SOA ? 20 : 0)
  })

const isEdnsRefusal = (rcode: number): boolean => rcode === RCODE.FORMERR || rcode === RCODE.NOTIMP

/** The offset behind the question of a message that was sent. */
function questionEndOf(sent: Uint8Array): number {
  let at = HEADER_OCTETS
  while (sent[at] !== 0) at += sent[at]! + 1
  return at + 5
}

function sameQuestion(octets: Uint8Array, sent: Uint8Array): boolean {
  const questionEnd = questionEndOf(sent)
  if (readU16(octets, 4) !== 1 || octets.length < questionEnd) return false
  for (let at = HEADER_OCTETS; at < questionEnd; at++) if (octets[at] !== sent[at]) return false
  return true
}

/** The header alone, truncated: what is behind it cannot be used, but that there is more is known. */
function cut(octets: Uint8Array): Judgement {
  const head = octets.slice(0, HEADER_OCTETS)
  head[2]! |= 2
  head.fill(0, 4)
  const message = decodeMessage(head)
  return message === undefined ? MISMATCH : { kind: 'reply', message }
}

/** What is left of a reply. Owners equal to the asked name are the very array `asked.qname`. */
export interface Scrubbed {
  readonly answer: readonly Rr[]
  readonly authority: readonly Rr[]
}

/** Keeps the records that answer the question. */
export function scrub(message: Message, asked: Asked): Scrubbed {
  const chain = followChain(message.answer, asked)
  const answer = message.answer
    .filter(record => belongs(record, asked, chain))
    .map(record => withAskedOwner(record, asked))
  const negative = !answer.some(({ type }) => type === asked.qtype || asked.qtype === TYPE.ANY)
  return { answer, authority: authorityOf(message, asked, chain, negative) }
}

interface Chain {
  /** From the qname to where no alias leads on. */
  readonly names: ReadonlyMap<string, Name>
  readonly last: Name
  /** The aliases that were followed. */
  readonly links: ReadonlySet<Rr>
}

/** A message holds the chain it is allowed: every step takes a record of its own, and a loop ends it. */
function followChain(records: readonly Rr[], asked: Asked): Chain {
  const cnames = new Map<string, Rr>()
  const dnames: Rr[] = []
  for (const record of records) {
    if (record.class !== asked.qclass) continue
    if (record.type === TYPE.DNAME) dnames.push(record)
    else if (record.type === TYPE.CNAME && !cnames.has(nameKey(record.owner))) {
      cnames.set(nameKey(record.owner), record)
    }
  }
  const names = new Map<string, Name>()
  const links = new Set<Rr>()
  let last = asked.qname
  for (;;) {
    const key = nameKey(last)
    names.set(key, last)
    if (asked.qtype === TYPE.ANY) break
    const cname = cnames.get(key)
    const name = last
    const dname = dnames.find(({ owner }) => owner.length < name.length && isWithin(name, owner))
    if (dname) links.add(dname)
    if (asked.qtype === TYPE.CNAME) break
    if (cname) links.add(cname)
    const target = cname ? cname.rdata : dname && substitute(name, dname)
    if (target === undefined || names.has(nameKey(target))) break
    last = target
  }
  return { names, last, links }
}

/** RFC 6672 section 2.2; undefined where the new name is too long. */
function substitute(name: Name, dname: Rr): Name | undefined {
  const prefix = new Uint8Array(name.length - dname.owner.length + 1)
  prefix.set(name.subarray(0, prefix.length - 1))
  return joinNames(prefix, dname.rdata)
}

function belongs(record: Rr, { qtype, qclass }: Asked, { names, links }: Chain): boolean {
  if (record.class !== qclass) return false
  if (links.has(record)) return true
  const onChain = names.has(nameKey(record.owner))
  if (record.type === TYPE.RRSIG && record.rdata.length > 18) {
    const covered = (record.rdata[0]! << 8) | record.rdata[1]!
    if (onChain && (covered === qtype || qtype === TYPE.RRSIG || qtype === TYPE.ANY)) return true
    return [...links].some(link => link.type === covered && equalNames(link.owner, record.owner))
  }
  return onChain && (record.type === qtype || qtype === TYPE.ANY)
}

/** The asked name as every waiter's own case replaces it. */
const withAskedOwner = (record: Rr, { qname }: Asked): Rr =>
  equalNames(record.owner, qname) ? { ...record, owner: qname } : record

const PROOFS: ReadonlySet<number> = new Set([TYPE.NSEC, TYPE.NSEC3])

function authorityOf(message: Message, asked: Asked, { names, last }: Chain, negative: boolean): Rr[] {
  const soa = negative
    ? message.authority.find(
        ({ type, owner, class: rrclass }) =>
          type === TYPE.SOA &&
          rrclass === asked.qclass &&
          (isWithin(last, owner) || [...names.values()].some(name => isWithin(name, owner))),
      )
    : undefined
  return message.authority.filter(record => {
    if (record === soa) return true
    if (!asked.dnssecOk || record.class !== asked.qclass) return false
    if (record.type !== TYPE.RRSIG) return PROOFS.has(record.type)
    const covered = record.rdata.length > 18 ? (record.rdata[0]! << 8) | record.rdata[1]! : 0
    return (
      PROOFS.has(covered) ||
      (soa !== undefined && covered === TYPE.SOA && equalNames(record.owner, soa.owner))
    )
  })
}
