// What is answered for names outside the cluster, by kind of name and type; reading the directive.

import t from 'tap'
import type { ExternalConfig } from '../../../src/plugin/k8s_external/config.ts'
import { ExternalHandler } from '../../../src/plugin/k8s_external/handler.ts'
import { k8sExternalWord } from '../../../src/plugin/k8s_external/k8s_external.ts'
import { sourceKey } from '../../../src/plugin/kubernetes/config.ts'
import { KubernetesHandler } from '../../../src/plugin/kubernetes/handler.ts'
import type { Handler } from '../../../src/plugin/plugin.ts'
import { packAge } from '../../../src/table/layout.ts'
import { formatName, name } from '../../../src/wire/name.ts'
import type { Rr } from '../../../src/wire/record.ts'
import { CLASS, TYPE, typeName } from '../../../src/wire/rrtype.ts'
import { DROP, type Reply } from '../../support/reply.ts'
import { askHandler } from '../../support/road.ts'
import {
  external,
  headless,
  KUBERNETES,
  portsOf,
  SlimCluster,
  slimService,
  slimSlice,
} from '../../support/slim-cluster.ts'
import { parseWord, query, record, reply, shortForm, testThread } from '../../support/words.ts'

const SERVICES = [
  slimService('shop/web', '10.0.0.1', {
    externalIPs: ['192.0.2.1', '2001:db8::1'],
    ports: portsOf('http/80 dns/53/udp'),
  }),
  slimService('shop/twin', '10.0.0.2', { externalIPs: ['192.0.2.1', '192.0.2.2', '192.0.2.2'] }),
  slimService('shop/lb', '10.0.0.3', {
    externalIPs: ['lb.example.net', 'other.example.net'],
    ports: portsOf('http/80 https/443'),
  }),
  slimService('shop/mixed', '10.0.0.4', { externalIPs: ['192.0.2.4', 'lb.example.net'] }),
  slimService('shop/inside', '10.0.0.5'),
  slimService('shop/dns', '10.0.0.6', { externalIPs: ['192.0.2.53', 'ns.example.net'] }),
  headless('shop/hl'),
  headless('shop/twice'),
  slimService('shop/hlout', '', { headless: true, externalIPs: ['192.0.2.7'], ports: [] }),
  { ...external('shop/ext', 'www.example.net'), externalIPs: ['192.0.2.8'] },
  slimService('hidden/web', '10.0.0.9', { externalIPs: ['192.0.2.9'] }),
]
const SLICES = [
  slimSlice('shop/hl-1', 'hl', ['10.1.0.2 p0', '10.1.0.3', 'fd01::4'], 'http/8080 admin/9090'),
  slimSlice('shop/hl-2', 'hl', ['10.1.0.5'], ''),
  slimSlice('shop/twice-1', 'twice', ['10.1.0.8 a', '10.1.0.8 a', '10.1.0.9 b']),
  slimSlice('shop/inside-1', 'inside', ['10.1.0.6']),
  slimSlice('shop/dns-1', 'dns', ['10.1.0.53']),
  slimSlice('shop/orphan-1', 'orphan', ['10.1.0.7']),
]

const CONFIG: ExternalConfig = {
  zones: ['example.org.', 'in-addr.arpa.', 'ip6.arpa.', 'sub.example.org.'],
  apex: 'dns',
  ttlSeconds: 77,
  headless: false,
  fallthrough: undefined,
}

