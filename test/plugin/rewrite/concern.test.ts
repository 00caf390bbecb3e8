// Whether a rule can touch a zone of the cluster. What matters is that "no" is true: it is held against every name that
// can be made of the rules' own parts.

import t from 'tap'
import { concernsZone } from '../../../src/plugin/rewrite/concern.ts'
import type { Match } from '../../../src/plugin/rewrite/config.ts'
import { compileMatch } from '../../../src/plugin/rewrite/match.ts'
import { rewriteWord } from '../../../src/plugin/rewrite/rewrite.ts'
import { endingOf } from '../../../src/plugin/rewrite/shape.ts'
import { nameOf } from '../../../src/plugin/rewrite/text.ts'
import { name } from '../../../src/wire/name.ts'
import fc, { runs } from '../../support/properties.ts'
import { parseWord } from '../../support/words.ts'

const concerns = (rule: string, zone: string): boolean => {
  const { config, complaints } = parseWord(rewriteWord, `rewrite ${rule}`)
  if (config === undefined || config.rules.length !== 1) throw new Error(`${rule}: ${complaints.join('\n')}`)
  return rewriteWord.create!(config, {} as never).concernsZone!(name(zone))
}

t.test('which rules can touch cluster.local', async t => {
  const cases: [rule: string, concerned: boolean][] = [
    ['name foo.example.com bar.default.svc.cluster.local', false],
    ['name exact foo.example.com bar.default.svc.cluster.local', false],
    ['name exact web.demo.svc.cluster.local foo.example.com', true],
    ['name exact CLUSTER.local foo.example.com', true],
    ['name exact xcluster.local foo.example.com', false],
    ['name exact local foo.example.com', false],
    ['name suffix .example.com .svc.cluster.local', false],
    ['name suffix .demo.svc.cluster.local .x.org', true],
    ['name suffix .cluster.local .x.org', true],
    ['name suffix cluster.local x.org', true],
    ['name suffix xcluster.local x.org', false],
    ['name suffix ter.local x.org', true],
    ['name suffix local x.org', true],
    ['name suffix .org .com', false],
    ['name suffix . .x.', true],
    // A Pod's search list puts the cluster's zone behind any name.
    ['name prefix foo.example.com bar', true],
    ['name substring foo.example.com bar', true],
    ['name regex (.*)\\.example\\.com {1}.x.org', true],
    ['name regex (.*)\\.example\\.com\\.$ {1}.x.org', false],
    ['name regex ^(.*)\\.example\\.com\\.?$ {1}.x.org', false],
    ['name regex (.*)\\.example\\.com.$ {1}.x.org', true],
    ['name regex (.*)\\.(a|b)\\.com\\.$ {1}.x.org', false],
    ['name regex (.*)\\.a\\.com\\.$|b {1}.x.org', true],
    ['name regex (.*)\\.svc\\.cluster\\.local\\.$ {1}.x.org', true],
    ['name regex (.*)\\.local\\.$ {1}.x.org', true],
    ['name regex (?i)(.*)\\.example\\.com\\.$ {1}.x.org', true],
    ['ttl exact foo.example.com 30', false],
    ['ttl suffix cluster.local 30', true],
    ['ttl suffix example.com 30', false],
    ['ttl regex (.*) 30', true],
    ['rcode exact foo.example.com NXDOMAIN NOERROR', false],
    ['rcode regex .*\\.cluster\\.local NXDOMAIN NOERROR', true],
    ['type AAAA A', true],
    ['type ANY A', true],
    ['type ANY HINFO', false],
    ['class CH IN', false],
    ['class IN CH', true],
    ['cname exact a.example.com b.example.com', true],
    ['edns0 local set 0xffee abcd', true],
    ['edns0 local set 0xffee {client_ip}', true],
    ['edns0 local set 0xffee abcd revert', false],
    ['edns0 local unset 0xffee', false],
    ['edns0 nsid set', false],
    ['edns0 subnet set 24 56', false],
  ]
  for (const [rule, concerned] of cases) t.equal(concerns(rule, 'cluster.local'), concerned, rule)
})

