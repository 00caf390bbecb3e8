// What of an upstream's reply is believed: the answer to the question, nothing else (RFC 5452 section 6, RFC 2181 5.4.1;
// reliability: bailiwick). An upstream that was lied to cannot pass on records for other names.
//
//   answer      the chain from the qname: CNAME, DNAME and the asked type, with their signatures
//   authority   the SOA of a negative reply, where the name lies in its zone; with DO also the proofs (RFC 4035 3.1.3)
//   additional  nothing

import type { Message } from '../../wire/message.ts'
import { equalNames, isWithin, joinNames, type Name, nameKey } from '../../wire/name.ts'
import type { Rr } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { Asked } from './asked.ts'

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
    if (asked.qtype === TYPE.CNAME || asked.qtype === TYPE.ANY) break
    const cname = cnames.get(key)
    const name = last
    const dname = dnames.find(({ owner }) => owner.length < name.length && isWithin(name, owner))
    if (dname) links.add(dname)
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
