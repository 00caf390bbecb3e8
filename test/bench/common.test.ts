// The parts of the benchmarks that only compute: what they would get wrong, nobody would see in a table.

import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { decodeMessage, encodeQuestion } from '../support/dns-client.ts'
import { objectsOf, shapes } from './common/cluster.ts'
import { benchCorefile } from './common/corefile.ts'
import { parseCores, readCores } from './common/cores.ts'
import { dnsperfCommand, readSummary } from './common/dnsperf.ts'
import { dnsdistConf, unboundConf } from './common/forwarders.ts'
import { h2loadCommand, readH2load } from './common/h2load.ts'
import { imageCommand } from './common/image.ts'
import { clusterZone } from './common/knot.ts'
import {
  clusterIps,
  freshNames,
  headlessPorts,
  randomNames,
  searchPathWalk,
  writePackets,
} from './common/queries.ts'
import { atMostOf, type Figure, type RowResult, worstFirst } from './common/results.ts'
import type { SubjectId } from './common/servers.ts'
import { median, percentile, slope } from './common/statistics.ts'
import { figure, markdownTable } from './common/table.ts'
import { upstreamReply } from './common/upstream.ts'

t.test('medians, percentiles and slopes', async t => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.ok(Number.isNaN(median([])))
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
  t.strictSame([percentile(hundred, 0.5), percentile(hundred, 0.99), percentile(hundred, 1)], [50, 99, 100])
  t.equal(percentile([7], 0.01), 7)
  t.equal(
    slope([
      [0, 5],
      [1, 7],
      [2, 9],
    ]),
    2,
  )
  t.equal(slope([[1, 5]]), 0)
})

t.test('cores', async t => {
  t.strictSame(parseCores('0-2,8'), [0, 1, 2, 8])
  t.match(readCores('0-1'), {
    count: 2,
    server: '0',
    load: '1',
    twoServers: '0,1',
    spareLoad: undefined,
    others: '1',
  })
  t.match(readCores('4-7'), { server: '4', load: '5', spareLoad: '6,7', others: '5,6,7' })
  t.throws(() => readCores('3'), { code: 'TOOLS_MISSING' })
})

const SUMMARY = `
[Status] Testing complete (time limit)

Statistics:

  Queries sent:         1000
  Queries completed:    990 (99.00%)
  Queries lost:         10 (1.00%)

  Response codes:       NOERROR 250 (25.25%), NXDOMAIN 740 (74.75%)
  Average packet size:  request 57, response 73
  Run time (s):         0.500000
  Queries per second:   1980.000000

  Average Latency (s):  0.000521 (min 0.000020, max 0.047167)

Connection Statistics:

  Reconnections:        3
`

t.test('dnsperf', async t => {
  t.strictSame(readSummary(SUMMARY), {
    sent: 1000,
    completed: 990,
    lost: 10,
    seconds: 0.5,
    perSecond: 1980,
    rcodes: { NOERROR: 250, NXDOMAIN: 740 },
    reconnections: 3,
  })
  t.throws(() => readSummary('Error: unable to open file'), TypeError)
  const command = dnsperfCommand({ port: 53, file: 'q', core: '1', seconds: 5, rate: 99.6, edns: true }).join(
    ' ',
  )
  t.equal(command, 'taskset -c 1 dnsperf -s 127.0.0.1 -p 53 -d q -m udp -c 8 -q 400 -l 5 -Q 100 -e')
  t.match(dnsperfCommand({ port: 53, file: 'q', core: '1', transport: 'tcp' }).join(' '), /-m tcp -c 50 /)
  const packets = { port: 53, file: 'q.packets', core: '1', transport: 'dot', runs: 1, seconds: 2 } as const
  t.match(dnsperfCommand(packets).join(' '), /-m dot -c 50 -q 400 -l 2 -n 1 -B$/)
})