function serve(parts: Partial<ExternalConfig> = {}, own: readonly string[] = [], listed = true) {
  const cluster = new SlimCluster()
  if (listed) cluster.list(['shop'], SERVICES, SLICES)
  const handlers: Handler[] = []
  const config = { ...KUBERNETES, ttlSeconds: 33, localIps: own }
  const tables = new Map([[sourceKey(config), cluster.reader]])
  const context = { ...testThread().context, handlers, tables }
  const handler = new ExternalHandler({ ...CONFIG, ...parts }, context)
  handlers.push(handler, new KubernetesHandler(config, context))
  const lookups: string[] = []
  const passed = reply({ plugin: 'next' })
  const lookup = (qname: Uint8Array, qtype: number): Promise<Reply> => {
    lookups.push(`${formatName(qname)} ${typeName(qtype)}`)
    const known = formatName(qname) === 'lb.example.net.'
    return Promise.resolve(
      known && qtype === TYPE.A
        ? reply({ answer: [record('lb.example.net. 9 A 198.51.100.1')], truncated: true })
        : reply({ rcode: known ? 0 : 3 }),
    )
  }
  const reach = async (question: string): Promise<Reply> => {
    const outcome = await askHandler(handler, query(question, { lookup }), () => passed)
    if (outcome === DROP) throw new Error('dropped')
    return outcome
  }
  /** `RCODE answer + additional | SOA` in short, or `next`. */
  const ask = async (question: string): Promise<string> => {
    const outcome = await reach(question.includes('. ') ? question : question.replace(' ', '.example.org. '))
    if (outcome.plugin === 'next') return 'next'
    const parts = [
      outcome.rcode === 0 ? '' : String(outcome.rcode),
      short(outcome.answer),
      outcome.additional.length > 0 ? `+ ${short(outcome.additional)}` : '',
      outcome.authority.length > 0 ? `| ${outcome.authority.map(({ type }) => typeName(type))}` : '',
      outcome.truncated ? 'TC' : '',
    ]
    return parts.filter(part => part !== '').join(' ')
  }
  return { handler, cluster, ask, reach, lookups, passed }
}

const short = (records: readonly Rr[]): string =>
  records
    .map(one => {
      if (one.type === TYPE.PTR) return `PTR ${formatName(one.rdata)}`
      if (one.type !== TYPE.SRV) return shortForm([one])[0]!
      const view = new DataView(one.rdata.buffer, one.rdata.byteOffset)
      return `SRV ${view.getUint16(2)} ${view.getUint16(4)} ${formatName(one.rdata.subarray(6))}`
    })
    .join(', ')

function* drawn(records: Iterator<Rr>): Generator<Rr> {
  for (let step = records.next(); !step.done; step = records.next()) yield step.value
}

const shortName = (owner: Uint8Array): string => formatName(owner).replace(/\.?example\.org\.$/, '')

t.test('services', async t => {
  const { ask } = serve()
  const WEB = 'web.shop.example.org.'
  const cases: [question: string, answer: string][] = [
    ['web.shop A', 'A 192.0.2.1'],
    ['WEB.Shop A', 'A 192.0.2.1'],
    ['web.shop.sub AAAA', 'AAAA 2001:db8::1'],
    ['web.shop MX', '| SOA'],
    ['web.shop CNAME', '| SOA'],
    ['web.shop PTR', '| SOA'],
    ['web.shop SRV', `SRV 25 80 ${WEB}, SRV 25 53 ${WEB} + A 192.0.2.1, AAAA 2001:db8::1`],
    ['_http._tcp.web.shop SRV', `SRV 50 80 ${WEB} + A 192.0.2.1, AAAA 2001:db8::1`],
    ['dns.udp.web.shop SRV', `SRV 50 53 ${WEB} + A 192.0.2.1, AAAA 2001:db8::1`],
    ['_._udp.web.shop SRV', `SRV 50 53 ${WEB} + A 192.0.2.1, AAAA 2001:db8::1`],
    ['_http._udp.web.shop SRV', '3 | SOA'],
    ['_http._tcp.web.shop A', 'A 192.0.2.1'],
    ['any.web.shop A', 'A 192.0.2.1'],
    ['a.b.c.web.shop A', '3 | SOA'],
    ['twin.shop A', 'A 192.0.2.1, A 192.0.2.2'],
    ['twin.shop AAAA', '| SOA'],
    ['inside.shop A', '3 | SOA'],
    ['nope.shop TXT', '3 | SOA'],
    ['hl.shop A', '3 | SOA'],
    ['hlout.shop A', 'A 192.0.2.7'],
    ['hlout.shop SRV', '| SOA'],
    ['_._.hlout.shop A', 'A 192.0.2.7'],
    ['_a._.hlout.shop A', '3 | SOA'],
    ['ext.shop A', 'A 192.0.2.8'],
    ['ext.shop CNAME', '| SOA'],
    ['web.hidden A', '3 | SOA'],
    ['orphan.shop A', '3 | SOA'],
    ['shop A', '| SOA'],
    ['shop ANY', '| SOA'],
    ['hidden A', '3 | SOA'],
  ]
  for (const [question, answer] of cases) t.equal(await ask(question), answer, question)
})

