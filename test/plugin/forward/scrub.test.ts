// Which records of a reply are kept: the chain from the asked name, and what proves that there is nothing.

import t from 'tap'
import type { Query } from '../../../src/query/query.ts'
import { nameOctets, TYPES } from '../../support/dns-question.ts'
import { a, named, type ReplyParts, replyTo, type StubRecord, soa } from '../../support/upstream-stub.ts'
import { benchTo, ownerAndType } from './forward-bench.ts'

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
}

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

for (const { name, ask = 'www.example.org A', rest, parts, answer, authority = [] } of cases) {
  t.test(name, async t => {
    const { bench } = await benchTo(t, (asked, back) => back.send(replyTo(asked, parts)))
    const line = await bench.ask(ask, rest)
    t.strictSame(line.answer.map(ownerAndType), answer)
    t.strictSame(line.authority.map(ownerAndType), authority)
    t.strictSame(line.additional, [])
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
