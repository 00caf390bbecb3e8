// Which records of a reply are kept: the chain from the asked name, and what proves that there is nothing.

import t from 'tap'
import { CHAIN_MAX } from '../../../src/plugin/forward/chain.ts'
import { nameOctets, TYPES } from '../../support/dns-question.ts'
import type { Query } from '../../support/query.ts'
import { a, named, type ReplyParts, replyTo, type StubRecord, soa } from '../../support/upstream-stub.ts'
import { benchTo, ownerAndType, startBench, startStub } from './forward-bench.ts'

/** An RRSIG over records of a type (RFC 4034 3.1): covered type, and as much behind it as a signature has. */
const rrsig = (owner: string, covered: string): StubRecord => ({
  owner,
  type: 'RRSIG',
  ttlSeconds: 30,
  rdata: Uint8Array.of(
    0,
    TYPES[covered]!,
    13,
    2,
    ...new Uint8Array(14),
    ...nameOctets('example.org'),
    1,
    2,
    3,
  ),
})
const nsec = (owner: string): StubRecord => named(owner, 'NSEC', 30, 'z.example.org')
const cname = (owner: string, target: string): StubRecord => named(owner, 'CNAME', 30, target)
const WITH_DO = { edns: { payloadSize: 1232, dnssecOk: true, options: [] } } satisfies Partial<Query>

interface Case {
  readonly name: string
  readonly ask?: string
  readonly rest?: Partial<Query>
  readonly parts: ReplyParts
  /** `owner TYPE` of what is left. */
  readonly answer: readonly string[]
  readonly authority?: readonly string[]
  readonly additional?: readonly string[]
}

/** Data of so many octets before a name: an SRV, MX, NAPTR or SVCB record. */
const naming = (owner: string, type: string, before: readonly number[], target: string): StubRecord => ({
  owner,
  type,
  ttlSeconds: 30,
  rdata: Uint8Array.of(...before, ...(target === '.' ? [0] : nameOctets(target))),
})
const srv = (owner: string, target: string): StubRecord => naming(owner, 'SRV', [0, 0, 0, 1, 0, 53], target)
const ns = (owner: string, target: string): StubRecord => named(owner, 'NS', 30, target)
const v6 = (owner: string): StubRecord => ({ owner, type: 'AAAA', ttlSeconds: 30, rdata: new Uint8Array(16) })

