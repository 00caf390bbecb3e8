// The rules at work in the chain: what the plugins behind are asked, and what the client is told.

import t from 'tap'
import { rewriteWord } from '../../../src/plugin/rewrite/rewrite.ts'
import { ipFromBytes } from '../../../src/shared/ip.ts'
import { formatName, type Name, name } from '../../../src/wire/name.ts'
import { type Rr, rr } from '../../../src/wire/record.ts'
import { CLASS, className, TYPE, typeName } from '../../../src/wire/rrtype.ts'
import type { Query } from '../../support/query.ts'
import { DROP, type Outcome, type Reply } from '../../support/reply.ts'
import { askHandler } from '../../support/road.ts'
import { parseWord, query, record, reply, shortForm, testThread } from '../../support/words.ts'

interface Asked {
  readonly parts?: Partial<Query>
  readonly answers?: Partial<Reply>
}

/** What becomes of one question: what was asked behind the rules, and the outcome. */
async function ask(rules: string, question: string, { parts = {}, answers = {} }: Asked = {}) {
  const { config } = parseWord(rewriteWord, rules)
  const handler = rewriteWord.create!(config!, testThread().context)
  const asked: Query[] = []
  const outcome = (later: boolean): Promise<Outcome> => {
    const next = (behind: Query): Outcome => {
      asked.push(behind)
      return reply({ plugin: 'next', ...answers })
    }
    return Promise.resolve(
      askHandler(handler, query(question, parts), later ? async behind => next(behind) : next),
    )
  }
  const late = await outcome(true)
  asked.length = 0
  const atOnce = await outcome(false)
  t.same(late, atOnce, `${rules}: the same later`)
  return { asked: asked[0], outcome: atOnce as Reply }
}

const text = ({ question: { qname, qtype, qclass } }: Query): string =>
  [formatName(qname), typeName(qtype), ...(qclass === CLASS.IN ? [] : [className(qclass)])].join(' ')

/** Owner, type and data, as far as these tests hold them. */
const lines = (records: readonly Rr[]): string[] =>
  records.map(one => {
    const { type, owner, rdata } = one
    if (type === TYPE.A) return `${formatName(owner)} A ${ipFromBytes(rdata).text}`
    if (type === TYPE.SRV) return `${formatName(owner)} SRV ${formatName(rdata.subarray(6))}`
    if (type === TYPE.PTR || type === TYPE.DNAME)
      return `${formatName(owner)} ${typeName(type)} ${formatName(rdata)}`
    if (type === TYPE.SOA) {
      const mname = formatName(rdata)
      return `${formatName(owner)} SOA ${mname} ${formatName(rdata.subarray(name(mname).length))}`
    }
    return `${formatName(owner)} ${shortForm([one])[0]}`
  })

