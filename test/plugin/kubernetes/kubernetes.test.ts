// The handler in the chain: which queries it answers, hands on or looks up, and how it follows ExternalName targets
// (docs/coredns.md 1.6). What the table's own answers are is judged in answers.test.ts.

import t from 'tap'
import type { SlimEndpointSlice, SlimService } from '../../../src/objects/objects.ts'
import { type CacheConfig, defaultConfig } from '../../../src/plugin/cache/config.ts'
import { flattenedTtl } from '../../../src/plugin/cache/ttl.ts'
import { type KubernetesConfig, sourceKey } from '../../../src/plugin/kubernetes/config.ts'
import { KubernetesHandler } from '../../../src/plugin/kubernetes/handler.ts'
import { formatName, type Name } from '../../../src/wire/name.ts'
import { RCODE } from '../../../src/wire/rcode.ts'
import { typeName } from '../../../src/wire/rrtype.ts'
import { DROP, type Reply } from '../../support/reply.ts'
import { askHandler } from '../../support/road.ts'
import {
  external,
  headless,
  KUBERNETES,
  SlimCluster,
  slimService,
  slimSlice,
} from '../../support/slim-cluster.ts'
import { query, record, reply, shortForm, testThread } from '../../support/words.ts'

const ZONE = 'svc.cluster.local'
/** The code of the chain behind, with which nothing in the cluster is answered. */
const BEHIND = 10
const SERVICES: readonly SlimService[] = [
  slimService('demo/web', '10.0.0.1'),
  slimService('demo/dual', '10.0.0.3 fd00::3'),
  headless('demo/hl'),
  headless('demo/empty'),
  external('demo/ext', 'www.example.net'),
  external('demo/extin', `web.demo.${ZONE}`),
  external('demo/extcase', `WEB.Demo.svc.Cluster.LOCAL.`),
  external('demo/extdual', `dual.demo.${ZONE}`),
  external('demo/exthl', `hl.demo.${ZONE}`),
  external('demo/extep', `p0.hl.demo.${ZONE}`),
  external('demo/extpod', '10-9-8-7.demo.pod.cluster.local'),
  external('demo/extempty', `empty.demo.${ZONE}`),
  external('demo/extdead', `nope.demo.${ZONE}`),
  external('demo/extself', `extself.demo.${ZONE}`),
  external('demo/extbelow', `a.extbelow.demo.${ZONE}`),
  external('demo/a', `b.demo.${ZONE}`),
  external('demo/b', `a.demo.${ZONE}`),
  external('demo/two', `ext.demo.${ZONE}`),
  // l0 → l1 → … → l11 → web: twelve links.
  ...Array.from({ length: 12 }, (_, i) =>
    external(`demo/l${i}`, i === 11 ? `web.demo.${ZONE}` : `l${i + 1}.demo.${ZONE}`),
  ),
]
const SLICES: readonly SlimEndpointSlice[] = [slimSlice('demo/hl-1', 'hl', ['10.1.0.2 p0', '10.1.0.3'])]

/** A handler over the cluster; `upstream` answers what it looks up, which is kept in `lookups`. */
function world(upstream: Partial<Reply> = {}, parts: Partial<KubernetesConfig> = {}) {
  const config = { ...KUBERNETES, ...parts }
  const { reader } = new SlimCluster(parts).list(['demo'], SERVICES, SLICES)
  const thread = testThread()
  const handler = new KubernetesHandler(config, {
    ...thread.context,
    tables: new Map([[sourceKey(config), reader]]),
  })
  const lookups: string[] = []
  const lookup = (qname: Name, qtype: number): Promise<Reply> => {
    lookups.push(`${formatName(qname)} ${typeName(qtype)}`)
    return Promise.resolve(reply(upstream))
  }
  const passed = reply({ rcode: BEHIND })
  /** `RCODE answers | authority types` in short, or `next`. */
  const ask = async (question: string): Promise<string> => {
    const outcome = await askHandler(handler, query(question, { lookup }), () => passed)
    if (outcome === DROP) return 'drop'
    if (outcome.rcode === BEHIND) return 'next'
    const rcode = outcome.rcode === RCODE.NOERROR ? [] : [`${outcome.rcode}`]
    const soa = outcome.authority.length > 0 ? ['| SOA'] : []
    const answer = outcome.answer.length > 0 ? [shortForm(outcome.answer).join(', ')] : []
    return [...rcode, ...answer, ...soa, ...(outcome.truncated ? ['TC'] : [])].join(' ')
  }
  return { handler, lookups, ask, lookup, passed }
}

