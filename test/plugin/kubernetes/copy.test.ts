// The cluster's zone as a whole; against CoreDNS: the cases transfer-*.txt of the end-to-end tests.

import t from 'tap'
import { type CopyOptions, copyOfCluster } from '../../../src/plugin/kubernetes/copy.ts'
import type { ZoneCopy } from '../../../src/query/zone-copy.ts'
import { parseIp } from '../../../src/shared/ip.ts'
import { formatName, name } from '../../../src/wire/name.ts'
import { type Rr, soaSerial } from '../../../src/wire/record.ts'
import { TYPE } from '../../../src/wire/rrtype.ts'
import {
  external,
  headless,
  portsOf,
  SlimCluster,
  slimService,
  slimSlice,
} from '../../support/slim-cluster.ts'
import { line } from '../file/zone-texts.ts'

const SERIAL = 1_700_000_000

/** `SVC.NS.svc 5 A …` without the zone; SRV with its fields. */
function short(record: Rr): string {
  const { type, rdata, owner, ttlSeconds } = record
  const text =
    type === TYPE.SRV
      ? `${formatName(owner)} ${ttlSeconds} SRV ${rdata[1]} ${rdata[3]} ${(rdata[4]! << 8) | rdata[5]!} ${formatName(rdata.subarray(6))}`
      : line(record)
  return text.replaceAll(/\.?cluster\.local\./g, '')
}

function copyOf(cluster: SlimCluster, more: Partial<CopyOptions> = {}): ZoneCopy {
  const copy = copyOfCluster({
    table: cluster.reader,
    zone: name('cluster.local.'),
    multicluster: false,
    ttlSeconds: 5,
    soaTtlSeconds: 5,
    ownAddresses: [],
    wallMs: () => (SERIAL + 1) * 1000,
    ...more,
  })
  if (copy === 'not-ready') throw new TypeError('not ready')
  return copy
}

/** All records but the SOAs. */
function records(cluster: SlimCluster, more: Partial<CopyOptions> = {}): string[] {
  const found: string[] = []
  const all = copyOf(cluster, more).records()
  for (let step = all.next(); !step.done; step = all.next()) found.push(short(step.value))
  return found
}

t.test('each kind of service', async t => {
  const cases: readonly { what: string; cluster: SlimCluster; gives: readonly string[] }[] = [
    {
      what: 'ClusterIP: addresses, SRV at its name and at those of its named ports',
      cluster: new SlimCluster().list(
        ['demo'],
        [
          slimService('demo/web', '10.0.0.1 fd00::1', {
            ports: portsOf('http/80 /81 dns/53/udp dns-tcp/53/tcp'),
          }),
        ],
      ),
      gives: [
        'web.demo.svc 5 A 10.0.0.1',
        'web.demo.svc 5 AAAA fd00::1',
        'web.demo.svc 5 SRV 0 100 80 web.demo.svc',
        '_http._tcp.web.demo.svc 5 SRV 0 100 80 web.demo.svc',
        'web.demo.svc 5 SRV 0 100 81 web.demo.svc',
        'web.demo.svc 5 SRV 0 100 53 web.demo.svc',
        '_dns._udp.web.demo.svc 5 SRV 0 100 53 web.demo.svc',
        '_dns-tcp._tcp.web.demo.svc 5 SRV 0 100 53 web.demo.svc',
      ],
    },
    {
      what: 'headless: endpoints with their names, SRV of named ports, each weighed among its family',
      cluster: new SlimCluster().list(
        ['demo'],
        [headless('demo/hl')],
        [
          slimSlice('demo/hl-4', 'hl', ['10.1.0.2 p0', '10.1.0.3']),
          slimSlice('demo/hl-6', 'hl', ['fd01::1']),
          slimSlice('demo/hl-8', 'hl', ['10.1.0.9'], '/9'),
        ],
      ),
      gives: [
        'hl.demo.svc 5 A 10.1.0.2',
        'p0.hl.demo.svc 5 A 10.1.0.2',
        '_http._tcp.hl.demo.svc 5 SRV 0 50 8080 p0.hl.demo.svc',
        'hl.demo.svc 5 A 10.1.0.3',
        '10-1-0-3.hl.demo.svc 5 A 10.1.0.3',
        '_http._tcp.hl.demo.svc 5 SRV 0 50 8080 10-1-0-3.hl.demo.svc',
        'hl.demo.svc 5 AAAA fd01::1',
        'fd01--1.hl.demo.svc 5 AAAA fd01::1',
        '_http._tcp.hl.demo.svc 5 SRV 0 100 8080 fd01--1.hl.demo.svc',
        'hl.demo.svc 5 A 10.1.0.9',
        '10-1-0-9.hl.demo.svc 5 A 10.1.0.9',
      ],
    },
    {
      what: 'an address that stands in two slices is given once',
      cluster: new SlimCluster().list(
        ['demo'],
        [headless('demo/hl')],
        [slimSlice('demo/a', 'hl', ['10.1.0.2']), slimSlice('demo/b', 'hl', ['10.1.0.2'])],
      ),
      gives: [
        'hl.demo.svc 5 A 10.1.0.2',
        '10-1-0-2.hl.demo.svc 5 A 10.1.0.2',
        '_http._tcp.hl.demo.svc 5 SRV 0 100 8080 10-1-0-2.hl.demo.svc',
      ],
    },
    {
      what: 'ExternalName: its target, unless it is none',
      cluster: new SlimCluster().list(
        ['demo'],
        [external('demo/ext', 'www.example.net'), external('demo/ip', '192.0.2.1')],
      ),
      gives: ['ext.demo.svc 5 CNAME www.example.net.'],
    },
    {
      what: 'a headless service without ready endpoints: nothing, as for every question',
      cluster: new SlimCluster().list(['demo'], [headless('demo/hl')]),
      gives: [],
    },
    {
      what: 'slices without a service: nothing',
      cluster: new SlimCluster().list(['demo'], [], [slimSlice('demo/a', 'orphan', ['10.1.0.2'])]),
      gives: [],
    },
    {
      what: 'a service without endpoints that ignore empty_service hides: nothing',
      cluster: new SlimCluster({}, { ignoreEmptyService: true }).list(
        ['demo'],
        [slimService('demo/web', '10.0.0.1')],
      ),
      gives: [],
    },
  ]
  for (const { what, cluster, gives } of cases) t.same(records(cluster), gives, what)
})