t.test('names of load balancers are followed, each once', async t => {
  const { ask, lookups } = serve()
  t.equal(await ask('lb.shop A'), 'CNAME lb.example.net., A 198.51.100.1, CNAME other.example.net. TC')
  t.same(lookups.splice(0), ['lb.example.net. A', 'other.example.net. A'])
  t.equal(await ask('lb.shop AAAA'), 'CNAME lb.example.net., CNAME other.example.net.')
  t.same(lookups.splice(0), ['lb.example.net. AAAA', 'other.example.net. AAAA'])
  t.equal(await ask('mixed.shop A'), 'A 192.0.2.4, CNAME lb.example.net., A 198.51.100.1 TC')
  lookups.length = 0
  t.equal(
    await ask('lb.shop SRV'),
    'SRV 25 80 lb.example.net., SRV 25 443 lb.example.net., SRV 25 80 other.example.net., SRV 25 443 other.example.net. + A 198.51.100.1',
  )
  t.same(lookups.splice(0), [
    'lb.example.net. A',
    'lb.example.net. AAAA',
    'other.example.net. A',
    'other.example.net. AAAA',
  ])
  t.equal(await ask('lb.shop CNAME'), '| SOA')
  t.same(lookups, [])
})

t.test('addresses have the TTL of the directive, SRV and CNAME that of kubernetes', async t => {
  const { reach } = serve()
  const ttls = ({ answer, additional, authority }: Reply): number[] =>
    [...answer, ...additional, ...authority].map(({ ttlSeconds }) => ttlSeconds)
  t.same(ttls(await reach('web.shop.example.org. A')), [77])
  t.same(ttls(await reach('_http._tcp.web.shop.example.org. SRV')), [33, 77, 77])
  t.same(ttls(await reach('mixed.shop.example.org. A')), [77, 33, 9])
  t.same(ttls(await reach('nope.shop.example.org. A')), [77])
  t.same(ttls(await reach('1.2.0.192.in-addr.arpa. PTR')), [77, 77])
})

t.test('headless services by their endpoints, where that is asked for', async t => {
  const { ask } = serve({ headless: true })
  const HL = 'hl.shop.example.org.'
  const cases: [question: string, answer: string][] = [
    ['hl.shop A', 'A 10.1.0.2, A 10.1.0.3, A 10.1.0.5'],
    ['hl.shop AAAA', 'AAAA fd01::4'],
    ['hl.shop TXT', '| SOA'],
    ['p0.hl.shop A', 'A 10.1.0.2'],
    ['_P0.hl.shop A', 'A 10.1.0.2'],
    ['10-1-0-3.hl.shop A', 'A 10.1.0.3'],
    ['10-1-0-3.hl.shop AAAA', '| SOA'],
    ['x.hl.shop A', '3 | SOA'],
    ['_admin._tcp.hl.shop A', 'A 10.1.0.2, A 10.1.0.3'],
    ['p0.hl.shop SRV', `SRV 50 8080 p0.${HL}, SRV 50 9090 p0.${HL} + A 10.1.0.2`],
    [
      '_http._tcp.hl.shop SRV',
      `SRV 33 8080 p0.${HL}, SRV 33 8080 10-1-0-3.${HL}, SRV 33 8080 fd01--4.${HL} + A 10.1.0.2, A 10.1.0.3, AAAA fd01::4`,
    ],
    ['10-1-0-5.hl.shop SRV', '| SOA'],
    [
      'twice.shop SRV',
      'SRV 33 8080 a.twice.shop.example.org., SRV 33 8080 b.twice.shop.example.org. + A 10.1.0.8, A 10.1.0.9',
    ],
    ['hlout.shop A', 'A 192.0.2.7'],
    ['inside.shop A', '3 | SOA'],
    ['10-1-0-6.inside.shop A', 'A 10.1.0.6'],
  ]
  for (const [question, answer] of cases) t.equal(await ask(question), answer, question)
})

