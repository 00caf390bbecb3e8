// The handler: which directive takes a question, what it answers, what is counted, and what goes on.

import t from 'tap'
import { templateWord } from '../../../src/plugin/template/template.ts'
import { formatName, type Name, name } from '../../../src/wire/name.ts'
import { RCODE } from '../../../src/wire/rcode.ts'
import { CLASS, typeName } from '../../../src/wire/rrtype.ts'
import { elapsedCosts } from '../../support/cost.ts'
import type { Query } from '../../support/query.ts'
import { DROP, type Reply } from '../../support/reply.ts'
import { askHandler } from '../../support/road.ts'
import { parseWord, query, record, reply, shortForm, testThread } from '../../support/words.ts'

/** A handler of these directives; `ask` gives `RCODE answer | additional | authority`, or `next`. */
function world(text: string, upstream: Partial<Reply> = {}) {
  const thread = testThread()
  const { config, complaints } = parseWord(templateWord, text)
  t.same(
    complaints.filter(complaint => complaint.includes(' error: ')),
    [],
    text,
  )
  const handler = templateWord.create!(config!, thread.context)
  const passed = reply({ plugin: 'next' })
  const lookups: string[] = []
  const lookup = (qname: Name, qtype: number): Promise<Reply> => {
    lookups.push(`${formatName(qname)} ${typeName(qtype)}`)
    return Promise.resolve(reply(upstream))
  }
  const outcomeOf = async (question: string, rest: Partial<Query> = {}): Promise<Reply> => {
    const outcome = await askHandler(handler, query(question, { lookup, ...rest }), () => passed)
    if (outcome === DROP) throw new Error('silence')
    return outcome
  }
  const ask = async (question: string, rest: Partial<Query> = {}): Promise<string> => {
    const outcome = await outcomeOf(question, rest)
    if (outcome.plugin === 'next') return 'next'
    const sections = [outcome.answer, outcome.additional, outcome.authority].map(section =>
      shortForm(section).join(', '),
    )
    return `${outcome.rcode} ${sections.join(' | ')}`.replace(/[ |]+$/, '')
  }
  return { ...thread, handler, ask, outcomeOf, lookups }
}

t.test('zone, class, type and regular expression take a question', async t => {
  const { ask } = world(`
template IN A example.org {
  match ^a
  match ^(b|c)[.]
  answer "{{ .Name }} A 10.0.0.1"
  fallthrough in.example.org
}
template IN TXT {
  match ^t
  fallthrough
}
template CH MX {
  answer "{{ .Name }} A 10.0.0.3"
}
template ANY AAAA ANY.example.org {
  rcode REFUSED
}`)
  const cases: [question: string, answer: string][] = [
    ['a.example.org. A', '0 A 10.0.0.1'],
    ['AB.Example.ORG. A', '0 A 10.0.0.1'],
    ['c.example.org. A', '0 A 10.0.0.1'],
    ['a.example.org. ANY', '0 A 10.0.0.1'],
    ['d.example.org. A', '2'],
    ['d.in.example.org. A', 'next'],
    ['xexample.org. A', 'next'],
    ['a.example.org. MX', 'next'],
    ['t.example.org. TXT', '0'],
    ['x.example.org. TXT', 'next'],
    ['a.any.example.org. AAAA', '5'],
    ['a.any.example.com. AAAA', 'next'],
    ['. A', 'next'],
  ]
  for (const [question, answer] of cases) t.equal(await ask(question), answer, question)
})

t.test('a reply has authority, its code, sections and extended error', async t => {
  const { outcomeOf } = world(`
template IN A {
  answer "{{ .Name }} 7 IN A 10.0.0.1" "@ CH TXT x"
  additional "relative A 10.0.0.2"
  authority "{{ .Zone }} 1h SOA ns.{{ .Name }} host (1 2 3 4 5) ; a comment"
  rcode NXDOMAIN
  ederror 17 "filtered"
}`)
  const outcome = await outcomeOf('WWW.example.org. A')
  t.match(outcome, {
    rcode: 3,
    authoritative: true,
    recursionAvailable: false,
    truncated: false,
    plugin: 'template',
    extendedError: { code: 17, text: 'filtered' },
  })
  const heads = [...outcome.answer, ...outcome.additional, ...outcome.authority].map(
    each => `${formatName(each.owner)} ${each.ttlSeconds} ${each.class} ${typeName(each.type)}`,
  )
  t.same(heads, ['www.example.org. 7 1 A', '. 3600 3 TXT', 'relative. 3600 1 A', '. 3600 1 SOA'])
})

