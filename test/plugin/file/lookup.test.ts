// Questions and answers; the same against CoreDNS are the cases file-*.txt of the end-to-end tests.

import t from 'tap'
import { formatName } from '../../../src/wire/name.ts'
import { rcodeName } from '../../../src/wire/rcode.ts'
import { typeName } from '../../../src/wire/rrtype.ts'
import type { Query } from '../../support/query.ts'
import { DROP, failure, type Reply } from '../../support/reply.ts'
import { askHandler } from '../../support/road.ts'
import { query, record, reply } from '../../support/words.ts'
import { handlerOf, lines, zoneOf } from './zone-texts.ts'

const zone = zoneOf(`$TTL 300
@ 3600 SOA ns host 7 2 3 4 60
@ NS ns
@ NS ns.elsewhere.net.
@ MX 10 mail
ns A 192.0.2.53
mail A 192.0.2.25
mail AAAA 2001:db8::25
www A 192.0.2.80
www A 192.0.2.81
alias CNAME www
alias2 CNAME alias
loop CNAME loop2
loop2 CNAME loop
out CNAME www.example.net.
tocut CNAME host.sub
dead CNAME nope
*.wild A 192.0.2.99
*.walias CNAME www
host.wild TXT x
a.b.ent A 192.0.2.7
*.below.star A 192.0.2.8
* TXT "any"
sub NS ns.sub
sub NS ns.elsewhere.net.
sub NS mail
sub DS 1 13 2 ${'00'.repeat(32)}
ns.sub A 192.0.2.54
dn DNAME to
a.to A 192.0.2.60
far DNAME example.net.
me DNAME me
long DNAME ${`${'x'.repeat(60)}.`.repeat(3)}example.org.
_sip._tcp SRV 0 5 5060 WWW
_sip._tcp SRV 0 5 5061 www
_sip._tcp SRV 0 5 5062 www.example.net.
`)

interface Expected {
  readonly rcode?: string
  readonly aa?: boolean
  readonly answer?: readonly string[]
  /** Types only. */
  readonly authority?: string
  readonly additional?: readonly string[]
  readonly missing?: boolean
}

const www = ['www.example.org. 300 A 192.0.2.80', 'www.example.org. 300 A 192.0.2.81']
const NODATA = { authority: 'SOA', answer: [] }

const handler = handlerOf(zone)
/** One that hands on what `fallthrough` is about. */
const falling = handlerOf(zone, ['.'])

async function replyTo(question: string, rest: Partial<Query> = {}, by = handler): Promise<Reply> {
  const outcome = await askHandler(by, query(question, rest), () => reply({ plugin: 'next' }))
  if (outcome === DROP) throw new Error('silence')
  return outcome
}

const ask = async (question: string, rest: Partial<Query> = {}): Promise<Expected> => {
  const reply = await replyTo(question, rest)
  return {
    rcode: rcodeName(reply.rcode),
    aa: reply.authoritative,
    answer: lines(reply.answer),
    authority: reply.authority.map(({ type }) => typeName(type)).join(' '),
    additional: lines(reply.additional),
    missing: !rest.lookup && (await replyTo(question, rest, falling)).plugin === 'next',
  }
}

const usual = { rcode: 'NOERROR', aa: true, authority: 'NS NS', additional: [], missing: false }

t.test('what the zone has', async t => {
  const cases: Record<string, Expected> = {
    'www.example.org. A': { answer: www },
    'WWW.Example.ORG. A': { answer: www },
    'example.org. NS': {
      answer: ['example.org. 300 NS ns.example.org.', 'example.org. 300 NS ns.elsewhere.net.'],
      authority: '',
      additional: ['ns.example.org. 300 A 192.0.2.53'],
    },
    'example.org. MX': {
      answer: ['example.org. 300 MX mail.example.org.'],
      additional: ['mail.example.org. 300 A 192.0.2.25', 'mail.example.org. 300 AAAA 2001:db8::25'],
    },
    'www.example.org. AAAA': NODATA,
    'www.example.org. ANY': NODATA,
    'www.example.org. SOA': NODATA,
    'example.org. A': NODATA,
    'b.ent.example.org. A': { ...NODATA, missing: true },
    'ent.example.org. TXT': { ...NODATA, missing: true },
    'star.example.org. A': { ...NODATA, missing: true },
    'x.star.example.org. A': { ...NODATA, rcode: 'NXDOMAIN', missing: true },
    'x.www.example.org. A': { ...NODATA, rcode: 'NXDOMAIN', missing: true },
    'x.y.www.example.org. A': { ...NODATA, rcode: 'NXDOMAIN', missing: true },
  }
  for (const [question, expected] of Object.entries(cases)) {
    t.same(await ask(question), { ...usual, ...expected }, question)
  }
  const { answer } = await replyTo('example.org. SOA')
  t.same(
    answer.map(({ ttlSeconds }) => ttlSeconds),
    [3600],
  )
  const negative = await replyTo('www.example.org. AAAA')
  t.same(
    negative.authority.map(({ ttlSeconds }) => ttlSeconds),
    [60],
    'no longer than the minimum',
  )
})