const cases: readonly Case[] = [
  {
    name: 'records of other names',
    parts: {
      answer: [
        a('www.example.org', 30),
        a('victim.example', 30),
        a('kubernetes.default.svc.cluster.local', 30),
      ],
      authority: [
        named('example.org', 'NS', 30, 'ns.evil.example'),
        named('victim.example', 'NS', 30, 'ns.evil.example'),
      ],
      additional: [a('ns.evil.example', 30), a('victim.example', 30)],
    },
    answer: ['www.example.org. A'],
  },
  {
    name: 'records of other types',
    parts: { answer: [a('www.example.org', 30), named('www.example.org', 'NS', 30, 'ns.evil.example')] },
    answer: ['www.example.org. A'],
  },
  {
    name: 'records of another class',
    parts: { answer: [a('www.example.org', 30), { ...a('www.example.org', 30, '192.0.2.9'), class: 3 }] },
    answer: ['www.example.org. A'],
  },
  {
    name: 'a chain, whatever its order',
    parts: {
      answer: [a('c.net', 30), cname('b.com', 'c.net'), a('x.net', 30), cname('www.example.org', 'b.com')],
    },
    answer: ['c.net. A', 'b.com. CNAME', 'www.example.org. CNAME'],
  },
  {
    name: 'case does not break a chain',
    parts: { answer: [cname('WWW.example.ORG', 'B.Com'), a('b.cOM', 30)] },
    answer: ['www.example.org. CNAME', 'b.cOM. A'],
  },
  {
    name: 'records beside the chain',
    parts: {
      answer: [cname('www.example.org', 'b.com'), a('b.com', 30), cname('x.org', 'y.org'), a('y.org', 30)],
    },
    answer: ['www.example.org. CNAME', 'b.com. A'],
  },
  {
    name: 'a second CNAME of one name',
    parts: {
      answer: [cname('www.example.org', 'b.com'), cname('www.example.org', 'evil.com'), a('evil.com', 30)],
    },
    answer: ['www.example.org. CNAME'],
  },
  {
    name: 'a loop of two',
    parts: { answer: [cname('www.example.org', 'b.com'), cname('b.com', 'www.example.org')] },
    answer: ['www.example.org. CNAME', 'b.com. CNAME'],
  },
  {
    name: 'a loop of one',
    parts: { answer: [cname('www.example.org', 'www.example.org')] },
    answer: ['www.example.org. CNAME'],
  },
  {
    name: 'a CNAME asked for is not followed',
    ask: 'www.example.org CNAME',
    parts: { answer: [cname('www.example.org', 'b.com'), cname('b.com', 'c.com')] },
    answer: ['www.example.org. CNAME'],
  },
  {
    name: 'ANY keeps all types of the name',
    ask: 'www.example.org ANY',
    parts: {
      answer: [a('www.example.org', 30), named('www.example.org', 'NS', 30, 'ns.org'), a('b.com', 30)],
    },
    answer: ['www.example.org. A', 'www.example.org. NS'],
  },
  {
    name: 'a DNAME with its CNAME',
    parts: {
      answer: [
        named('example.org', 'DNAME', 30, 'b.com'),
        cname('www.example.org', 'www.b.com'),
        a('www.b.com', 30),
      ],
    },
    answer: ['example.org. DNAME', 'www.example.org. CNAME', 'www.b.com. A'],
  },
  {
    name: 'a DNAME without its CNAME',
    parts: { answer: [named('example.org', 'DNAME', 30, 'b.com'), a('www.b.com', 30)] },
    answer: ['example.org. DNAME', 'www.b.com. A'],
  },
  {
    name: 'a DNAME of another name, or of the name itself',
    parts: {
      answer: [named('example.net', 'DNAME', 30, 'b.com'), named('www.example.org', 'DNAME', 30, 'b.com')],
    },
    answer: [],
  },
  {
    name: 'the SOA of a negative reply',
    parts: { rcode: 3, authority: [soa('example.org', 30), named('example.org', 'NS', 30, 'ns.org')] },
    answer: [],
    authority: ['example.org. SOA'],
  },
  {
    name: 'the SOA of the zone where the chain ends',
    parts: { answer: [cname('www.example.org', 'b.com')], authority: [soa('com', 30)] },
    answer: ['www.example.org. CNAME'],
    authority: ['com. SOA'],
  },
  {
    name: 'an SOA that the name does not lie in',
    parts: { rcode: 3, authority: [soa('victim.example', 30), soa('w.example.org', 30)] },
    answer: [],
  },
  {
    name: 'a second SOA',
    parts: { authority: [soa('org', 30), soa('example.org', 30)] },
    answer: [],
    authority: ['org. SOA'],
  },
  {
    name: 'no SOA beside an answer',
    parts: { answer: [a('www.example.org', 30)], authority: [soa('example.org', 30)] },
    answer: ['www.example.org. A'],
  },
  {
    name: 'signatures of the chain',
    rest: WITH_DO,
    parts: {
      answer: [
        cname('www.example.org', 'b.com'),
        rrsig('www.example.org', 'CNAME'),
        a('b.com', 30),
        rrsig('b.com', 'A'),
        rrsig('b.com', 'MX'),
        rrsig('victim.example', 'A'),
      ],
    },
    answer: ['www.example.org. CNAME', 'www.example.org. RRSIG', 'b.com. A', 'b.com. RRSIG'],
  },
  {
    name: 'proofs for DO',
    rest: WITH_DO,
    parts: {
      rcode: 3,
      authority: [
        soa('example.org', 30),
        rrsig('example.org', 'SOA'),
        nsec('a.example.org'),
        rrsig('a.example.org', 'NSEC'),
        rrsig('example.org', 'NS'),
      ],
    },
    answer: [],
    authority: ['example.org. SOA', 'example.org. RRSIG', 'a.example.org. NSEC', 'a.example.org. RRSIG'],
  },
  {
    name: 'no proofs without DO',
    parts: {
      rcode: 3,
      authority: [soa('example.org', 30), rrsig('example.org', 'SOA'), nsec('a.example.org')],
    },
    answer: [],
    authority: ['example.org. SOA'],
  },
]