t.test('what is asked behind the rules', async t => {
  const cases: [rules: string, question: string, asked: string][] = [
    ['rewrite name a.org b.org', 'a.org. A', 'b.org. A'],
    ['rewrite name a.org b.org', 'A.ORG. A', 'b.org. A'],
    ['rewrite name a.org b.org', 'C.org. A', 'C.org. A'],
    ['rewrite name prefix a b', 'a.x. A', 'b.x. A'],
    ['rewrite name suffix .a .b', 'X.y.A. A', 'x.y.b. A'],
    ['rewrite name substring a b', 'xa.a.a.x. A', 'xb.b.b.x. A'],
    ['rewrite name regex (.*)-(.*)\\.x\\. {2}.{1}.y', 'a-b.x. A', 'b.a.y. A'],
    ['rewrite name a. b.\nrewrite name b. c.', 'a. A', 'b. A'],
    ['rewrite continue name a. b.\nrewrite name b. c.', 'a. A', 'c. A'],
    ['rewrite continue name b. c.\nrewrite name a. b.', 'a. A', 'b. A'],
    ['rewrite name a. b.\nrewrite type A AAAA', 'a. A', 'b. A'],
    ['rewrite name a. b.\nrewrite type A AAAA', 'c. A', 'c. AAAA'],
    ['rewrite continue type A AAAA\nrewrite continue type AAAA MX', 'a. A', 'a. MX'],
    ['rewrite type ANY HINFO', 'a. ANY', 'a. HINFO'],
    ['rewrite continue class CH IN\nrewrite class IN HS', 'a. A', 'a. A HS'],
    ['rewrite ttl a. 5\nrewrite name a. b.', 'a. A', 'a. A'],
    ['rewrite rcode a. 3 0\nrewrite name a. b.', 'a. A', 'a. A'],
    ['rewrite cname x. y.\nrewrite name a. b.', 'a. A', 'a. A'],
    ['rewrite edns0 nsid unset\nrewrite name a. b.', 'a. A', 'a. A'],
    ['rewrite edns0 nsid replace\nrewrite name a. b.', 'a. A', 'b. A'],
    // No rule cuts an escape in two, and no dot inside a label passes for the end of one.
    ['rewrite name suffix .a.org .b.org', 'x\\.a.org. A', 'x\\.a.org. A'],
    ['rewrite name suffix .a.org .b.org', 'x\\.y.a.org. A', 'x\\.y.b.org. A'],
    ['rewrite name regex ^(.*)\\.org\\.$ {1}.net', 'a\\.b\\000\\255.org. A', 'a\\.b\\000\\255.net. A'],
    ['rewrite name regex ^(.)(.).*$ {2}{1}.net', '\\046\\000. A', '\\000\\..net. A'],
    ['rewrite name exact a\\.b.org c\\.d.org', 'a\\.b.org. A', 'c\\.d.org. A'],
    ['rewrite name exact a\\.b.org c.org', 'a.b.org. A', 'a.b.org. A'],
    ['rewrite name substring \\046 x', 'a.b.org. A', 'a.b.org. A'],
  ]
  for (const [rules, question, expected] of cases) {
    const { asked } = await ask(rules, question)
    t.equal(text(asked!), expected, `${rules}: ${question}`)
  }
})

t.test('what no rule touches is handed on as it is, and comes back as it is', async t => {
  const { config } = parseWord(rewriteWord, 'rewrite name a. b.')
  const handler = rewriteWord.create!(config!, testThread().context)
  const answer = reply({ authenticData: true, answer: [record('c. 60 A 192.0.2.1')] })
  const outcome = askHandler(handler, query('C. A'), behind => {
    t.equal(text(behind), 'C. A')
    return answer
  })
  t.match(outcome, answer)
  t.equal(
    askHandler(handler, query('a. A'), () => DROP),
    DROP,
    'silence stays silence',
  )
})

t.test('a name that is none', async t => {
  const label = 'x'.repeat(40)
  const cases: [rules: string, question: string, error: string][] = [
    ['rewrite name suffix a.org .b.org', 'x.a.org. A', 'x..b.org.'],
    ['rewrite name exact a.org b..org', 'a.org. A', 'b..org.'],
    ['rewrite name regex ^(.*)\\.a\\.(.*)$ {1}.{2}', 'x.a.org. A', 'x.org..'],
    ['rewrite name regex ^(.*)\\.a\\.$ {1}{1}.org', `${label}.a. A`, `${label}${label}.org.`],
    ['rewrite name suffix .a ..a', 'x\\.y\\000.a. A', 'x\\.y\\000..a.'],
    ['rewrite continue name a. b..\nrewrite rcode a. SERVFAIL NOERROR', 'a. A', 'b..'],
  ]
  for (const [rules, question, error] of cases) {
    const { asked, outcome } = await ask(rules, question)
    t.equal(asked, undefined, `${rules}: nobody is asked`)
    t.equal(outcome.rcode, 2, rules)
    t.equal(outcome.error, `invalid name after rewrite: ${error}`)
  }
  const long = await ask(`rewrite name regex ^(.*)\\.a\\.$ ${'{1}'.repeat(300)}`, `${label}.${label}.a. A`)
  t.equal(long.outcome.rcode, 2)
  t.ok(long.outcome.error!.length < 1100, 'an error for the log is cut')
})

