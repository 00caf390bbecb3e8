// EDNS (RFC 6891): versions, sizes, options that nobody knows, OPT records that are broken or stand where they must not; the
// checks of ISC's genreport for them.

import t, { type Test } from 'tap'
import type { Decoded } from '../support/dns-client.ts'
import type { EdnsQuestion } from '../support/dns-question.ts'
import { BIG, NAME, ZONE } from '../support/target-cluster.ts'
import { ask, hex, patched, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc6891-edns')
/** Any query that asks for the zone's SOA as genreport does. */
const soa = (edns: EdnsQuestion, more: object = {}): Uint8Array =>
  ask({ name: ZONE, type: 'SOA', rd: false, edns, ...more })
const OPTION_100 = { code: 100, data: new Uint8Array(0) }
const NSID = { code: 3, data: new Uint8Array(0) }
const EXPIRE = { code: 9, data: new Uint8Array(0) }
const ECS = { code: 8, data: Uint8Array.of(0, 1, 0, 0) }
const COOKIE = { code: 10, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }

const SOA = 'NOERROR aa answer:SOA opt'
const BADVERS = 'BADVERS !answer opt'
const BROKEN = 'FORMERR !records | NOERROR aa answer:A'

const knownOptions = (t: Test, { edns }: Decoded): void => {
  for (const { code, data } of edns!.options) {
    if (code === 10) {
      t.ok(data.length >= 16 && data.length <= 40, 'a cookie of 16 to 40 octets')
      t.same(data.subarray(0, 8), COOKIE.data, 'with ours in front')
    } else if (code === 8) t.same(data.subarray(0, 3), ECS.data.subarray(0, 3), 'the same family and prefix')
    else if (code === 9) t.equal(data.length, 4, 'EXPIRE of 4 octets')
    else t.equal(code, 3, 'no other option but NSID')
  }
}
const clearFlags = (t: Test, { edns }: Decoded): void => t.equal(edns!.flags & 0x7fff, 0) as never
const noAd = (t: Test, { flags }: Decoded): void => t.notOk(flags.ad, 'AD is clear') as never

spec.probes([
  { id: 'isc.edns', title: 'version 0, size 4096', send: soa({ udpSize: 4096 }), expect: SOA },
  { id: 'isc.edns1', title: 'version 1', send: soa({ version: 1 }), expect: BADVERS },
  {
    id: 'isc.edns@512',
    title: 'DNSKEY with DO, size 512',
    send: ask({ name: ZONE, type: 'DNSKEY', rd: false, edns: { udpSize: 512, dnssecOk: true } }),
    over: 'udp',
    expect: 'NOERROR aa opt',
  },
  {
    id: 'isc.ednstcp',
    title: 'DNSKEY with DO, size 512',
    send: ask({ name: ZONE, type: 'DNSKEY', rd: false, edns: { udpSize: 512, dnssecOk: true } }),
    over: 'tcp',
    expect: 'NOERROR aa opt',
  },
  {
    id: 'isc.ednsopt',
    title: 'option 100',
    send: soa({ options: [OPTION_100] }),
    expect: `${SOA} !option:100`,
  },
  {
    id: 'isc.edns1opt',
    title: 'version 1 and option 100',
    send: soa({ version: 1, options: [OPTION_100] }),
    expect: `${BADVERS} !option:100`,
  },
  { id: 'isc.do', title: 'DO', send: soa({ dnssecOk: true }), expect: SOA, also: noAd },
  {
    id: 'isc.docd',
    title: 'DO and CD',
    send: soa({ dnssecOk: true }, { cd: true }),
    expect: SOA,
    also: noAd,
  },
  {
    id: 'isc.edns1do',
    title: 'version 1 and DO',
    send: soa({ version: 1, dnssecOk: true }),
    expect: BADVERS,
  },
  {
    id: 'isc.ednsflags',
    title: 'the flag 0080',
    send: soa({ flags: 0x0080 }),
    expect: SOA,
    also: clearFlags,
  },
  {
    id: 'isc.optlist',
    title: 'NSID, ECS, EXPIRE and COOKIE',
    send: soa({ options: [NSID, ECS, EXPIRE, COOKIE] }),
    expect: SOA,
    also: knownOptions,
  },
  {
    id: 'isc.ednsexpire',
    title: 'EXPIRE',
    send: soa({ options: [EXPIRE] }),
    expect: SOA,
    also: knownOptions,
  },
  {
    id: 'isc.edns1expire',
    title: 'version 1 and EXPIRE',
    send: soa({ version: 1, options: [EXPIRE] }),
    expect: BADVERS,
  },
  {
    id: 'isc.bind11',
    title: 'as BIND 9.11 asks: COOKIE and DO',
    send: soa({ dnssecOk: true, options: [COOKIE] }),
    expect: SOA,
    also: knownOptions,
  },
  {
    id: 'isc.dig11',
    title: 'as dig 9.11 asks: COOKIE, RD and AD',
    send: soa({ options: [COOKIE] }, { rd: true, ad: true }),
    expect: SOA,
    also: knownOptions,
  },
])

const query = ask({ name: NAME })
const OPT = '00 0029 04d0 00000000 0000'
/** The query with records in the additional section. */
const withAdditional = (count: number, ...records: readonly string[]): Uint8Array =>
  Uint8Array.of(...patched(query, 10, 0, count), ...hex(...records))
const name = (edns: EdnsQuestion, more: object = {}): Uint8Array => ask({ name: NAME, edns, ...more })
const many = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ code: 65001 + i, data: new Uint8Array(1) }))
const NAMED = 'NOERROR aa answer:A opt'