t.test('what is answered, and what goes to the next plugin', async t => {
  const { ask, lookups } = world({}, { fallthrough: ['in-addr.arpa.'] })
  const cases: [question: string, answer: string][] = [
    [`web.demo.${ZONE}. A`, 'A 10.0.0.1'],
    [`WEB.Demo.SVC.Cluster.Local. A`, 'A 10.0.0.1'],
    [`web.demo.${ZONE}. AAAA`, '| SOA'],
    [`nope.demo.${ZONE}. A`, '3 | SOA'],
    ['1.0.0.10.in-addr.arpa. PTR', 'PTR'],
    ['8.8.8.8.in-addr.arpa. PTR', 'next'],
    ['www.example.org. A', 'next'],
    ['xcluster.local. A', 'next'],
    ['local. A', 'next'],
    ['. NS', 'next'],
  ]
  for (const [question, answer] of cases) t.equal(await ask(question), answer, question)
  t.same(lookups, [])
})

t.test('targets within the zone', async t => {
  const { ask, lookups } = world()
  const chain = (...targets: string[]): string => targets.map(name => `CNAME ${name}`).join(', ')
  const cases: [question: string, answer: string][] = [
    ['extin A', `CNAME web.demo.${ZONE}., A 10.0.0.1`],
    ['extin AAAA', '| SOA'],
    ['extin SRV', '| SOA'],
    ['extin CNAME', `CNAME web.demo.${ZONE}.`],
    ['extcase A', 'CNAME WEB.Demo.svc.Cluster.LOCAL., A 10.0.0.1'],
    ['extdual A', `CNAME dual.demo.${ZONE}., A 10.0.0.3`],
    ['extdual AAAA', `CNAME dual.demo.${ZONE}., AAAA fd00::3`],
    ['exthl A', `CNAME hl.demo.${ZONE}., A 10.1.0.2, A 10.1.0.3`],
    ['extep A', `CNAME p0.hl.demo.${ZONE}., A 10.1.0.2`],
    ['extpod A', 'CNAME 10-9-8-7.demo.pod.cluster.local., A 10.9.8.7'],
    ['extempty A', '| SOA'],
    ['extdead A', '| SOA'],
    ['extself A', '| SOA'],
    ['extbelow A', '| SOA'],
    ['a A', '| SOA'],
    ['b AAAA', '| SOA'],
    ['l11 A', `CNAME web.demo.${ZONE}., A 10.0.0.1`],
    ['l1 A', `${chain(...Array.from({ length: 10 }, (_, i) => `l${i + 2}.demo.${ZONE}.`), `web.demo.${ZONE}.`)}, A 10.0.0.1`],
    ['l0 A', '| SOA'],
  ] // biome-ignore format: a table
  for (const [question, answer] of cases) {
    const [name, type] = question.split(' ')
    t.equal(await ask(`${name}.demo.${ZONE}. ${type}`), answer, question)
  }
  t.same(lookups, [], 'the rest of the server is not asked')
})

t.test('a dead target within the zone is no name error, and does not fall through', async t => {
  const { ask } = world({}, { fallthrough: ['.'] })
  t.equal(await ask(`extdead.demo.${ZONE}. A`), '| SOA')
  t.equal(await ask(`nope.demo.${ZONE}. A`), 'next')
})