t.test('names in replies', async t => {
  const a = (owner: string): Rr => record(`${owner} 60 A 192.0.2.1`)
  const cases: [
    what: string,
    rules: string,
    question: string,
    answers: Partial<Reply>,
    expected: string[],
  ][] = [
    [
      'exact turns back by itself',
      'rewrite name a.org b.org',
      'a.org. A',
      { answer: [a('b.org.')] },
      ['a.org. A 192.0.2.1'],
    ],
    [
      'in any case',
      'rewrite name a.org b.org',
      'A.org. A',
      { answer: [a('B.Org.')] },
      ['a.org. A 192.0.2.1'],
    ],
    [
      'names below, by labels',
      'rewrite name a.org b.org',
      'a.org. A',
      { answer: [a('x.b.org.'), a('xb.org.')] },
      ['x.a.org. A 192.0.2.1', 'xb.org. A 192.0.2.1'],
    ],
    [
      'suffix alone does not',
      'rewrite name suffix .a .b',
      'x.a. A',
      { answer: [a('x.b.')] },
      ['x.b. A 192.0.2.1'],
    ],
    [
      'suffix auto: every name',
      'rewrite name suffix .a .b answer auto',
      'x.a. A',
      { answer: [a('x.b.'), a('y.b.')] },
      ['x.a. A 192.0.2.1', 'y.a. A 192.0.2.1'],
    ],
    [
      'prefix auto: the asked name',
      'rewrite name prefix a b answer auto',
      'a.x. A',
      { answer: [a('b.x.'), a('b.y.')] },
      ['a.x. A 192.0.2.1', 'b.y. A 192.0.2.1'],
    ],
    [
      'regex auto: the asked name',
      'rewrite name regex (.*)\\.a\\. {1}.b answer auto',
      'x.a. A',
      { answer: [a('x.b.'), a('y.b.')] },
      ['x.a. A 192.0.2.1', 'y.b. A 192.0.2.1'],
    ],
    [
      'answer name',
      'rewrite name suffix .a .b answer name (.*)\\.b\\. {1}.a',
      'x.a. A',
      { answer: [a('y.b.')] },
      ['y.a. A 192.0.2.1'],
    ],
    [
      'answer value leaves owners and addresses',
      'rewrite name suffix .a .b answer value (.*)\\.b\\. {1}.a',
      'x.a. A',
      { answer: [record('x.b. 60 CNAME y.b.'), a('y.b.')] },
      ['x.b. CNAME y.a.', 'y.b. A 192.0.2.1'],
    ],
    [
      'values',
      'rewrite name a. b.',
      'a. A',
      {
        answer: [
          record('x. 1 CNAME b.'),
          record('x. 1 DNAME c.b.'),
          record('x. 1 MX 1 b.'),
          record('x. 1 NS b.'),
          record('x. 1 PTR b.'),
          record('x. 1 SRV 1 2 3 b.'),
          record('x. 1 SOA b. b.'),
          record('x. 1 TXT b.'),
        ],
      },
      [
        'x. CNAME a.',
        'x. DNAME c.a.',
        'x. MX a.',
        'x. NS a.',
        'x. PTR a.',
        'x. SRV a.',
        'x. SOA a. b.',
        'x. TXT',
      ].map(line => line),
    ],
    [
      'all sections',
      'rewrite name a. b.',
      'a. A',
      { answer: [a('b.')], authority: [record('b. 1 NS ns.b.')], additional: [a('ns.b.')] },
      ['a. A 192.0.2.1', 'a. NS ns.a.', 'ns.a. A 192.0.2.1'],
    ],
    [
      'in the reverse order of the rules',
      'rewrite continue name a. b.\nrewrite continue name b. c.',
      'a. A',
      { answer: [a('c.')] },
      ['a. A 192.0.2.1'],
    ],
    [
      'answer rules of one rule too',
      'rewrite name suffix a b answer name c d name b c',
      'a. A',
      { answer: [a('b.')] },
      ['d. A 192.0.2.1'],
    ],
    [
      'a dot inside a label ends none',
      'rewrite name a.org b.org',
      'a.org. A',
      { answer: [a('x\\.b.org.'), a('y\\.x.b.org.')] },
      ['x\\.b.org. A 192.0.2.1', 'y\\.x.a.org. A 192.0.2.1'],
    ],
    [
      'other names keep their case',
      'rewrite name a. b.',
      'a. A',
      { answer: [a('Xb.')] },
      ['Xb. A 192.0.2.1'],
    ],
  ]
  for (const [what, rules, question, answers, expected] of cases) {
    const { outcome } = await ask(rules, question, { answers })
    const { answer, authority, additional } = outcome
    t.same(lines([...answer, ...authority, ...additional]), expected, what)
  }
})