t.test('h2load', async t => {
  const command = h2loadCommand({ port: 443, file: 'q', core: '1', seconds: 3 }, 'q.message').join(' ')
  t.equal(
    command,
    'taskset -c 1 h2load -D 3 -c 50 -m 8 -d q.message -H content-type: application/dns-message https://127.0.0.1:443/dns-query',
  )
  const text = `finished in 4.00s, 2475.00 req/s, 842.70KB/s
requests: 9910 total, 9950 started, 9900 done, 9890 succeeded, 10 failed, 0 errored, 0 timeout
status codes: 9890 2xx, 0 3xx, 10 4xx, 0 5xx
`
  t.same(readH2load(text), {
    sent: 9950,
    completed: 9890,
    lost: 10,
    seconds: 4,
    perSecond: 2475,
    rcodes: { NOERROR: 9890 },
    reconnections: 0,
    latencies: undefined,
  })
  t.throws(() => readH2load('connect failed'), TypeError)
})

t.test('tables', async t => {
  t.equal(markdownTable(['a', 'b'], [['1', 'long']]), '| a | b    |\n| - | ---- |\n| 1 | long |')
  const figures = [1234.5, 99.94, 6.666, 0.004, 0, undefined, Number.NaN].map(figure)
  t.strictSame(figures, ['1,235', '99.9', '6.67', '< 0.01', '0', '–', '–'])
})

t.test('the same cluster as objects, records and questions', async t => {
  const size = { services: 20, endpoints: 3, wide: [250] }
  const services = shapes(size)
  t.equal(services.length, 21)
  t.strictSame(services[9], {
    namespace: 'ns-9',
    name: 'db-9',
    fqdn: 'db-9.ns-9.svc.cluster.local',
    clusterIp: undefined,
    endpoints: ['10.16.0.27', '10.16.0.28', '10.16.0.29'],
  })
  const addresses = services.flatMap(({ clusterIp, endpoints }) => [
    ...(clusterIp ? [clusterIp] : []),
    ...endpoints,
  ])
  t.equal(new Set(addresses).size, addresses.length, 'no address twice')
  const count = (wanted: string): number =>
    [...objectsOf(size)].filter(([resource]) => resource === wanted).length
  t.strictSame([count('services'), count('endpointslices')], [21, 20 + 3], 'slices of a hundred at most')

  const zone = clusterZone(services)
  for (const question of [...clusterIps(services), ...headlessPorts(services)]) {
    const [name, type] = question.split(' ')
    t.ok(zone.includes(`${name}. ${type} `), `${question} has a record`)
  }
  t.equal(clusterIps(services).length, 18)
})

t.test('questions', async t => {
  const walk = searchPathWalk(7)
  t.equal(walk.length, 8000)
  t.equal(walk.filter(line => line.includes('cluster.local')).length, 6000)
  t.not(walk[0], searchPathWalk(8)[0], 'every serial has names of its own')
  const names = randomNames(1, 10_000)
  t.equal(new Set(names).size, 10_000)
  const inside = names.filter(line => line.includes('cluster.local')).length
  t.ok(Math.abs(inside - 7000) < 200, `${inside} of 10,000 below the cluster's zone`)
  t.not(freshNames(1, 1)[0], freshNames(2, 1)[0])
  const option = { code: 3, data: Buffer.alloc(0) }
  const octets = readFileSync(writePackets(t.testdir({}), 'q', ['a.test A', 'b.test AAAA'], option))
  const second = octets.subarray(2 + octets.readUInt16BE(0))
  const { question, edns } = decodeMessage(second.subarray(2))
  t.strictSame(
    [question, edns?.options.length, second.readUInt16BE(0)],
    [['b.test. IN AAAA'], 1, second.length - 2],
  )
})

t.test('the upstream', async t => {
  const ask = (name: string, type: string) => {
    const reply = upstreamReply(Buffer.from(encodeQuestion({ name, type }, 7)))
    return reply && decodeMessage(reply)
  }
  t.strictSame(ask('a.example.org', 'A')?.answer, ['a.example.org. 3600 IN A 192.0.2.53'])
  t.strictSame(ask('a.example.org', 'AAAA')?.answer, ['a.example.org. 3600 IN AAAA 2001:db8::35'])
  t.match(ask('a.example.org', 'TXT'), { rcode: 'NOERROR', answer: [], authority: [] })
  const gone = ask('Gone-1.example.org', 'A')
  t.match(gone, { rcode: 'NXDOMAIN', answer: [] })
  t.match(gone?.authority[0], /^Gone-1\.example\.org\. 3600 IN SOA /)
  t.equal(upstreamReply(Buffer.alloc(5)), undefined)
})