t.test('targets elsewhere: the code is that of the last name (RFC 6604)', async t => {
  const www = record('www.example.net. 20 A 192.0.2.7')
  const soa = record('example.net. 20 SOA a. b.')
  const cases: [what: string, upstream: Partial<Reply>, answer: string][] = [
    ['an answer', { answer: [www] }, 'CNAME www.example.net., A 192.0.2.7'],
    ['a chain', { answer: [record('www.example.net. 9 CNAME c.example.'), record('c.example. 3 A 192.0.2.8')] }, 'CNAME www.example.net., CNAME c.example., A 192.0.2.8'],
    ['what stands beside it', { answer: [www], authority: [soa], additional: [www] }, 'CNAME www.example.net., A 192.0.2.7'],
    ['no data', { authority: [soa] }, 'CNAME www.example.net. | SOA'],
    ['no such name', { rcode: RCODE.NXDOMAIN, authority: [soa] }, '3 CNAME www.example.net. | SOA'],
    ['a failure', { rcode: RCODE.SERVFAIL }, '2 CNAME www.example.net.'],
    ['a refusal', { rcode: RCODE.REFUSED }, '5 CNAME www.example.net.'],
    ['a cut answer', { answer: [www], truncated: true }, 'CNAME www.example.net., A 192.0.2.7 TC'],
  ] // biome-ignore format: a table
  for (const [what, upstream, answer] of cases) {
    const { ask, lookups } = world(upstream)
    t.equal(await ask(`ext.demo.${ZONE}. A`), answer, what)
    t.same(lookups, ['www.example.net. A'], what)
    t.equal(
      await ask(`two.demo.${ZONE}. A`),
      answer.replace('CNAME', `CNAME ext.demo.${ZONE}., CNAME`),
      `${what}, behind a link`,
    )
  }
  const { handler, lookup } = world({
    rcode: RCODE.SERVFAIL,
    extendedError: { code: 22, text: '10.0.0.53:53 says SERVFAIL' },
  })
  t.match(
    await askHandler(handler, query(`ext.demo.${ZONE}. A`, { lookup }), () => reply({})),
    { extendedError: { code: 22, text: 'the alias leads to www.example.net.: 10.0.0.53:53 says SERVFAIL' } },
    'the reason says whose',
  )
  const { ask, lookups } = world()
  t.equal(await ask(`ext.demo.${ZONE}. CNAME`), 'CNAME www.example.net.')
  t.equal(await ask(`ext.demo.${ZONE}. TXT`), '| SOA')
  t.same(lookups, [], 'nothing else is looked up')
  t.equal(await ask(`ext.demo.${ZONE}. AAAA`), 'CNAME www.example.net.')
  t.same(lookups, ['www.example.net. AAAA'])
})

t.test("a chased answer: the client's spelling, our TTL on our links alone, our authority", async t => {
  const upstream = { answer: [record('www.example.net. 20 A 192.0.2.7')] }
  const { handler, lookup, passed } = world(upstream, { ttlSeconds: 900 })
  const outcome = await askHandler(handler, query(`Two.Demo.SVC.cluster.LOCAL. A`, { lookup }), () => passed)
  t.not(outcome, DROP)
  const { answer, authoritative, plugin } = outcome as Reply
  t.same([authoritative, plugin], [true, 'kubernetes'])
  t.same(
    answer.map(({ owner, ttlSeconds }) => `${formatName(owner)} ${ttlSeconds}`),
    ['Two.Demo.SVC.cluster.LOCAL. 900', `ext.demo.${ZONE}. 900`, 'www.example.net. 20'],
  )
})