t.test('wildcards', async t => {
  const cases: Record<string, Expected> = {
    'x.wild.example.org. A': { answer: ['x.wild.example.org. 300 A 192.0.2.99'] },
    'x.y.wild.example.org. A': { answer: ['x.y.wild.example.org. 300 A 192.0.2.99'] },
    '*.wild.example.org. A': { answer: ['*.wild.example.org. 300 A 192.0.2.99'] },
    'x.wild.example.org. TXT': NODATA,
    'wild.example.org. A': { ...NODATA, missing: true },
    'host.wild.example.org. A': NODATA,
    'x.host.wild.example.org. A': { ...NODATA, rcode: 'NXDOMAIN', missing: true },
    'x.walias.example.org. A': { answer: ['x.walias.example.org. 300 CNAME www.example.org.', ...www] },
    'x.walias.example.org. CNAME': { answer: ['x.walias.example.org. 300 CNAME www.example.org.'] },
    'x.ent.example.org. A': { ...NODATA, rcode: 'NXDOMAIN', missing: true },
    'any.example.org. A': NODATA,
    'deep.any.example.org. TXT': { answer: ['deep.any.example.org. 300 TXT 03616e79'] },
    'x.below.star.example.org. A': { answer: ['x.below.star.example.org. 300 A 192.0.2.8'] },
  }
  for (const [question, expected] of Object.entries(cases)) {
    t.same(await ask(question), { ...usual, ...expected }, question)
  }
})

t.test('cuts', async t => {
  const referral = {
    aa: false,
    answer: [],
    authority: 'NS NS NS',
    additional: ['ns.sub.example.org. 300 A 192.0.2.54'],
  }
  const cases: Record<string, Expected> = {
    'sub.example.org. A': referral,
    'sub.example.org. NS': referral,
    'host.sub.example.org. A': referral,
    'ns.sub.example.org. A': referral,
    'host.sub.example.org. DS': referral,
    'sub.example.org. DS': { answer: [`sub.example.org. 300 DS 00010d02${'00'.repeat(32)}`] },
    'tocut.example.org. A': {
      ...referral,
      aa: true,
      answer: ['tocut.example.org. 300 CNAME host.sub.example.org.'],
    },
  }
  for (const [question, expected] of Object.entries(cases)) {
    t.same(await ask(question), { ...usual, ...expected }, question)
  }
  const edns = { payloadSize: 1232, dnssecOk: true, options: [] }
  t.equal(
    (await ask('host.sub.example.org. A', { edns })).authority,
    'NS NS NS DS',
    'with DO the DS come along',
  )
})

t.test('aliases in the zone', async t => {
  const alias = 'alias.example.org. 300 CNAME www.example.org.'
  const cases: Record<string, Expected> = {
    'alias.example.org. A': { answer: [alias, ...www] },
    'alias2.example.org. A': { answer: ['alias2.example.org. 300 CNAME alias.example.org.', alias, ...www] },
    'alias.example.org. CNAME': { answer: [alias] },
    'alias.example.org. MX': { answer: [alias], authority: 'SOA' },
    'alias.example.org. ANY': { answer: [alias] },
    'alias.example.org. NSEC': { answer: [alias], authority: 'SOA' },
    'loop.example.org. A': {
      answer: [
        'loop.example.org. 300 CNAME loop2.example.org.',
        'loop2.example.org. 300 CNAME loop.example.org.',
      ],
    },
    '_sip._tcp.example.org. SRV': { additional: www },
  }
  for (const [question, expected] of Object.entries(cases)) {
    const got = await ask(question)
    t.same(
      { ...got, answer: expected.answer ?? got.answer },
      { ...usual, ...expected, answer: expected.answer ?? got.answer },
      question,
    )
    if (expected.answer) t.same(got.answer, expected.answer)
  }
})