/** Behind `forward .` in the block of the root, where cluster.local is ours. */
const beside: readonly Case[] = [
  {
    name: 'addresses of the targets of SRV records, in any order, and nobody else',
    ask: '_x._tcp.db.c.test SRV',
    parts: {
      answer: [srv('_x._tcp.db.c.test', 'P0.db.c.test'), srv('_x._tcp.db.c.test', 'p1.other.test')],
      additional: [
        a('victim.example', 30),
        a('p1.other.test', 30),
        a('p0.db.c.test', 30),
        v6('p0.db.c.test'),
        named('p0.db.c.test', 'MX', 30, 'x.test'),
        ns('p0.db.c.test', 'x.test'),
      ],
    },
    answer: ['_x._tcp.db.c.test. SRV', '_x._tcp.db.c.test. SRV'],
    additional: ['p1.other.test. A', 'p0.db.c.test. A', 'p0.db.c.test. AAAA'],
  },
  {
    name: 'with MX, NAPTR, HTTPS and NS likewise',
    ask: 'c.test ANY',
    parts: {
      answer: [
        naming('c.test', 'MX', [0, 10], 'mx.c.test'),
        naming('c.test', 'NAPTR', [0, 1, 0, 2, 1, 0x53, 0, 0], '_sip._udp.c.test'),
        naming('c.test', 'HTTPS', [0, 0], 'alias.c.test'),
        ns('c.test', 'ns.c.test'),
      ],
      additional: [
        a('mx.c.test', 30),
        srv('_sip._udp.c.test', 'sip.c.test'),
        a('sip.c.test', 30),
        a('alias.c.test', 30),
        naming('alias.c.test', 'HTTPS', [0, 1], '.'),
        a('ns.c.test', 30),
      ],
    },
    answer: ['c.test. MX', 'c.test. NAPTR', 'c.test. HTTPS', 'c.test. NS'],
    additional: [
      'mx.c.test. A',
      '_sip._udp.c.test. SRV',
      'alias.c.test. A',
      'alias.c.test. HTTPS',
      'ns.c.test. A',
    ],
  },
  {
    name: 'a service binding at its own name',
    ask: 'c.test HTTPS',
    parts: {
      answer: [naming('c.test', 'HTTPS', [0, 1], '.')],
      additional: [a('c.test', 30), a('d.test', 30)],
    },
    answer: ['c.test. HTTPS'],
    additional: ['c.test. A'],
  },
  {
    name: 'signatures of what stands beside, for DO alone',
    ask: 'c.test MX',
    rest: WITH_DO,
    parts: {
      answer: [naming('c.test', 'MX', [0, 10], 'mx.c.test')],
      additional: [a('mx.c.test', 30), rrsig('mx.c.test', 'A'), rrsig('mx.c.test', 'MX')],
    },
    answer: ['c.test. MX'],
    additional: ['mx.c.test. A', 'mx.c.test. RRSIG'],
  },
  {
    name: 'no signatures without DO, and no address that the answer does not name',
    ask: 'www.c.test A',
    parts: {
      answer: [a('www.c.test', 30)],
      additional: [a('www.c.test', 30), a('ns.c.test', 30)],
      authority: [ns('c.test', 'ns.c.test')],
    },
    answer: ['www.c.test. A'],
  },
  {
    name: 'never of a zone that is served here',
    ask: 'c.test SRV',
    parts: {
      answer: [srv('c.test', 'web.default.svc.cluster.local'), srv('c.test', 'b.test')],
      additional: [a('web.default.svc.CLUSTER.local', 30), a('b.test', 30)],
    },
    answer: ['c.test. SRV', 'c.test. SRV'],
    additional: ['b.test. A'],
  },
  {
    name: 'a referral, with addresses of its servers',
    ask: 'x.sub.c.test A',
    parts: {
      authority: [
        ns('sub.c.test', 'ns.sub.c.test'),
        ns('sub.c.test', 'ns.b.test'),
        ns('victim.example', 'ns.evil.example'),
      ],
      additional: [a('ns.sub.c.test', 30), a('ns.b.test', 30), a('ns.evil.example', 30)],
    },
    answer: [],
    authority: ['sub.c.test. NS', 'sub.c.test. NS'],
    additional: ['ns.sub.c.test. A', 'ns.b.test. A'],
  },
  {
    name: 'a secure referral for DO, behind an alias',
    ask: 'www.c.test A',
    rest: WITH_DO,
    parts: {
      answer: [cname('www.c.test', 'x.sub.c.test')],
      authority: [
        ns('sub.c.test', 'ns.sub.c.test'),
        { owner: 'sub.c.test', type: 'DS', ttlSeconds: 30, rdata: Uint8Array.of(0, 1, 13, 2, 9) },
        rrsig('sub.c.test', 'DS'),
        rrsig('sub.c.test', 'NS'),
      ],
    },
    answer: ['www.c.test. CNAME'],
    authority: ['sub.c.test. NS', 'sub.c.test. DS', 'sub.c.test. RRSIG'],
  },
  {
    name: 'no referral upwards, aside, or into a zone of ours',
    ask: 'x.cluster.local A',
    parts: {
      authority: [ns('.', 'a.root'), ns('other.test', 'ns.other.test'), ns('cluster.local', 'ns.evil')],
    },
    answer: [],
  },
  {
    name: 'the DNAME of an alias that is asked for, with its signature',
    ask: 'q.d.s.test CNAME',
    rest: WITH_DO,
    parts: {
      answer: [
        named('d.s.test', 'DNAME', 30, 'wild.s.test'),
        rrsig('d.s.test', 'DNAME'),
        cname('q.d.s.test', 'q.wild.s.test'),
        named('e.s.test', 'DNAME', 30, 'wild.s.test'),
      ],
    },
    answer: ['d.s.test. DNAME', 'd.s.test. RRSIG', 'q.d.s.test. CNAME'],
  },
]