t.test('TTLs as the cache around would make them (3.4)', async t => {
  const cacheOf = (parts: Partial<CacheConfig>): CacheConfig => ({ ...defaultConfig(['.']), ...parts })
  const cases: [ttl: number, what: string, seconds: (ttl: number, kind: 'success' | 'denial') => number, answer: number, soa: number][] = [
    [900, 'no cache', ttl => ttl, 900, 300],
    [0, 'no cache', ttl => ttl, 0, 0],
    [0, 'a cache', (ttl, kind) => flattenedTtl(cacheOf({}), 'cluster.local.', ttl, kind), 5, 5],
    [900, 'a cache', (ttl, kind) => flattenedTtl(cacheOf({}), 'cluster.local.', ttl, kind), 900, 300],
    [60, '30 s at most', (ttl, kind) => flattenedTtl(cacheOf({ success: { ...cacheOf({}).success, ttlMaxSeconds: 30 } }), 'cluster.local.', ttl, kind), 30, 60],
    [60, '20 s at most for nothing', (ttl, kind) => flattenedTtl(cacheOf({ denial: { ...cacheOf({}).denial, ttlMaxSeconds: 20 } }), 'cluster.local.', ttl, kind), 60, 20],
  ] // biome-ignore format: a table
  for (const [ttlSeconds, what, flattened, answer, soa] of cases) {
    const cluster = new SlimCluster({ ttlSeconds }, { flattenedTtl: flattened }).list(
      ['demo'],
      SERVICES,
      SLICES,
    )
    const found = cluster.ask('hl.demo.svc SRV')
    const missing = cluster.ask('nope.demo.svc A')
    if (typeof found === 'string' || typeof missing === 'string') throw new Error(`no answer: ${what}`)
    const { records } = found
    t.same(
      [...new Set([...records.answer, ...records.additional].map(record => record.ttlSeconds))],
      [answer],
      `${ttlSeconds}, ${what}`,
    )
    t.same(
      missing.records.authority.map(record => record.ttlSeconds),
      [soa],
      `${ttlSeconds}, ${what}`,
    )
    t.match(
      missing.authority[0],
      new RegExp(` 86400 ${ttlSeconds}$`),
      "the SOA's minimum is the directive's TTL",
    )
  }
})

t.test('noendpoints: a cluster without slices', async t => {
  const cluster = new SlimCluster({ noEndpoints: true }, { kinds: ['Service', 'Namespace'] })
  cluster.cluster.replace('Namespace', [{ name: 'demo' }])
  t.equal(cluster.short('nope.demo.svc A'), 'SERVFAIL')
  cluster.cluster.replace('Service', SERVICES)
  const cases: [question: string, answer: string][] = [
    ['web.demo.svc A', 'NOERROR A 10.0.0.1'],
    ['web.demo.svc SRV', 'NOERROR SRV 0 100 80 web.demo.svc + A 10.0.0.1'],
    ['1.0.0.10.in-addr.arpa. PTR', 'NOERROR PTR web.demo.svc'],
    ['hl.demo.svc A', 'NXDOMAIN'],
    ['p0.hl.demo.svc A', 'NXDOMAIN'],
    ['10-1-0-2.web.demo.svc A', 'NXDOMAIN'],
    ['2.0.1.10.in-addr.arpa. PTR', 'NXDOMAIN'],
    ['nope.demo.svc A', 'NXDOMAIN'],
  ]
  for (const [question, answer] of cases) t.equal(cluster.short(question), answer, question)
})

t.test('two zones, and one below the other: the longest has the name', async t => {
  const zones = ['cluster.local.', 'east.cluster.local.', 'in-addr.arpa.']
  const { ask } = world({}, { zones })
  t.equal(await ask('web.demo.svc.cluster.local. A'), 'A 10.0.0.1')
  t.equal(await ask('web.demo.svc.east.cluster.local. A'), 'A 10.0.0.1')
  t.equal(await ask('demo.svc.east.cluster.local. A'), '| SOA')
  t.equal(await ask('web.demo.svc.west.cluster.local. A'), '3 | SOA')
})