spec.probes([
  { id: 'edns.two', title: 'two OPT records', send: withAdditional(2, OPT, OPT), expect: 'FORMERR !records' },
  {
    id: 'edns.owner',
    title: 'an OPT record that is not of the root',
    send: withAdditional(1, '0161', OPT),
    expect: BROKEN,
  },
  {
    id: 'edns.rdlen',
    title: 'an OPT record longer than the packet',
    send: withAdditional(1, '00 0029 04d0 00000000 0010'),
    expect: BROKEN,
  },
  {
    id: 'edns.optlen',
    title: 'an option longer than its record',
    send: withAdditional(1, '00 0029 04d0 00000000 0004 0064 0010'),
    expect: BROKEN,
  },
  {
    id: 'edns.opthalf',
    title: 'half an option',
    send: withAdditional(1, '00 0029 04d0 00000000 0003 006400'),
    expect: BROKEN,
  },
  {
    id: 'edns.inanswer',
    title: 'an OPT record in the answer section',
    send: Uint8Array.of(...patched(query, 6, 0, 1), ...hex(OPT)),
    expect: BROKEN,
  },
  {
    id: 'edns.notlast',
    title: 'an OPT record in front of another',
    send: withAdditional(2, OPT, 'c00c 0001 0001 00000000 0004 c6336401'),
    expect: `${NAMED} | FORMERR !records`,
  },
  {
    id: 'edns.many',
    title: '32 options',
    send: name({ options: many(32) }),
    expect: NAMED,
    also: noOptions,
  },
  {
    id: 'edns.many',
    title: '33 options: no client sends so many',
    send: name({ options: many(33) }),
    expect: 'FORMERR !records',
  },
  {
    id: 'edns.bigopt',
    title: 'an option of 1000 octets',
    send: name({ options: [{ code: 65001, data: new Uint8Array(1000) }] }),
    expect: NAMED,
    also: noOptions,
  },
  {
    id: 'edns.ext',
    title: 'upper bits of the rcode in a query',
    send: patched(name({}), query.length + 5, 0x42),
    expect: `${NAMED} | FORMERR !records`,
  },
  { id: 'edns.flags', title: 'all flags', send: name({ flags: 0xffff }), expect: NAMED, also: clearFlags },
  ...[0, 1, 511, 512, 1232, 4096, 65535].map(udpSize => ({
    id: `edns.size${udpSize}`,
    title: `a payload of ${udpSize}`,
    send: name({ udpSize }),
    expect: NAMED,
  })),
  { id: 'edns.v2', title: 'version 2', send: name({ version: 2 }), expect: BADVERS },
  { id: 'edns.v255', title: 'version 255', send: name({ version: 255 }), expect: BADVERS },
  { id: 'edns.v1tcp', title: 'version 1', send: name({ version: 1 }), over: 'tcp', expect: BADVERS },
  {
    id: 'edns.ad',
    title: 'AD and DO',
    send: name({ dnssecOk: true }, { ad: true }),
    expect: NAMED,
    also: noAd,
  },
  { id: 'edns.absent', title: 'no OPT record', send: query, expect: 'NOERROR aa answer:A !opt' },
  {
    id: 'edns.error',
    title: 'a missing name',
    send: ask({ name: `nope.${ZONE}`, edns: true }),
    expect: 'NXDOMAIN aa soa opt',
  },
  {
    id: 'edns.error',
    title: 'a class that is not served',
    send: ask({ name: NAME, class: 'CH', edns: true }),
    expect: 'reply opt',
  },
  {
    id: 'edns.error',
    title: 'a truncated answer',
    send: ask({ name: BIG, edns: { udpSize: 512 } }),
    over: 'udp',
    expect: 'NOERROR aa tc opt',
  },
])

function noOptions(t: Test, { edns }: Decoded): void {
  t.strictSame(edns!.options, [], 'nothing comes back')
}

spec.end()