t.test('NAPTR: the name behind its strings', async t => {
  const naptr = (replacement: Name): Uint8Array =>
    Uint8Array.of(0, 1, 0, 2, 1, 0x55, 3, 0x73, 0x69, 0x70, 0, ...replacement)
  const { outcome } = await ask('rewrite name a. b.', 'a. NAPTR', {
    answers: { answer: [rr(name('x.'), TYPE.NAPTR, 1, naptr(name('b.')))] },
  })
  t.same(
    outcome.answer.map(({ rdata }) => Uint8Array.from(rdata)),
    [naptr(name('a.'))],
  )
})

t.test('a reply whose names become illegal is a SERVFAIL', async t => {
  const answer = [record('x.b. 1 CNAME y.b.')]
  const cases = [
    'rewrite name suffix .a .b answer name (.*)\\.b\\.$ {1}..a',
    'rewrite name suffix .a .b answer value (.*)\\.b\\.$ {1}..a',
    'rewrite continue name suffix .a .b answer name (.*)\\.b\\.$ {1}..a\nrewrite continue ttl suffix . 5',
  ]
  for (const rules of cases) {
    const { outcome } = await ask(rules, 'x.a. A', { answers: { answer } })
    t.equal(outcome.rcode, 2, rules)
    t.match(outcome.error, /invalid name after rewrite: [xy]\.\.a\./)
    t.same(outcome.answer, [])
  }
})

t.test('ttl', async t => {
  const answers = {
    answer: [record('a. 5 A 192.0.2.1'), record('a. 60 A 192.0.2.2')],
    authority: [record('a. 700 NS b.')],
    additional: [record('b. 0 A 192.0.2.3')],
  }
  const cases: [rule: string, ttls: number[]][] = [
    ['ttl a. 30', [30, 30, 30, 30]],
    ['ttl exact a. 30-300', [30, 60, 300, 30]],
    ['ttl suffix . -30', [5, 30, 30, 0]],
    ['ttl prefix a 30-', [30, 60, 700, 30]],
    ['ttl substring b 9', [5, 60, 700, 0]],
    ['ttl regex ^a 0', [0, 0, 0, 0]],
  ]
  for (const [rule, ttls] of cases) {
    const { outcome } = await ask(`rewrite ${rule}`, 'a. A', { answers })
    const { answer, authority, additional } = outcome
    t.same(
      [...answer, ...authority, ...additional].map(({ ttlSeconds }) => ttlSeconds),
      ttls,
      rule,
    )
  }
})

