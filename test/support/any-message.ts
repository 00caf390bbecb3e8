// Any message: records of the types that DNS servers see, with names that share their ends, written by one encoder (the
// tree's) or the other (dns-packet's); and messages in which an octet was changed.

import { type Head, MessageWriter, type Sections } from '../../src/wire/message.ts'
import { type Name, name } from '../../src/wire/name.ts'
import { type Rr, rr, soaRdata, srvRdata, txtRdata } from '../../src/wire/record.ts'
import { CLASS, TYPE } from '../../src/wire/rrtype.ts'
import fc from './properties.ts'

/** Few labels, so that names share their ends and compression has work; in either case. */
export const anyName: fc.Arbitrary<Name> = fc
  .array(fc.constantFrom('a', 'b', 'B', 'web', 'svc', 'cluster', 'local', 'x'.repeat(63)), { maxLength: 3 })
  .map(labels => name(labels.length === 0 ? '.' : labels.join('.')))

const naptr = (target: Name): Uint8Array =>
  Uint8Array.of(0, 1, 0, 2, 1, 0x73, 3, 0x53, 0x49, 0x50, 0, ...target)

/** The data of a record with its type. */
const anyData: fc.Arbitrary<readonly [type: number, rdata: Uint8Array]> = fc.oneof(
  { weight: 3, arbitrary: fc.nat(255).map(octet => [TYPE.A, Uint8Array.of(10, 0, 0, octet)] as const) },
  fc.nat(255).map(octet => [TYPE.AAAA, Uint8Array.of(0xfd, ...new Uint8Array(14), octet)] as const),
  fc.tuple(fc.constantFrom(TYPE.CNAME, TYPE.NS, TYPE.PTR, TYPE.DNAME), anyName),
  anyName.map(target => [TYPE.MX, Uint8Array.of(0, 10, ...target)] as const),
  anyName.map(target => [TYPE.SRV, srvRdata(0, 50, 80, target)] as const),
  anyName.map(target => [TYPE.NAPTR, naptr(target)] as const),
  fc.tuple(anyName, anyName).map(([a, b]) => [TYPE.SOA, soaRdata(a, b, [1, 7200, 1800, 86400, 5])] as const),
  fc.string({ maxLength: 40 }).map(text => [TYPE.TXT, txtRdata(text)] as const),
  fc.uint8Array({ maxLength: 80 }).map(octets => [TYPE.RRSIG, octets] as const),
  fc.uint8Array({ maxLength: 80 }).map(octets => [65280, octets] as const),
)

/** A record of class IN. */
export const anyRecord: fc.Arbitrary<Rr> = fc
  .tuple(anyName, fc.nat(0x7fffffff), anyData)
  .map(([owner, ttlSeconds, [type, rdata]]) => rr(owner, type, ttlSeconds, rdata))

/** Three sections of records. */
export const anySections: fc.Arbitrary<Sections> = fc.record({
  answer: fc.array(anyRecord, { maxLength: 6 }),
  authority: fc.array(anyRecord, { maxLength: 3 }),
  additional: fc.array(anyRecord, { maxLength: 6 }),
})

/** The head of a reply to `web.svc.cluster.local. A`. */
export const HEAD: Head = {
  id: 4711,
  response: true,
  opcode: 0,
  authoritative: true,
  truncated: false,
  recursionDesired: true,
  recursionAvailable: true,
  authenticData: false,
  checkingDisabled: true,
  rcode: 0,
  question: { qname: name('web.svc.cluster.local.'), qtype: TYPE.A, qclass: CLASS.IN },
}

const writer = new MessageWriter()

/** The message of a head and sections, `start` octets from the beginning of its array and as many before its end. */
export function messageAt(start: number, sections: Sections, head: Head = HEAD): Uint8Array {
  const written = writer.write(head, sections, undefined, 65535)
  const octets = new Uint8Array(written.length + 2 * start).fill(0xa5)
  octets.set(written, start)
  return octets
}

/** A message in which a few octets have other values. */
export const anyBrokenMessage: fc.Arbitrary<Uint8Array> = fc
  .tuple(anySections, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(40))
  .map(([sections, changes, cut]) => {
    const octets = messageAt(0, sections)
    for (const [at, octet] of changes) octets[at % octets.length] = octet
    return octets.slice(0, octets.length - (cut > 20 ? 0 : cut))
  })
