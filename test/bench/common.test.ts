// The parts of the benchmarks that only compute: what they would get wrong, nobody would see in a table.

import { Buffer } from 'node:buffer'
import t from 'tap'
import { decodeMessage, encodeQuestion } from '../support/dns-client.ts'
import { objectsOf, shapes } from './common/cluster.ts'
import { benchCorefile } from './common/corefile.ts'
import { parseCores, readCores } from './common/cores.ts'
import { dnsperfCommand, readSummary } from './common/dnsperf.ts'
import { imageCommand } from './common/image.ts'
import { clusterZone } from './common/knot.ts'
import { clusterIps, headlessPorts, randomNames, searchPathWalk } from './common/queries.ts'
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
})

t.test('the command is the image’s', async t => {
  const { words, env } = imageCommand('/bundle')
  t.equal(words[0], process.execPath)
  t.equal(words.at(-1), '/bundle/seamark.mjs')
  t.match(env, { NODE_ENV: 'production' })
  const dockerfile = 'FROM x\nENV A=1 B=2\nENTRYPOINT ["/node", "--flag=1", "/seamark/seamark.mjs"]\n'
  t.strictSame(imageCommand('/b', dockerfile), {
    words: [process.execPath, '--flag=1', '/b/seamark.mjs'],
    env: { A: '1', B: '2' },
  })
  t.throws(() => imageCommand('/b', 'FROM x\nENTRYPOINT ["/node"]\n'), TypeError)
})