t.test('the Corefile is the stock one', async t => {
  const options = {
    access: ['endpoint http://127.0.0.1:1'],
    upstreamPort: 5,
    sidePorts: { ready: 1, health: 2, metrics: 3 },
    bind: '127.0.0.1',
  }
  const text = benchCorefile(options)
  for (const line of [
    'bind 127.0.0.1',
    'errors',
    'endpoint http://127.0.0.1:1',
    'ttl 30',
    'max_concurrent 1000',
    'loop',
  ])
    t.ok(text.includes(`${line}\n`), line)
  t.match(text, /prometheus 127\.0\.0\.1:3\n/)
  t.match(text, /disable denial cluster\.local/)
  const other = benchCorefile({ ...options, bind: undefined, cacheAll: true, quiet: true })
  t.notMatch(other, /bind|disable|errors/)
  t.match(other, /cache 30\n/)
  const changed = benchCorefile({
    ...options,
    sidePorts: { ...options.sidePorts, tls: 9 },
    change: {
      add: ['log'],
      drop: ['cache', 'loadbalance'],
      forward: ['force_tcp'],
      scheme: 'tls',
      pods: 'verified',
      over: 'tls',
      behind: ['whoami'],
    },
  })
  t.notMatch(changed, /cache|loadbalance/)
  for (const line of [
    'bind 127.0.0.1\n    log',
    'forward . tls://127.0.0.1:5 {\n       force_tcp',
    'pods verified',
  ])
    t.ok(changed.includes(`${line}\n`), line)
  t.match(changed, /^\. tls:\/\/\.:9 \{$/m)
  t.ok(changed.endsWith('}\n. {\n    bind 127.0.0.1\n    whoami\n}\n'))
})

t.test('shares of what others take, those first that are furthest from them', async t => {
  const of = (values: Partial<Record<SubjectId, number>>): RowResult['figures'] =>
    new Map(
      Object.entries(values).map(([id, value]): [SubjectId, Figure[]] => [id as SubjectId, [{ value }]]),
    )
  const goal = { coredns: 0.5, dnsdist: 2 }
  const both = '≤ 0.5 × CoreDNS, ≤ 2 × dnsdist'
  t.strictSame(atMostOf(goal, of({ seamark: 4, coredns: 10, dnsdist: 4 })), {
    goal: both,
    strain: 0.8,
    met: true,
  })
  t.match(atMostOf(goal, of({ seamark: 4, coredns: 10, dnsdist: 1 })), { strain: 2, met: false })
  t.match(atMostOf(goal, of({ seamark: 4, coredns: 10 })), { strain: 0.8, met: true }, 'who is not there')
  t.match(atMostOf(goal, of({ seamark: 4 })), { goal: both, met: undefined })
  const rows = [0.5, undefined, 3, 1].map(strain => ({
    title: `${strain}`,
    unit: '',
    figures: of({}),
    strain,
  }))
  t.strictSame(
    worstFirst(rows).map(({ title }) => title),
    ['3', '1', '0.5', 'undefined'],
  )
})

t.test('the forwarders beside', async t => {
  const how = { upstreamPort: 5, transport: 'udp', cache: true, ca: '' } as const
  t.match(dnsdistConf(1, how), /newServer\(\{address='127\.0\.0\.1:5'\}\)\n.*\n.*newPacketCache/)
  t.notMatch(dnsdistConf(1, { ...how, cache: false }), /newPacketCache/)
  t.match(dnsdistConf(1, { ...how, transport: 'tcp' }), /tcpOnly=true/)
  t.match(dnsdistConf(1, { ...how, transport: 'tls' }), /tls='openssl'/)
  t.match(unboundConf('/f', 1, how), /cache-max-ttl: 30\n {2}tcp-upstream: no\n/)
  t.match(unboundConf('/f', 1, { ...how, transport: 'tcp' }), /tcp-upstream: yes\n/)
  t.match(
    unboundConf('/f', 1, { ...how, transport: 'tls' }),
    /127\.0\.0\.1@5#localhost\n {2}forward-tls-upstream: yes\n/,
  )
})

t.test('the command is the image’s', async t => {
  const { words, env } = imageCommand('/bundle')
  t.equal(words[0], process.execPath)
  t.equal(words.at(-1), '/bundle/seamark.mjs')
  t.match(env, { NODE_ENV: 'production', NODE_OPTIONS: '--disable-sigusr1' })
  t.notHas(env, { PATH: String })
})
