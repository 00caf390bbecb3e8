import t from 'tap'
import { ThreadMeters } from '../../src/observe/counters.ts'
import {
  DROPPED_ZONE,
  pluginIndex,
  protoIndex,
  type QueryMeters,
  QueryMetersTable,
  qtypeIndex,
} from '../../src/observe/query-meters.ts'
import { Registry } from '../../src/observe/registry.ts'

function make(): { registry: Registry; table: QueryMetersTable } {
  const registry = new Registry()
  const { id, memory } = registry.addThread()
  const meters = new ThreadMeters(memory, registration => registry.register(id, registration))
  return { registry, table: new QueryMetersTable(meters) }
}

/** `LABEL VALUES number` of every sample of a family. */
const samples = (registry: Registry, name: string): string[] =>
  (registry.gather().find(({ family }) => family.name === name)?.samples ?? []).map(
    ({ values, numbers }) => `${values.join(' ')} ${numbers.join(',')}`,
  )

const one = (meters: QueryMeters, qtype: number, rest: { rcode?: number; plugin?: string } = {}): void =>
  meters.count(
    qtypeIndex(qtype),
    4,
    protoIndex('udp'),
    rest.rcode ?? 0,
    50,
    90,
    0,
    pluginIndex(rest.plugin ?? ''),
    false,
  )

t.test('types are told apart as CoreDNS does', async t => {
  const named: [qtype: number, label: string][] = [
    [1, 'A'],
    [2, 'NS'],
    [5, 'CNAME'],
    [6, 'SOA'],
    [12, 'PTR'],
    [15, 'MX'],
    [16, 'TXT'],
    [28, 'AAAA'],
    [33, 'SRV'],
    [43, 'DS'],
    [46, 'RRSIG'],
    [47, 'NSEC'],
    [48, 'DNSKEY'],
    [50, 'NSEC3'],
    [64, 'SVCB'],
    [65, 'HTTPS'],
    [251, 'IXFR'],
    [252, 'AXFR'],
    [255, 'ANY'],
    [0, 'other'],
    [10, 'other'],
    [257, 'other'],
    [65535, 'other'],
  ]
  for (const [qtype, label] of named) {
    const { registry, table } = make()
    one(table.of('s', 'z', 'v'), qtype)
    t.same(samples(registry, 'coredns_dns_requests_total'), [`s z v udp 1 ${label} 1`], `${qtype}`)
  }
})

t.test('transport, family, DO, response code and writer', async t => {
  const { registry, table } = make()
  const meters = table.of('tls://:853', 'cluster.local.', 'internal')
  meters.count(qtypeIndex(1), 6, protoIndex('tls'), 3, 60, 120, 0.002, pluginIndex('kubernetes'), true)
  meters.count(qtypeIndex(1), 4, protoIndex('udp'), 16, 60, 120, 0.002, pluginIndex(''), false)
  meters.count(qtypeIndex(1), 4, protoIndex('udp'), 3841, 60, 120, 0.002, pluginIndex('forward'), true)
  const set = 'tls://:853 cluster.local. internal'
  t.same(samples(registry, 'coredns_dns_requests_total'), [`${set} tcp 2 A 1`, `${set} udp 1 A 2`])
  t.same(samples(registry, 'coredns_dns_responses_total'), [
    `${set} BADVERS  1`,
    `${set} NXDOMAIN kubernetes 1`,
    `${set} other forward 1`,
  ])
  t.same(samples(registry, 'coredns_dns_do_requests_total'), [`${set} 2`])
})

t.test('buckets hold their upper bound', async t => {
  const { registry, table } = make()
  const meters = table.of('s', '.', '')
  for (const octets of [0, 1, 100, 101, 511, 512, 64_000, 64_001]) {
    meters.count(0, 4, 0, 0, octets, octets, octets === 0 ? 0.00025 : octets > 64_000 ? 9 : 0.0003, 0, false)
  }
  t.same(samples(registry, 'coredns_dns_request_size_bytes'), [
    's .  udp 1,2,1,0,0,1,1,0,0,0,0,0,0,1,1,129226',
  ])
  const [duration] = samples(registry, 'coredns_dns_request_duration_seconds')
  t.match(duration, /^s \. {2}1,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,9\.00205/)
})

t.test('the same labels are the same counters', async t => {
  const { table } = make()
  t.equal(table.of('s', '.', ''), table.of('s', '.', ''))
  t.not(table.of('s', '.', ''), table.of('s', '.', 'v'))
  t.equal(DROPPED_ZONE, 'dropped')
})

t.test('more writers than there can be are counted as nobody', async t => {
  const { registry, table } = make()
  const meters = table.of('s', '.', '')
  for (let i = 0; i < 100; i++) one(meters, 1, { plugin: `plugin${i}` })
  const found = samples(registry, 'coredns_dns_responses_total')
  t.ok(found.length <= 64)
  t.equal(
    found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0),
    100,
    'none is lost',
  )
})

t.test('a query without a reply is a request and no response', async t => {
  const { registry, table } = make()
  table.of('dns://:53', '.', '').countRequest(qtypeIndex(1), 4, protoIndex('udp'), 50, true)
  t.same(samples(registry, 'coredns_dns_requests_total'), ['dns://:53 .  udp 1 A 1'])
  t.same(samples(registry, 'coredns_dns_do_requests_total'), ['dns://:53 .  1'])
  t.same(samples(registry, 'coredns_dns_responses_total'), [])
  t.same(samples(registry, 'coredns_dns_request_duration_seconds'), [])
})