t.test('what a template knows', async t => {
  const { outcomeOf } = world(`
template ANY ANY org Example.org {
  match "(?P<all>(?P<first>[a-z]+)?(?P<rest>[.][a-z]+))[.]org"
  answer "x TXT \\"{{ .Zone }} {{ .Name }} {{ .Class }} {{ .Type }} {{ .Match }} {{ .Group }} {{ .Remote }} {{ .Regex }}\\""
  answer "x TXT \\"{{ .Question.Name }} {{ .Question.Qtype }} {{ .Question.Qclass }} {{ .Meta \\"a/b\\" }}\\""
  answer "x TXT \\"{{ .Message.Id }} {{ .Message.RecursionDesired }} {{ .Message.CheckingDisabled }} {{ .Message.AuthenticatedData }} {{ .Message.Truncated }} {{ len .Message.Question }}\\""
}`)
  const textsOf = async (question: string, rest: Partial<Query> = {}): Promise<string[]> =>
    (await outcomeOf(question, rest)).answer.map(({ rdata }) =>
      Buffer.from(rdata.subarray(1)).toString('latin1'),
    )
  const groups =
    'map[0:www.example.org 1:www.example 2:www 3:.example all:www.example first:www rest:.example]'
  const regex = '(?P<all>(?P<first>[a-z]+)?(?P<rest>[.][a-z]+))[.]org'
  const match = '[www.example.org www.example www .example]'
  t.same(
    await textsOf('WWW.Example.org. A', { metadata: new Map([['a/b', 'meta']]), checkingDisabled: true }),
    [
      `example.org. www.example.org. IN A ${match} ${groups} 10.0.0.7 ${regex}`,
      'WWW.Example.org. 1 1 meta',
      '29008 true true false false 1',
    ],
  )
  const any = { question: { qname: name('www.example.org.'), qtype: 255, qclass: CLASS.ANY } }
  t.match(await textsOf('www.example.org. ANY', any), [
    /^example.org. www.example.org. ANY ANY /,
    / 255 255 /,
    /./,
  ])
  t.match(await textsOf('www.example.org. TYPE65280'), [/^example.org. www.example.org. IN {2}\[/, /./, /./])
})

t.test('targets of CNAME records are looked up for addresses', async t => {
  const upstream = { answer: [record('b.org. 5 A 10.0.0.9')], truncated: true, rcode: 2 }
  const { ask, lookups, outcomeOf } = world(
    'template IN ANY {\nanswer "{{ .Name }} CNAME b.org"\nanswer "c.org A 10.0.0.1"\n}',
    upstream,
  )
  t.equal(await ask('a.org. A'), '0 CNAME b.org., A 10.0.0.9, A 10.0.0.1')
  t.match(await outcomeOf('a.org. AAAA'), { truncated: true, rcode: 0 })
  t.equal(await ask('a.org. TXT'), '0 CNAME b.org., A 10.0.0.1')
  t.same(lookups, ['b.org. A', 'b.org. AAAA'])
})

t.test('the code and the reason are those of the last name, unless the template has its own', async t => {
  const upstream = { rcode: RCODE.NXDOMAIN, authority: [record('org. 5 SOA a. b.')] }
  const { outcomeOf } = world(
    'template IN A a.org {\nanswer "{{ .Name }} CNAME b.net"\n}\ntemplate IN A c.org {\nrcode REFUSED\nanswer "{{ .Name }} CNAME b.net"\n}',
    upstream,
  )
  t.match(await outcomeOf('a.org. A'), {
    rcode: RCODE.NXDOMAIN,
    authority: { length: 1 },
    extendedError: { code: 0, text: 'the alias leads to b.net.: no such name' },
  })
  t.match(await outcomeOf('c.org. A'), { rcode: RCODE.REFUSED, authority: { length: 0 } })
})

t.test('failures are SERVFAIL, told to errors, and counted', async t => {
  const text = `
template IN A a.org {
  answer "{{ .Name }} A 10.0.0.1"
  additional "{{   index .Match 3 }} A 10.0.0.1"
}
template IN A b.org {
  authority "{{- .Name }} A {{ .Group.nothing -}} "
}
template IN ANY c.org {
  rcode SERVFAIL
  answer "nonsense"
}
template IN A d.org {
  answer "{{ if false }}x{{ end }}"
}`
  const { outcomeOf, counted } = world(text)
  const cases: [question: string, error: string | undefined][] = [
    ['a.org. A', 'template: additional: error calling index: index out of range: 3'],
    ['b.org. A', 'template: authority: "b.org. A <no value>": this is not an IPv4 address'],
    ['c.org. TXT', undefined],
    ['d.org. A', 'template: answer: "": this holds no record'],
  ]
  for (const [question, error] of cases) {
    const { rcode, answer, plugin, error: told } = await outcomeOf(question)
    t.same([rcode, answer, plugin, told], [2, [], '', error], question)
  }
  const of = (zone: string, type = 'A'): string =>
    `server=dns://:53,zone=${zone}.,view=,class=IN,type=${type}`
  t.same(Object.fromEntries(counted), {
    [`coredns_template_matches_total{${of('a.org')}}`]: 1,
    [`coredns_template_matches_total{${of('b.org')}}`]: 1,
    [`coredns_template_matches_total{${of('c.org', 'TXT')}}`]: 1,
    [`coredns_template_matches_total{${of('d.org')}}`]: 1,
    [`coredns_template_template_failures_total{${of('a.org')},section=additional,template={{index .Match 3}} A 10.0.0.1}`]: 1,
    [`coredns_template_rr_failures_total{${of('b.org')},section=authority,template={{.Name}} A {{.Group.nothing}}}`]: 1,
    [`coredns_template_rr_failures_total{${of('d.org')},section=answer,template={{if false}}x{{end}}}`]: 1,
  })
})

t.test('a hostile name costs linear time', async t => {
  const { ask } = world('template IN A {\nmatch (a+)+$\nmatch ^(([a-z.])+)+[A-Z]\nfallthrough\n}')
  await ask('warm.up. A')
  const labels = `${'a'.repeat(60)}.${'a'.repeat(60)}.${'a'.repeat(60)}.`
  const short = `${'a'.repeat(15)}. A`
  for (const question of [`${'a'.repeat(60)}. A`, `${labels} A`]) {
    for (let i = 0; i < 5; i++) t.equal(await ask(question), 'next')
    const [long = 0, reference = 0] = await elapsedCosts([() => ask(question), () => ask(short)], 40, 0)
    const longer = question.length / short.length
    t.ok(long < 4 * longer * reference, `${longer} times as long: ${long} ms beside ${reference} ms`)
  }
})