t.test('PTR names every service that is reached at the address, below the first zone', async t => {
  const { ask } = serve()
  const cases: [question: string, answer: string][] = [
    ['1.2.0.192.in-addr.arpa. PTR', 'PTR web.shop.example.org., PTR twin.shop.example.org.'],
    ['2.2.0.192.in-addr.arpa. PTR', 'PTR twin.shop.example.org.'],
    [`1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa. PTR`, 'PTR web.shop.example.org.'],
    ['1.0.0.10.in-addr.arpa. PTR', '3 | SOA'],
    ['9.2.0.192.in-addr.arpa. PTR', '3 | SOA'],
    ['1.2.0.192.in-addr.arpa. A', '| SOA'],
    ['2.0.192.in-addr.arpa. PTR', '3 | SOA'],
    ['in-addr.arpa. PTR', '| SOA'],
  ]
  for (const [question, answer] of cases) {
    const sorted = (await ask(question)).split(', ').sort().join(', ')
    t.equal(sorted, answer.split(', ').sort().join(', '), question)
  }
})

t.test('the apex and what is below its label', async t => {
  const cases: [question: string, own: readonly string[], answer: string][] = [
    ['example.org. SOA', [], 'SOA'],
    ['EXAMPLE.org. NS', [], 'NS ns1.dns.example.org.'],
    ['sub.example.org. NS', [], 'NS ns1.dns.sub.example.org.'],
    ['example.org. A', [], '| SOA'],
    ['dns A', [], '| SOA'],
    ['ns1.dns A', [], '| SOA'],
    ['ns2.dns A', [], '3 | SOA'],
    ['a.ns1.dns A', [], '3 | SOA'],
    // Nobody in the cluster has its address: its own are given.
    ['example.org. NS', ['192.0.2.99', '127.0.0.1'], 'NS ns1.dns.example.org. + A 192.0.2.99'],
    ['ns1.dns A', ['192.0.2.99', 'fd00::99'], 'A 192.0.2.99'],
    ['ns1.dns AAAA', ['192.0.2.99', 'fd00::99'], 'AAAA fd00::99'],
    ['ns1.dns TXT', ['192.0.2.99'], '| SOA'],
    // It is an endpoint of a service that is reached from outside, or of one that is not.
    ['example.org. NS', ['10.1.0.53'], 'NS ns1.dns.example.org. + A 192.0.2.53'],
    ['ns1.dns A', ['10.1.0.53', '192.0.2.99'], 'A 192.0.2.53'],
    ['ns1.dns A', ['10.1.0.6'], '| SOA'],
  ]
  for (const [question, own, answer] of cases)
    t.equal(await serve({}, own).ask(question), answer, `${question} at ${own}`)
  t.equal(
    await serve({ headless: true }, ['10.1.0.2']).ask('ns1.dns A'),
    'A 10.1.0.2, A 10.1.0.3, A 10.1.0.5',
  )
  t.equal(await serve({ apex: 'server' }).ask('server A'), '| SOA')
  t.equal(await serve({ apex: 'server' }).ask('dns A'), '3 | SOA')
  t.equal(await serve({ apex: 'shop' }).ask('web.shop A'), '3 | SOA', 'no namespace hides it')
})

t.test('the SOA is that of the services that are reached from outside', async t => {
  const { reach, cluster } = serve()
  const [soa] = (await reach('example.org. SOA')).answer
  const view = new DataView(soa!.rdata.buffer, soa!.rdata.byteOffset, soa!.rdata.length)
  const numbers = Array.from({ length: 5 }, (_, i) => view.getUint32(soa!.rdata.length - 20 + 4 * i))
  t.same(numbers, [cluster.reader.externalSerial, 7200, 1800, 86400, 77])
  t.equal(formatName(soa!.rdata), 'ns1.dns.example.org.')
  t.equal(formatName(soa!.rdata.subarray(name('ns1.dns.example.org.').length)), 'hostmaster.dns.example.org.')
})