t.test('rcode', async t => {
  const edns = { payloadSize: 1232, dnssecOk: false, options: [] }
  const cases: [rules: string, rcode: number, expected: number, parts?: Partial<Query>][] = [
    ['rewrite rcode a. NXDOMAIN NOERROR', 3, 0],
    ['rewrite rcode a. NXDOMAIN NOERROR', 2, 2],
    ['rewrite rcode b. NXDOMAIN NOERROR', 3, 3],
    ['rewrite continue rcode a. 3 0\nrewrite rcode a. 2 3', 2, 0],
    ['rewrite continue rcode a. 2 3\nrewrite rcode a. 3 0', 2, 3],
    // Without an OPT record there is no place for the upper bits.
    ['rewrite rcode a. 2 BADCOOKIE', 2, 2],
    ['rewrite rcode a. 2 BADCOOKIE', 2, 23, { edns }],
  ]
  for (const [rules, rcode, expected, parts = {}] of cases) {
    const answer = [record('a. 1 A 192.0.2.1'), record('a. 1 A 192.0.2.2')]
    for (const answers of [{ rcode }, { rcode, answer }]) {
      const { outcome } = await ask(rules, 'a. A', { parts, answers })
      t.equal(outcome.rcode, expected, `${rules}: ${rcode}`)
    }
  }
})

t.test('cname', async t => {
  const lookups: string[] = []
  const found = reply({
    rcode: 3,
    truncated: true,
    answer: [record('y. 9 A 192.0.2.9')],
    authority: [record('. 1 SOA a. b.')],
    extendedError: { code: 0, text: 'why' },
  })
  const lookup = async (qname: Name, qtype: number): Promise<Reply> => {
    lookups.push(`${formatName(qname)} ${typeName(qtype)}`)
    return found
  }
  const chain = [
    record('a. 1 CNAME b.'),
    record('b. 2 CNAME X.'),
    record('X. 3 A 192.0.2.1'),
    record('b. 2 TXT signature'),
  ]
  const from = (rules: string, question = 'a. A', answer = chain) =>
    ask(rules, question, {
      parts: { lookup },
      answers: { answer, authority: [record('old. 1 NS b.')], authenticData: true },
    })

  const { outcome } = await from('rewrite cname x. Y.')
  t.same(lines(outcome.answer), ['a. CNAME b.', 'b. CNAME y.', 'y. A 192.0.2.9'])
  t.same(lines(outcome.authority).length, 1)
  t.match(outcome, { rcode: 3, truncated: true, authenticData: false, extendedError: { code: 0 } })
  t.same(lookups.splice(0), ['y. A', 'y. A'], 'asked once for each query')

  const first = await from('rewrite cname regex ^(.)\\.$ {1}{1}.org')
  t.same(lines(first.outcome.answer), ['a. CNAME bb.org.', 'y. A 192.0.2.9'], 'the first one that matches')
  lookups.length = 0

  const typed = await from('rewrite continue type A MX\nrewrite cname x. y.')
  t.same(lookups.splice(0), ['y. MX', 'y. MX'], 'the type that was asked behind the rules')
  t.equal(typed.outcome.answer.length, 3)

  const alias = await from('rewrite cname b. y.', 'a. CNAME', chain.slice(0, 1))
  t.same(lines(alias.outcome.answer), ['a. CNAME y.'], 'the alias itself is not followed')
  t.same(lookups, [])

  const none = await from('rewrite cname q. y.')
  t.same(lines(none.outcome.answer), lines(chain))
  const partly = await from('rewrite cname suffix x y')
  t.same(lines(partly.outcome.answer), lines(chain), 'FROM of a suffix has no dot supplied')
  t.same(lookups, [])

  const illegal = await from('rewrite cname regex ^x\\.$ y..z')
  t.match(illegal.outcome, { rcode: 2, error: 'invalid name after rewrite: y..z' })

  const renamed = await from('rewrite continue name suffix . .q. answer auto\nrewrite cname x. y.', 'a. A', [
    record('a.q. 1 CNAME x.'),
  ])
  t.same(lines(renamed.outcome.answer), ['a. CNAME y.', 'y. A 192.0.2.9'], 'earlier rules see what was found')
})

t.test('AD is not kept for the answer to another question', async t => {
  const answers = { authenticData: true }
  t.equal((await ask('rewrite name a. b.', 'a. A', { answers })).outcome.authenticData, false)
  t.equal((await ask('rewrite type A AAAA', 'a. A', { answers })).outcome.authenticData, false)
  t.equal((await ask('rewrite ttl a. 5', 'a. A', { answers })).outcome.authenticData, true)
})
