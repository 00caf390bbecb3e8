// Services as large as the API server takes them, and names that cannot be: nothing that exists is denied, and what is no
// name costs its own record.

import t from 'tap'
import type { SlimPort } from '../../../src/objects/objects.ts'
import {
  type Asked,
  external,
  headless,
  SlimCluster,
  slimService,
  slimSlice,
} from '../../support/slim-cluster.ts'

/** Reverse names: fd00::50 has 32 nibbles, last first. */
const PTR_OF = (text: string): string =>
  text === 'fd00::50'
    ? `0.5.${'0.'.repeat(28)}d.f.ip6.arpa.`
    : `${text.split('.').reverse().join('.')}.in-addr.arpa.`

type Reply = Exclude<Asked, string>

const range = (length: number): number[] => Array.from({ length }, (_, i) => i)
const portsOf = (count: number, base: number): SlimPort[] =>
  range(count).map(i => ({ name: `p${i}`, port: base + i, protocol: 'udp' }))
const named = (name: string, base: number, count: number, address: string) => ({
  ...slimSlice(`demo/${name}-1`, name, [address]),
  ports: portsOf(count, base),
})

t.test('every port of a Service has its names, all 20,000 that a slice may have', async t => {
  const cluster = new SlimCluster().list(
    ['demo'],
    [headless('demo/hl'), slimService('demo/web', '10.0.0.1', { ports: portsOf(20_000, 30_000) })],
    [named('hl', 20_000, 20_000, '10.1.0.1')],
  )
  for (const i of [0, 254, 255, 256, 4095, 19_999]) {
    t.equal(
      cluster.short(`_p${i}._udp.hl.demo.svc SRV`),
      `NOERROR SRV 0 100 ${20_000 + i} 10-1-0-1.hl.demo.svc + A 10.1.0.1`,
    )
    t.equal(cluster.short(`_p${i}._udp.hl.demo.svc A`), 'NOERROR A 10.1.0.1')
    t.equal(
      cluster.short(`_p${i}._udp.web.demo.svc SRV`),
      `NOERROR SRV 0 100 ${30_000 + i} web.demo.svc + A 10.0.0.1`,
    )
  }
  t.equal(cluster.short('_p20000._udp.hl.demo.svc SRV'), 'NXDOMAIN')
  t.equal(
    (cluster.ask('hl.demo.svc SRV') as Reply).flags.tc,
    true,
    'all at once are more than a message holds',
  )
})

t.test('SRV of the bare name has every port, and one number once', async t => {
  const ports = [
    ...portsOf(405, 1000),
    ...portsOf(405, 1000).map(({ name, port }) => ({ name: `${name}t`, port, protocol: 'tcp' })),
  ]
  const cluster = new SlimCluster().list(
    ['demo'],
    [slimService('demo/web', '10.0.0.1', { ports }), headless('demo/hl')],
    [
      {
        ...slimSlice('demo/hl-1', 'hl', ['10.1.0.1']),
        ports: [{ name: 'none', port: -1, protocol: 'tcp' }, ...ports],
      },
    ],
  )
  for (const name of ['web', 'hl']) {
    const { records, flags } = cluster.ask(`${name}.demo.svc SRV`) as Reply
    const numbers = records.answer.map(({ data }) => Number(data.split(' ')[2]))
    t.same(
      numbers,
      range(405).map(i => 1000 + i),
      name,
    )
    t.equal(flags.tc, false)
  }
})

t.test('PTR names every owner of an address, and a ClusterIP before all endpoints', async t => {
  const names = range(300).map(i => `s${i}`)
  const services = names.map(name => headless(`demo/${name}`))
  const slices = names.map(name => slimSlice(`demo/${name}-1`, name, ['192.0.2.50', 'fd00::50']))
  const cluster = new SlimCluster().list(['demo'], services, slices)
  for (const address of ['192.0.2.50', 'fd00::50']) {
    const { answer, flags } = cluster.ask(`${PTR_OF(address)} PTR`) as Reply
    t.equal(new Set(answer).size, 300, address)
    t.equal(flags.tc, false)
    const cut = cluster.ask(`${PTR_OF(address)} PTR`, { maxOctets: 1232 }) as Reply
    t.equal(cut.flags.tc, true)
    t.ok(cut.answer.length > 10)
  }
  cluster.list(['demo'], [...services, slimService('demo/web', '192.0.2.50')], slices)
  t.equal(cluster.short(`${PTR_OF('192.0.2.50')} PTR`), 'NOERROR PTR web.demo.svc')
})

t.test('NS names every Service that has one of the own addresses', async t => {
  const names = [...range(100).map(i => `s${i}`), 'kube-dns']
  const cluster = new SlimCluster({}, { ownTexts: ['192.0.2.50'] }).list(
    ['demo'],
    names.map((name, i) => slimService(`demo/${name}`, `10.0.1.${i}`)),
    names.map(name => slimSlice(`demo/${name}-1`, name, ['192.0.2.50'])),
  )
  const { records } = cluster.ask(' NS') as Reply
  t.equal(records.answer.length, 101)
  t.ok(records.answer.some(({ data }) => data === 'kube-dns.demo.svc.cluster.local.'))
  t.equal(records.additional.length, 101)
})

const LONG = 'cluster-production-eu-central-1.platform.internal.example-company.com.'
const of63 = (start: string): string => start.padEnd(63, 'x')

t.test('a name of more than 255 octets leaves its own record out', async t => {
  const key = `${of63('ns')}/${of63('hl')}`
  const zones = { zones: [LONG, 'in-addr.arpa.'], primaryZone: LONG }
  const service = `${of63('hl')}.${of63('ns')}.svc.${LONG}`
  const cluster = new SlimCluster(zones, { ownTexts: ['10.1.0.1', '10.1.0.2'] }).list(
    [of63('ns')],
    [headless(key)],
    [slimSlice(`${key}-1`, of63('hl'), [`10.1.0.1 ${of63('pod')}`, '10.1.0.2 short'])],
  )
  t.equal(cluster.short(`${service} SRV`), `NOERROR SRV 0 50 8080 short.${service} + A 10.1.0.2`)
  t.equal(cluster.short(`${service} A`), 'NOERROR A 10.1.0.1, A 10.1.0.2')
  t.equal(cluster.short(`${PTR_OF('10.1.0.2')} PTR`), `NOERROR PTR short.${service}`)
  t.match(cluster.short(`${PTR_OF('10.1.0.1')} PTR`), /^NXDOMAIN/)
  t.equal(cluster.short(`${LONG} NS`), `NOERROR NS short.${service} + A 10.1.0.2`)
  t.equal(cluster.short(`${of63('pod')}.${of63('ns')}.svc.${LONG} A`), 'NXDOMAIN')
})

t.test('an ExternalName of 255 octets is given', async t => {
  const target = [of63('a'), of63('b'), of63('c'), 'd'.repeat(61)].join('.')
  const cluster = new SlimCluster().list(['demo'], [external('demo/ext', target)])
  t.equal(cluster.short('ext.demo.svc CNAME'), `NOERROR CNAME ${target}.`)
})
