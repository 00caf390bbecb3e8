import t from 'tap'
import { classOf, packetType, type ReplyType } from '../../../src/plugin/log/classify.ts'
import { name } from '../../../src/wire/name.ts'
import type { Rr } from '../../../src/wire/record.ts'
import { CLASS, TYPE } from '../../../src/wire/rrtype.ts'
import type { Query } from '../../support/query.ts'
import { DROP, type Outcome } from '../../support/reply.ts'
import { onRoad } from '../../support/road.ts'
import { query, record, reply } from '../../support/words.ts'

const NOW_SECONDS = 1_800_000_000
const a = record('example.org. 5 A 10.0.0.1')
const soa = record('example.org. 5 SOA ns.example.org. hm.example.org.')
const ns = record('example.org. 5 NS ns.example.org.')

/** A signature valid from and until so many seconds from now. */
function rrsig(fromSeconds: number, untilSeconds: number): Rr {
  const rdata = new Uint8Array(19)
  const view = new DataView(rdata.buffer)
  view.setUint32(8, NOW_SECONDS + untilSeconds)
  view.setUint32(12, NOW_SECONDS + fromSeconds)
  return { owner: name('example.org.'), type: TYPE.RRSIG, class: CLASS.IN, ttlSeconds: 5, rdata }
}

/** The type of a reply as a handler in front sees it. */
const typeOf = (asked: Query, outcome: Outcome): Promise<ReplyType> =>
  onRoad(
    asked,
    packet => packetType(packet, NOW_SECONDS * 1000),
    () => outcome,
  )

// CoreDNS plugin/pkg/response/typify.go, row by row.
const cases: [what: string, outcome: Outcome, type: string, replyClass: string, question?: string][] = [
  ['an answer', reply({ answer: [a] }), 'NOERROR', 'success'],
  ['an answer with NXDOMAIN', reply({ rcode: 3, answer: [a] }), 'OTHERERROR', 'error'],
  ['an answer with SERVFAIL', reply({ rcode: 2, answer: [a] }), 'SERVERERROR', 'error'],
  ['no data', reply({ authority: [soa] }), 'NODATA', 'denial'],
  ['no data with NS beside the SOA', reply({ authority: [ns, soa] }), 'NODATA', 'denial'],
  ['no data without SOA', reply(), 'NOERROR', 'success'],
  ['no such name', reply({ rcode: 3, authority: [soa] }), 'NXDOMAIN', 'denial'],
  ['a delegation', reply({ authority: [ns] }), 'DELEGATION', 'success'],
  ['SERVFAIL', reply({ rcode: 2 }), 'SERVERERROR', 'error'],
  ['NOTIMP', reply({ rcode: 4 }), 'SERVERERROR', 'error'],
  ['REFUSED', reply({ rcode: 5 }), 'OTHERERROR', 'error'],
  ['silence', DROP, 'OTHERERROR', 'error'],
  ['a transfer', reply({ answer: [soa] }), 'META', 'error', 'example.org. AXFR'],
  ['an incremental transfer', reply({ answer: [soa] }), 'META', 'error', 'example.org. IXFR'],
]

t.test('replies are sorted as CoreDNS sorts them', async t => {
  for (const [what, outcome, type, replyClass, question = 'example.org. A'] of cases) {
    const found = await typeOf(query(question), outcome)
    t.same([found, classOf(found)], [type, replyClass], what)
  }
})

t.test('signatures count for clients that check them', async t => {
  const cases: [what: string, from: number, until: number, dnssecOk: boolean, type: string][] = [
    ['a current one', -100, 100, true, 'NOERROR'],
    ['an expired one', -100, -1, true, 'OTHERERROR'],
    ['one of the future', 1, 100, true, 'OTHERERROR'],
    ['an expired one without DO', -100, -1, false, 'NOERROR'],
  ]
  for (const [what, from, until, dnssecOk, type] of cases) {
    const asked = query('example.org. A', { edns: { payloadSize: 1232, dnssecOk, options: [] } })
    const signed = reply({ answer: [a, rrsig(from, until)] })
    t.equal(await typeOf(asked, signed), type, what)
  }
})