t.test('aliases that the whole server is asked about', async t => {
  const answered = (parts: Partial<Reply>): Partial<Query> => ({
    lookup: async (qname, qtype) => {
      asked.push(`${formatName(qname)} ${typeName(qtype)}`)
      return { ...failure(0), ...parts }
    },
  })
  const asked: string[] = []
  const out = 'out.example.org. 300 CNAME www.example.net.'
  const found = record('www.example.net. 60 A 192.0.2.200')
  const cases: readonly (readonly [string, Partial<Reply>, Expected])[] = [
    ['an answer', { answer: [found] }, { answer: [out, 'www.example.net. 60 A 192.0.2.200'] }],
    ['none', {}, { answer: [out], authority: 'SOA' }],
    ['NXDOMAIN', { rcode: 3 }, { answer: [out], authority: 'SOA', rcode: 'NXDOMAIN' }],
    ['SERVFAIL', { rcode: 2 }, { answer: [out], rcode: 'SERVFAIL' }],
    ['REFUSED', { rcode: 5 }, { answer: [out] }],
  ]
  for (const [what, parts, expected] of cases) {
    t.same(await ask('out.example.org. A', answered(parts)), { ...usual, ...expected }, what)
  }
  t.same(
    asked,
    Array.from(cases, () => 'www.example.net. A'),
  )
  asked.length = 0
  t.same(await ask('dead.example.org. A', answered({ rcode: 3 })), {
    ...usual,
    answer: ['dead.example.org. 300 CNAME nope.example.org.'],
    authority: 'SOA',
    rcode: 'NXDOMAIN',
  })
  t.same(asked, ['nope.example.org. A'], 'another plugin may have the name')
  const cut = await replyTo('out.example.org. A', answered({ truncated: true, answer: [found] }))
  t.ok(cut.truncated, 'what was cut there is cut here')
})

t.test('DNAME (RFC 6672)', async t => {
  const dn = 'dn.example.org. 300 DNAME 02746f076578616d706c65036f726700'
  const cases: Record<string, Expected> = {
    'dn.example.org. DNAME': { answer: [dn] },
    'dn.example.org. A': NODATA,
    'a.dn.example.org. A': {
      answer: [dn, 'a.dn.example.org. 300 CNAME a.to.example.org.', 'a.to.example.org. 300 A 192.0.2.60'],
    },
    'A.DN.example.org. CNAME': { answer: [dn, 'a.dn.example.org. 300 CNAME a.to.example.org.'] },
    'x.me.example.org. A': { rcode: 'SERVFAIL', aa: false, answer: [], authority: '' },
  }
  for (const [question, expected] of Object.entries(cases)) {
    t.same(await ask(question), { ...usual, ...expected }, question)
  }
  const long = await ask(`${'y'.repeat(60)}.long.example.org. A`)
  t.equal(long.rcode, 'YXDOMAIN', 'the name that it makes is too long')
  t.equal(long.answer?.length, 1)
})

t.test('the metadata name the wildcard that an answer came from', async t => {
  const cases = [
    ['a.wild.example.org. A', '*.wild.example.org.'],
    ['a.wild.example.org. MX', '*.wild.example.org.'],
    ['a.walias.example.org. A', '*.walias.example.org.'],
    ['elsewhere.example.org. TXT', '*.example.org.'],
    ['www.example.org. A', undefined],
    ['ent.example.org. A', undefined],
    ['host.sub.example.org. A', undefined],
  ] as const
  for (const [question, wildcard] of cases) {
    const metadata = new Map<string, string>()
    await replyTo(question, { metadata })
    t.equal(metadata.get('zone/wildcard'), wildcard, question)
  }
})

t.test('what stands at a name itself in a signed zone (RFC 4035 2.5, 3.1.4.1)', async t => {
  const signed = zoneOf(`$TTL 300
@ SOA ns host 7 2 3 4 60
@ NS ns
@ NSEC c ( SOA NS NSEC RRSIG )
c CNAME www.example.net.
c NSEC sub ( CNAME NSEC RRSIG )
c RRSIG CNAME 13 3 300 20300101000000 20200101000000 1 @ AAAA
sub NS ns.sub
sub NSEC @ ( NS NSEC RRSIG )
`)
  const cases: [question: string, answer: string, authority: string][] = [
    ['c.example.org. NSEC', 'NSEC', 'NS'],
    ['c.example.org. RRSIG', 'RRSIG', 'NS'],
    ['sub.example.org. NSEC', 'NSEC', 'NS'],
    ['sub.example.org. DS', '', 'SOA NSEC'],
    ['sub.example.org. A', '', 'NS NSEC'],
    ['x.sub.example.org. NSEC', '', 'NS NSEC'],
  ]
  const edns = { payloadSize: 1232, dnssecOk: true, options: [] }
  const types = (records: Reply['answer']): string => records.map(({ type }) => typeName(type)).join(' ')
  for (const [question, answer, authority] of cases) {
    const reply = await replyTo(question, { edns }, handlerOf(signed))
    t.same([types(reply.answer), types(reply.authority)], [answer, authority], question)
  }
})
