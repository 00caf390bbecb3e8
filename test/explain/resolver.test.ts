// What the resolvers of clients ask, in what order, and when they stop.

import t from 'tap'
import { candidates, goesOn, type Outcome, plainResolver, podResolver } from '../../src/explain/resolver.ts'
import { podFacts } from '../../src/objects/evidence.ts'

const pod = (spec: object) => podFacts({ metadata: { namespace: 'shop', name: 'curl' }, spec })

t.test('the names that are asked', async t => {
  const plain = plainResolver('shop', 'cluster.local.')
  const path = (name: string): string[] =>
    ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'].map(domain => `${name}.${domain}.`)
  const cases: [name: string, ndots: number, glibc: string[], musl: string[]][] = [
    ['web', 5, [...path('web'), 'web.'], [...path('web'), 'web.']],
    ['web.', 5, ['web.'], ['web.']],
    ['www.a.org', 5, [...path('www.a.org'), 'www.a.org.'], [...path('www.a.org'), 'www.a.org.']],
    ['www.a.org', 2, ['www.a.org.', ...path('www.a.org')], ['www.a.org.']],
    ['web', 0, ['web.', ...path('web')], ['web.']],
    ['1.0.0.10.in-addr.arpa', 5, ['1.0.0.10.in-addr.arpa.'], ['1.0.0.10.in-addr.arpa.']],
  ]
  for (const [name, ndots, glibc, musl] of cases) {
    t.same(candidates(name, { ...plain, ndots }, 'glibc'), glibc, `${name}, ndots ${ndots}`)
    t.same(candidates(name, { ...plain, ndots }, 'musl'), musl, `${name}, ndots ${ndots}, musl`)
  }
  const long = Array(4).fill('a'.repeat(60)).join('.')
  t.same(candidates(long, plain, 'glibc'), [`${long}.`], 'what would be too long a name is not asked')
})

t.test('when the next one is asked', async t => {
  const cases: [outcome: Outcome, glibc: boolean, musl: boolean][] = [
    ['answer', false, false],
    ['no-name', true, true],
    ['no-data', true, false],
    ['failure', true, false],
    ['silence', true, false],
    ['refused', false, false],
  ]
  for (const [outcome, glibc, musl] of cases) {
    t.equal(goesOn('glibc', outcome), glibc, `${outcome}, glibc`)
    t.equal(goesOn('musl', outcome), musl, `${outcome}, musl`)
  }
})

t.test('the resolv.conf of a Pod', async t => {
  const path = ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local']
  const ndots = (value: string): object => ({ options: [{ name: 'ndots', value }, { name: 'edns0' }] })
  const cases: [spec: object, search: string[], ndots: number, asksInstead: string][] = [
    [{}, path, 5, ''],
    [{ dnsPolicy: 'ClusterFirst', dnsConfig: ndots('1') }, path, 1, ''],
    [{ dnsConfig: ndots('many') }, path, 5, ''],
    [{ dnsConfig: ndots('99') }, path, 15, ''],
    [{ dnsConfig: { searches: ['corp.example.', 'cluster.local'] } }, [...path, 'corp.example'], 5, ''],
    [{ hostNetwork: true }, [], 1, 'the resolver of its node'],
    [{ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }, path, 5, ''],
    [{ dnsPolicy: 'Default' }, [], 1, 'the resolver of its node'],
    [
      { dnsPolicy: 'None', dnsConfig: { nameservers: ['10.96.0.10'], searches: ['a.org'], ...ndots('2') } },
      ['a.org'],
      2,
      '',
    ],
    [
      { dnsPolicy: 'None', dnsConfig: { nameservers: ['8.8.8.8', '9.9.9.9'] } },
      [],
      1,
      '8.8.8.8 and 9.9.9.9 (dnsPolicy None)',
    ],
  ]
  for (const [spec, search, dots, asksInstead] of cases) {
    const resolver = podResolver(pod(spec), 'cluster.local.', address => address === '10.96.0.10')
    t.same(
      [resolver.search, resolver.ndots, resolver.asksInstead],
      [search, dots, asksInstead],
      JSON.stringify(spec),
    )
  }
})
