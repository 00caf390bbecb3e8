// The header (RFC 1035 4.1.1) and the question: whole, cut short, and followed by what nobody asked for.

import t, { type Test } from 'tap'
import type { Decoded } from '../support/dns-client.ts'
import { MISSING, NAME, ZONE } from '../support/target-cluster.ts'
import { ask, hex, patched, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc1035-header')
const query = ask({ name: NAME })
const A_RECORD = 'c00c 0001 0001 0000003c 0004 c6336401'
/** The query with one record in the section whose count stands at `countAt`. */
const withRecord = (countAt: number): Uint8Array =>
  Uint8Array.of(...patched(query, countAt, 0, 1), ...hex(A_RECORD))
const response = patched(query, 2, 0x81)

spec.probes([
  {
    id: 'isc.dns',
    title: 'the SOA of the zone, no flags',
    send: ask({ name: ZONE, type: 'SOA', rd: false }),
    expect: 'NOERROR aa answer:SOA !opt',
    over: 'udp',
  },
  {
    id: 'isc.tcp',
    title: 'the SOA of the zone, no flags',
    send: ask({ name: ZONE, type: 'SOA', rd: false }),
    expect: 'NOERROR aa answer:SOA !opt',
    over: 'tcp',
  },
  { id: 'hdr.positive', title: 'a name that exists, RD 1', send: query, expect: 'NOERROR aa rd answer:A' },
  { id: 'hdr.rd0', title: 'RD 0', send: ask({ name: NAME, rd: false }), expect: 'NOERROR aa !rd answer:A' },
  { id: 'hdr.id0', title: 'id 0', send: ask({ name: NAME, id: 0 }), expect: 'NOERROR aa answer:A' },
  {
    id: 'hdr.id65535',
    title: 'id 65535',
    send: ask({ name: NAME, id: 65535 }),
    expect: 'NOERROR aa answer:A',
  },

  { id: 'hdr.qr1', title: 'a response', send: response, expect: 'silence' },
  {
    id: 'hdr.qr1',
    title: 'a response to a missing name',
    send: patched(ask({ name: MISSING }), 2, 0x85, 0x83),
    expect: 'silence',
  },
  {
    id: 'hdr.qr1.notimp',
    title: 'a response of another opcode',
    send: patched(query, 2, 0xf9, 0x04),
    expect: 'silence',
  },
  {
    id: 'hdr.qr1.garbage',
    title: 'a response of garbage',
    send: hex('b00b ffff 0001 0001 0001 0001 ffffffffffffffff'),
    expect: 'silence',
  },

  ...[0, 1, 2, 3, 4, 8, 11].map(octets => ({
    id: `hdr.short${octets}`,
    title: `${octets} octets`,
    send: query.subarray(0, octets),
    over: 'udp' as const,
    expect: 'silence',
  })),
  ...[1, 2, 4, 5, 9].map(octets => ({
    id: `hdr.cut${octets}`,
    title: `${octets} octets cut off the question`,
    send: query.subarray(0, query.length - octets),
    expect: 'FORMERR !records | silence',
  })),
  {
    id: 'hdr.headonly',
    title: 'a header alone',
    send: query.subarray(0, 12),
    expect: 'FORMERR !records | silence',
  },

  {
    id: 'hdr.extra.an',
    title: 'a record in the answer section',
    send: withRecord(6),
    expect: 'NOERROR aa answer:A | FORMERR !records',
    also: notReflected,
  },
  {
    id: 'hdr.extra.ns',
    title: 'a record in the authority section',
    send: withRecord(8),
    expect: 'NOERROR aa answer:A | FORMERR !records',
    also: notReflected,
  },
  {
    id: 'hdr.extra.ar',
    title: 'a record in the additional section',
    send: withRecord(10),
    expect: 'NOERROR aa answer:A | FORMERR !records',
    also: notReflected,
  },
  {
    id: 'hdr.trailing',
    title: 'octets behind the message',
    send: Uint8Array.of(...query, ...hex('c6336401 deadbeef')),
    expect: 'NOERROR aa answer:A | FORMERR !records',
    also: notReflected,
  },
])

function notReflected(t: Test, _reply: Decoded, octets: Uint8Array): void {
  t.notOk(Buffer.from(octets).includes(hex('c6336401')), 'nothing of the query comes back but its question')
}

spec.end()