t.test('services by name, then by namespace; other namespaces and those unknown stay hidden', async t => {
  const none = { ports: [] }
  const cluster = new SlimCluster({}, { namespaces: ['a', 'b', 'gone'] }).list(
    ['a', 'b', 'hidden'],
    ['b/web', 'a/web', 'b/api', 'hidden/secret', 'gone/x'].map(key => slimService(key, '10.0.0.1', none)),
  )
  t.same(records(cluster), ['api.b.svc 5 A 10.0.0.1', 'web.a.svc 5 A 10.0.0.1', 'web.b.svc 5 A 10.0.0.1'])
})

t.test('the name servers', async t => {
  const own = ['10.1.0.2', 'fd01::9'].map(text => parseIp(text)!.bytes)
  const cluster = new SlimCluster().list(
    ['kube-system'],
    [slimService('kube-system/kube-dns', '10.96.0.10', { ports: [] })],
    [slimSlice('kube-system/a', 'kube-dns', ['10.1.0.2'])],
  )
  t.same(records(cluster, { ownAddresses: own }), [
    ' 5 NS kube-dns.kube-system.svc',
    'kube-dns.kube-system.svc 5 A 10.96.0.10',
    'kube-dns.kube-system.svc 5 A 10.96.0.10',
  ])
  t.same(records(new SlimCluster().list([], []), { ownAddresses: own }), [
    ' 5 NS ns.dns',
    'ns.dns 5 A 10.1.0.2',
    'ns.dns 5 AAAA fd01::9',
  ])
})

t.test('imported services in a zone of their own', async t => {
  const config = { zones: ['cluster.local.', 'clusterset.local.'], multiclusterZones: ['clusterset.local.'] }
  const imported = { name: 'hl', cluster: 'east' }
  const cluster = new SlimCluster(config).list(
    ['demo'],
    [slimService('demo/own', '10.0.0.1', { ports: [] })],
    [{ ...slimSlice('demo/hl-east', '', ['10.6.0.1 p0', '10.6.0.2']), imported }],
  )
  const of = { namespace: 'demo', clusterIPs: [], ports: portsOf('http/80') }
  cluster.cluster.replace('ServiceImport', [
    { ...of, name: 'web', clusterIPs: ['10.100.0.1'], headless: false },
    { ...of, name: 'hl', headless: true },
    { ...of, name: 'bare', headless: true },
  ])
  const zone = { multicluster: true, zone: name('clusterset.local.') }
  t.same(
    records(cluster, zone).map(text => text.replaceAll('.clusterset.local.', '')),
    [
      'hl.demo.svc 5 A 10.6.0.1',
      'p0.east.hl.demo.svc 5 A 10.6.0.1',
      '_http._tcp.hl.demo.svc 5 SRV 0 50 8080 p0.east.hl.demo.svc',
      'hl.demo.svc 5 A 10.6.0.2',
      '10-6-0-2.east.hl.demo.svc 5 A 10.6.0.2',
      '_http._tcp.hl.demo.svc 5 SRV 0 50 8080 10-6-0-2.east.hl.demo.svc',
      'web.demo.svc 5 A 10.100.0.1',
      'web.demo.svc 5 SRV 0 100 80 web.demo.svc',
      '_http._tcp.web.demo.svc 5 SRV 0 100 80 web.demo.svc',
    ],
  )
  t.same(records(cluster), ['own.demo.svc 5 A 10.0.0.1'])
})