t.test('other zones, and several rules', async t => {
  t.equal(concerns('name exact 1.0.0.10.in-addr.arpa x.org', 'cluster.local'), false)
  t.equal(concerns('name exact 1.0.0.10.in-addr.arpa x.org', 'in-addr.arpa'), true)
  t.equal(concerns('name suffix .arpa .arpa', 'ip6.arpa'), true)
  t.equal(concerns('name exact foo.example.com x.org', '.'), true, 'every name is in the root zone')
  const rules = 'rewrite name a.org b.org\nrewrite continue ttl suffix svc.cluster.local 9'
  const { config } = parseWord(rewriteWord, rules)
  const handler = rewriteWord.create!(config!, {} as never)
  t.equal(handler.concernsZone!(name('cluster.local')), true, 'one of them is enough')
  t.equal(handler.concernsZone!(name('in-addr.arpa')), false)
})

t.test('a rule that is said not to touch a zone matches none of its names', async t => {
  const piece = fc.constantFrom('a', 'b', 'ab', 'svc', 'local', 'z', '\ue02e')
  const labels = (min: number): fc.Arbitrary<string> =>
    fc.array(piece, { minLength: min, maxLength: 4 }).map(parts => parts.map(part => `${part}.`).join(''))
  const pattern = fc
    .array(
      fc.constantFrom(
        'a',
        'b',
        'svc',
        'local',
        'z',
        '\\.',
        '.',
        '(.*)',
        '[ab]',
        '(a|b)',
        'a?',
        '\\.?',
        '$',
        '^',
        '|',
      ),
      { minLength: 1, maxLength: 7 },
    )
    .map(parts => parts.join(''))
  const match = fc.oneof(
    fc.record<Match>({ kind: fc.constantFrom('exact', 'prefix', 'suffix', 'substring'), from: labels(1) }),
    fc.record<Match>({ kind: fc.constant('suffix'), from: labels(1).map(text => `.${text}`) }),
    fc.record<Match>({
      kind: fc.constant('regex'),
      from: fc.oneof(
        pattern,
        pattern.map(text => `${text}\\.$`),
      ),
    }),
  )
  let denials = 0
  fc.assert(
    fc.property(
      match,
      labels(1),
      fc.array(labels(0), { minLength: 20, maxLength: 20 }),
      (match, zone, below) => {
        const rule = { field: 'ttl', stop: true, match, minSeconds: 0, maxSeconds: 0, written: '' } as const
        if (concernsZone(rule, nameOf(zone)!)) return true
        denials++
        const matches = compileMatch(match)
        return !below.some(prefix => matches(prefix + zone))
      },
    ),
    { numRuns: runs(20_000) },
  )
  t.ok(denials > 1000, `${denials} denials were checked`)
})

t.test('how a pattern ends', async t => {
  const cases: [pattern: string, ending: string | undefined][] = [
    ['a\\.b\\.$', 'a.b.$'],
    ['(.*)\\.b$', '.b$'],
    ['(.*)\\.b', '.b'],
    ['[a-c]\\.b\\.$', '.b.$'],
    ['\\d\\.b\\.$', '.b.$'],
    ['a.b$', 'b$'],
    ['a*$', '$'],
    ['a{2}b$', 'b$'],
    ['(a)$', '$'],
    ['(a$)', ''],
    ['b\\.?$', 'b.$'],
    ['b\\.\\.?$', '$'],
    ['b\\.??$', '$'],
    ['(?:a|b)c$', 'c$'],
    ['a|b$', undefined],
    ['\\x2ea$', undefined],
    ['\\pLa$', undefined],
    ['[[:alpha:]]a$', undefined],
    ['(?i)a$', undefined],
    ['(?P<n>a)b$', undefined],
    ['\\Qa.b\\E$', undefined],
  ]
  for (const [pattern, expected] of cases) {
    const ending = endingOf(pattern)
    t.equal(ending && ending.text + (ending.anchored ? '$' : ''), expected, pattern)
  }
})
