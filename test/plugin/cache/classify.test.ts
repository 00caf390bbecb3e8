// What kind of reply the cache takes a reply for (coredns plugin/pkg/response/typify.go, plugin/cache/cache.go), and
// whether a chain of records answers its question (RFC 1034 3.6.2, RFC 2181 10.1).

import t from 'tap'
import {
  CHAIN_LINKS_MAX,
  type Classified,
  classify,
  holdsAnswer,
  type ReplyKind,
} from '../../../src/plugin/cache/classify.ts'
import type { Packet } from '../../../src/query/packet.ts'
import { name } from '../../../src/wire/name.ts'
import { RCODE } from '../../../src/wire/rcode.ts'
import { type Rr, rr } from '../../../src/wire/record.ts'
import { CLASS, TYPE } from '../../../src/wire/rrtype.ts'
import type { Reply } from '../../support/reply.ts'
import { onRoad } from '../../support/road.ts'
import { a, alias, question, reply, soa } from './cache-bench.ts'

const W = 'w.org'
const ns = rr(name('org'), TYPE.NS, 60, name('ns.org'))

const atStart = (packet: Packet): Classified => classify(packet, 0)

t.test('kinds', async t => {
  const cases: [string, Partial<Reply>, ReplyKind, boolean][] = [
    ['an answer', { answer: [a(W, 1)] }, 'positive', true],
    ['an answer and an SOA', { answer: [a(W, 1)], authority: [soa(1)] }, 'positive', true],
    ['a chain that ends short', { answer: [alias(W, 1, 'x.org')] }, 'positive', false],
    ['the same with an SOA', { answer: [alias(W, 1, 'x.org')], authority: [soa(1)] }, 'nodata', true],
    ['an SOA', { authority: [soa(1)] }, 'nodata', true],
    ['an SOA beside NS', { authority: [ns, soa(1)] }, 'nodata', true],
    ['NS', { authority: [ns] }, 'delegation', true],
    ['nothing', {}, 'positive', true],
    ['NXDOMAIN', { rcode: RCODE.NXDOMAIN, authority: [soa(1)] }, 'nxdomain', true],
    ['NXDOMAIN without an SOA', { rcode: RCODE.NXDOMAIN, authority: [ns] }, 'nxdomain', false],
    ['NXDOMAIN with an answer', { rcode: RCODE.NXDOMAIN, answer: [alias(W, 1, 'x.org')], authority: [soa(1)] }, 'other', false],
    ['SERVFAIL', { rcode: RCODE.SERVFAIL }, 'failure', true],
    ['SERVFAIL with records', { rcode: RCODE.SERVFAIL, answer: [a(W, 1)] }, 'failure', true],
    ['NOTIMP', { rcode: RCODE.NOTIMP }, 'failure', true],
    ['REFUSED', { rcode: RCODE.REFUSED, authority: [soa(1)] }, 'other', false],
    ['FORMERR', { rcode: RCODE.FORMERR }, 'other', false],
    ['BADVERS', { rcode: RCODE.BADVERS }, 'other', false],
    ['a cut answer', { answer: [a(W, 1)], truncated: true }, 'positive', false],
    ['a cut NXDOMAIN', { rcode: RCODE.NXDOMAIN, authority: [soa(1)], truncated: true }, 'nxdomain', false],
  ] // biome-ignore format: a table
  for (const [title, parts, kind, storable] of cases) {
    const classified = await onRoad(question(W), atStart, () => reply(parts))
    t.match(classified, { kind, storable }, title)
  }
  for (const type of ['AXFR', 'IXFR']) {
    const asked = question(`${W} ${type}`)
    const classified = await onRoad(asked, atStart, () => reply({ answer: [soa(1)] }))
    t.match(classified, { kind: 'transfer', storable: false }, type)
  }
})

t.test('whether records answer', async t => {
  const chain = (links: number): Rr[] => [
    ...Array.from({ length: links }, (_, i) => alias(i === 0 ? W : `c${i}.org`, 1, `c${i + 1}.org`)),
    a(`c${links}.org`, 1),
  ]
  const cases: [string, string, Rr[], boolean][] = [
    ['nothing', W, [], false],
    ['the type at the name', W, [a(W, 1)], true],
    ['in other letters', W, [a('W.OrG', 1)], true],
    ['at another name', W, [a('x.org', 1)], false],
    ['another type', `${W} AAAA`, [a(W, 1)], false],
    ['a chain, in any order', W, [a('y.org', 1), alias('x.org', 1, 'y.org'), alias(W, 1, 'x.org')], true],
    ['a chain beside it', W, [alias(W, 1, 'x.org'), a('y.org', 1)], false],
    ['an address at the start of a chain', W, [alias(W, 1, 'x.org'), a(W, 1)], false],
    ['a loop of one', W, [alias(W, 1, W), a(W, 1)], false],
    ['a loop of two', W, [alias(W, 1, 'x.org'), alias('x.org', 1, W)], false],
    ['two targets', W, [alias(W, 1, 'x.org'), alias(W, 1, 'y.org'), a('x.org', 1), a('y.org', 1)], false],
    ['the same target twice', W, [alias(W, 1, 'x.org'), alias(W, 1, 'X.org'), a('x.org', 1)], true],
    ['the longest chain', W, chain(CHAIN_LINKS_MAX), true],
    ['a longer one', W, chain(CHAIN_LINKS_MAX + 1), false],
    ['CNAME asked', `${W} CNAME`, [alias(W, 1, 'x.org')], true],
    ['CNAME asked, two there', `${W} CNAME`, [alias(W, 1, 'x.org'), alias(W, 1, 'y.org')], false],
    ['CNAME asked, none there', `${W} CNAME`, [a(W, 1)], false],
    ['ANY asked', `${W} ANY`, [a(W, 1)], true],
    ['ANY asked, another name there', `${W} ANY`, [a('x.org', 1)], false],
    ['another class', `${W} A CH`, [a(W, 1)], false],
    ['any class', `${W} A ANY`, [a(W, 1)], true],
    ['its own class', `${W} A CH`, [{ ...a(W, 1), class: CLASS.CH }], true],
  ] // biome-ignore format: a table
  for (const [title, asked, records, expected] of cases) {
    t.equal(await onRoad(question(asked), holdsAnswer, () => reply({ answer: records })), expected, title)
  }
})