t.test('the zone as a whole', async t => {
  const { handler, cluster } = serve({}, ['192.0.2.99'])
  const copy = handler.copyOf(name('EXAMPLE.org.'))
  if (copy === undefined || copy === 'not-ready') throw new Error(`${copy}`)
  t.equal(copy.serial, cluster.reader.externalSerial)
  t.equal(formatName(copy.soa.owner), 'example.org.')
  const lines = [...drawn(copy.records())].map(
    record => `${shortName(record.owner)} ${record.ttlSeconds} ${short([record])}`,
  )
  t.same(lines, [
    ' 77 NS ns1.dns.example.org.',
    'ns1.dns 77 A 192.0.2.99',
    'dns.shop 77 A 192.0.2.53',
    'dns.shop 33 CNAME ns.example.net.',
    'dns.shop 33 SRV 50 80 dns.shop.example.org.',
    'dns.shop 33 SRV 50 80 ns.example.net.',
    '_http._tcp.dns.shop 33 SRV 50 80 dns.shop.example.org.',
    '_http._tcp.dns.shop 33 SRV 50 80 ns.example.net.',
    'ext.shop 77 A 192.0.2.8',
    'hlout.shop 77 A 192.0.2.7',
    'lb.shop 33 CNAME lb.example.net.',
    'lb.shop 33 CNAME other.example.net.',
    'lb.shop 33 SRV 25 80 lb.example.net.',
    'lb.shop 33 SRV 25 443 lb.example.net.',
    'lb.shop 33 SRV 25 80 other.example.net.',
    'lb.shop 33 SRV 25 443 other.example.net.',
    '_http._tcp.lb.shop 33 SRV 50 80 lb.example.net.',
    '_http._tcp.lb.shop 33 SRV 50 80 other.example.net.',
    '_https._tcp.lb.shop 33 SRV 50 443 lb.example.net.',
    '_https._tcp.lb.shop 33 SRV 50 443 other.example.net.',
    'mixed.shop 77 A 192.0.2.4',
    'mixed.shop 33 CNAME lb.example.net.',
    'mixed.shop 33 SRV 50 80 mixed.shop.example.org.',
    'mixed.shop 33 SRV 50 80 lb.example.net.',
    '_http._tcp.mixed.shop 33 SRV 50 80 mixed.shop.example.org.',
    '_http._tcp.mixed.shop 33 SRV 50 80 lb.example.net.',
    'twin.shop 77 A 192.0.2.1',
    'twin.shop 77 A 192.0.2.2',
    'twin.shop 33 SRV 33 80 twin.shop.example.org.',
    '_http._tcp.twin.shop 33 SRV 33 80 twin.shop.example.org.',
    'web.shop 77 A 192.0.2.1',
    'web.shop 77 AAAA 2001:db8::1',
    'web.shop 33 SRV 25 80 web.shop.example.org.',
    'web.shop 33 SRV 25 53 web.shop.example.org.',
    '_http._tcp.web.shop 33 SRV 50 80 web.shop.example.org.',
    '_dns._udp.web.shop 33 SRV 50 53 web.shop.example.org.',
  ])
})

t.test('headless services in the zone as a whole', async t => {
  const { handler, cluster } = serve({ headless: true })
  cluster.cluster.replace('Service', [headless('shop/hl')])
  const copy = handler.copyOf(name('example.org.'))
  if (copy === undefined || copy === 'not-ready') throw new Error(`${copy}`)
  const lines = [...drawn(copy.records())].map(record => `${shortName(record.owner)} ${short([record])}`)
  t.same(lines.slice(1, 5), [
    'hl.shop A 10.1.0.2',
    'hl.shop A 10.1.0.3',
    'hl.shop AAAA fd01::4',
    'hl.shop A 10.1.0.5',
  ])
  for (const line of [
    '_admin._tcp.hl.shop SRV 33 9090 p0.hl.shop.example.org.',
    'p0.hl.shop A 10.1.0.2',
    'p0.hl.shop SRV 50 8080 p0.hl.shop.example.org.',
    'fd01--4.hl.shop AAAA fd01::4',
    '10-1-0-5.hl.shop A 10.1.0.5',
  ])
    t.ok(lines.includes(line), line)
})

t.test('which zones have a copy', async t => {
  const { handler, cluster, reach } = serve()
  for (const zone of ['cluster.local.', 'web.shop.example.org.', 'in-addr.arpa.'])
    t.equal(handler.copyOf(name(zone)), undefined, zone)
  cluster.writer.setRestored(true)
  t.equal(handler.copyOf(name('example.org.')), 'not-ready')
  t.equal(serve({}, [], false).handler.copyOf(name('example.org.')), 'not-ready')
  for (const type of ['AXFR', 'IXFR']) t.match(await reach(`example.org. ${type}`), { rcode: 5 }, type)
})