for (const { name, ask = 'www.example.org A', rest, parts, answer, authority = [], additional = [] } of [
  ...cases,
  ...beside,
]) {
  t.test(name, async t => {
    const stub = await startStub(t, (asked, back) => back.send(replyTo(asked, parts)))
    const bench = startBench(t, `forward . ${stub.to}`, undefined, undefined, {
      ownZones: [nameOctets('cluster.local')],
    })
    const line = await bench.ask(ask, rest)
    t.strictSame(line.answer.map(ownerAndType), answer)
    t.strictSame(line.authority.map(ownerAndType), authority)
    t.strictSame(line.additional.map(ownerAndType), additional)
  })
}

t.test('a chain of fifty costs one query', async t => {
  const links = Array.from({ length: 50 }, (_, i) =>
    cname(i === 0 ? 'www.example.org' : `n${i}.org`, `n${i + 1}.org`),
  )
  const { stub, bench } = await benchTo(t, (asked, back) =>
    back.send(
      replyTo(asked, asked.transport === 'udp' ? { tc: true } : { answer: [...links, a('n50.org', 30)] }),
    ),
  )
  const reply = await bench.ask('www.example.org A')
  t.equal(reply.answer.length, 51)
  t.equal(stub.asked.length, 2)
})

t.test('a chain of two thousand is cut, and costs one query as well', async t => {
  const links = Array.from({ length: 2000 }, (_, i) => cname(i === 0 ? 'www.o' : `n${i}.o`, `n${i + 1}.o`))
  const { stub, bench } = await benchTo(t, (asked, back) =>
    back.send(replyTo(asked, asked.transport === 'udp' ? { tc: true } : { answer: links })),
  )
  const reply = await bench.ask('www.o A')
  t.equal(reply.answer.length, CHAIN_MAX)
  t.equal(stub.asked.length, 2)
})

t.test('an upstream speaks for the zone that the Corefile gives it', async t => {
  const parts: ReplyParts = {
    answer: [srv('_x._tcp.c.test', 'p0.c.test'), srv('_x._tcp.c.test', 'p1.d.test')],
    additional: [a('p0.c.test', 30), a('p1.d.test', 30)],
  }
  const stub = await startStub(t, (asked, back) => back.send(replyTo(asked, parts)))
  const cases: [forward: string, zones: string[], additional: string[]][] = [
    ['.', ['.'], ['p0.c.test. A', 'p1.d.test. A']],
    ['c.test', ['.'], ['p0.c.test. A']],
    ['.', ['c.test.'], ['p0.c.test. A']],
    ['c.test', ['test.'], ['p0.c.test. A']],
    ['.', ['c.test.', 'd.test.'], ['p0.c.test. A', 'p1.d.test. A']],
  ]
  for (const [from, zones, additional] of cases) {
    const bench = startBench(t, `forward ${from} ${stub.to}`, undefined, undefined, { zones })
    const reply = await bench.ask('_x._tcp.c.test SRV')
    t.strictSame(reply.additional.map(ownerAndType), additional, `forward ${from} in ${zones}`)
  }
})