t.test('a snapshot that nobody has confirmed is not handed out', async t => {
  const cluster = new SlimCluster().list(['demo'], [slimService('demo/web', '10.0.0.1')])
  cluster.writer.setRestored(true)
  t.throws(() => copyOf(cluster), /not ready/)
})

t.test('the serial', async t => {
  const cluster = new SlimCluster().list(['demo'], [slimService('demo/web', '10.0.0.1')])
  const later = copyOf(cluster)
  t.equal(later.serial, SERIAL)
  t.equal(soaSerial(later.soa), SERIAL)
  t.equal(soaSerial(later.opening), SERIAL)
  const now = copyOf(cluster, { wallMs: () => SERIAL * 1000 + 999 })
  t.equal(now.serial, SERIAL)
  t.equal(soaSerial(now.opening), SERIAL - 1, 'more may change in this second: a client asks again')
  t.match(line(later.soa), /^cluster.local. 5 SOA 026e7303646e7307636c7573746572/)
  t.equal(copyOf(cluster, { ttlSeconds: 900, soaTtlSeconds: 300 }).soa.ttlSeconds, 300)
})

t.test('before everything is listed there is no copy', async t => {
  const cluster = new SlimCluster()
  cluster.cluster.upsert('Service', slimService('demo/web', '10.0.0.1'))
  const options = {
    zone: name('cluster.local.'),
    multicluster: false,
    ttlSeconds: 5,
    soaTtlSeconds: 5,
    ownAddresses: [],
  }
  t.equal(copyOfCluster({ ...options, table: cluster.reader, wallMs: Date.now }), 'not-ready')
})

t.test('the cluster changes while a transfer is under way', async t => {
  const none = { ports: [] }
  const service = (key: string, ip: string) => slimService(key, ip, none)
  const cluster = new SlimCluster().list(
    ['demo'],
    ['demo/a', 'demo/b', 'demo/c', 'demo/d'].map(key => service(key, '10.0.0.1')),
  )
  const all = copyOf(cluster).records()
  const take = (): string => {
    const step = all.next()
    return step.done ? 'end' : short(step.value)
  }
  t.equal(take(), 'a.demo.svc 5 A 10.0.0.1')
  cluster.cluster.remove('Service', 'demo/b')
  cluster.cluster.upsert('Service', service('demo/c', '10.0.0.3'))
  for (let i = 0; i < 3000; i++) cluster.cluster.upsert('Service', service(`demo/new${i}`, '10.0.0.9'))
  t.equal(take(), 'c.demo.svc 5 A 10.0.0.3', 'gone services are left out, changed ones are as they are now')
  t.equal(take(), 'd.demo.svc 5 A 10.0.0.1')
  t.equal(take(), 'end', 'new ones come with the next serial')
  cluster.writer.reclaim()
  t.equal(cluster.writer.retiredCount, 0, 'nothing is held back between two services')
})

t.test('a headless service of many endpoints', async t => {
  const endpoints = Array.from({ length: 5000 }, (_, i) => `10.2.${i >> 8}.${i & 255}`)
  const slices = Array.from({ length: 50 }, (_, i) =>
    slimSlice(`demo/s${i}`, 'big', endpoints.slice(i * 100, i * 100 + 100)),
  )
  const cluster = new SlimCluster().list(['demo'], [headless('demo/big')], slices)
  const found = records(cluster)
  t.equal(found.length, 15_000)
  t.equal(new Set(found).size, 15_000)
})

t.test('a port whose label would be too long has no name of its own, and ends no transfer', async t => {
  const long = 'p'.repeat(63)
  const ports = portsOf(`${long}/80 http/81`)
  const cluster = new SlimCluster().list(['demo'], [slimService('demo/web', '10.0.0.1', { ports })])
  t.same(records(cluster), [
    'web.demo.svc 5 A 10.0.0.1',
    'web.demo.svc 5 SRV 0 100 80 web.demo.svc',
    'web.demo.svc 5 SRV 0 100 81 web.demo.svc',
    '_http._tcp.web.demo.svc 5 SRV 0 100 81 web.demo.svc',
  ])
})