t.test('what falls through, and what is not its own', async t => {
  const { ask } = serve({ fallthrough: ['shop.example.org.', 'dns.example.org.', 'in-addr.arpa.'] })
  for (const question of ['nope.shop A', 'inside.shop A', '9.9.9.9.in-addr.arpa. PTR', 'www.example.com. A'])
    t.equal(await ask(question), 'next', question)
  t.equal(await ask('web.shop MX'), '| SOA', 'no name error')
  t.equal(await ask('ns2.dns A'), '3 | SOA', 'below its own apex nothing falls through')
  t.equal(await ask('nope.hidden A'), '3 | SOA')
  const { handler } = serve()
  const zones: [zone: string, concerns: boolean][] = [
    ['cluster.local.', false],
    ['org.', true],
    ['a.sub.example.org.', true],
    ['10.in-addr.arpa.', true],
  ]
  for (const [zone, concerns] of zones) t.equal(handler.concernsZone(name(zone)), concerns, zone)
})

t.test('before the cluster is listed nothing is denied, and an old state says so', async t => {
  const unlisted = serve({}, [], false)
  t.match(await unlisted.reach('web.shop.example.org. A'), { rcode: 2, extendedError: { code: 14 } })
  t.equal(await unlisted.ask('example.org. NS'), 'NS ns1.dns.example.org.')
  const { reach, cluster } = serve()
  t.match(await reach('nope.shop.example.org. A'), { extendedError: { code: 0, text: /no exposed service/ } })
  t.equal((await reach('web.shop.example.org. A')).extendedError, undefined)
  cluster.writer.setAge(packAge(170))
  const text = 'the API server was last heard 170 s ago'
  t.match(await reach('web.shop.example.org. A'), { rcode: 0, extendedError: { code: 3, text } })
  t.match(await reach('nope.shop.example.org. A'), {
    rcode: 3,
    extendedError: {
      code: 19,
      text: `no exposed service of this name is reached from outside the cluster (${text})`,
    },
  })
})

t.test('other classes are refused', async t => {
  const { handler } = serve()
  const asked = query('web.shop.example.org. A')
  const outcome = await askHandler(
    handler,
    { ...asked, question: { ...asked.question, qclass: CLASS.CH } },
    () => DROP,
  )
  t.match(outcome, { rcode: 5 })
})

t.test('reading the directive', async t => {
  const parse = (lines: string, words = ['kubernetes']) =>
    parseWord(k8sExternalWord, lines, { zones: ['a.'], words: new Set(words) })
  t.same(parse('k8s_external').config, {
    zones: ['a.'],
    apex: 'dns',
    ttlSeconds: 5,
    headless: false,
    fallthrough: undefined,
  })
  t.same(parse('k8s_external B.org c.org b.org {\napex Server\nttl 0\nheadless\nfallthrough\n}').config, {
    zones: ['b.org.', 'c.org.'],
    apex: 'server',
    ttlSeconds: 0,
    headless: true,
    fallthrough: ['.'],
  })
  const cases: [lines: string, complaints: string[]][] = [
    ['k8s_external a..b', ['2:14: error: a zone name holds no empty label (found "a..b")']],
    ['k8s_external a.test\nk8s_external b.test', ['2:1: warning: only the zones of the last k8s_external of a server block count, as in CoreDNS']],
    ['k8s_external {\nttl 3601\n}', ['3:5: error: the TTL in seconds must be an integer from 0 to 3600 (found "3601")']],
    ['k8s_external {\nttl\n}', ['3:1: error: ttl needs the TTL in seconds']],
    ['k8s_external {\napex a.b\n}', ['3:6: error: this is no label of a name (found "a.b")']],
    ['k8s_external {\nheadless yes\n}', ['3:10: error: headless takes no arguments (found "yes")']],
    ['k8s_external {\nupstream\n}', ['3:1: error: unknown property of k8s_external (found "upstream"; allowed: apex, fallthrough, headless, ttl)']],
  ] // biome-ignore format: a table
  for (const [lines, complaints] of cases) t.same(parse(lines).complaints, complaints, lines)
  t.same(parse('k8s_external', []).complaints, [
    '2:1: error: k8s_external needs kubernetes in this server block',
  ])
})
