// Storms out of samples: what is told, and at which rate. Queries are counted on a clock of the test's, as serving threads
// sample them.

import t from 'tap'
import { Registry } from '../../src/observe/registry.ts'
import { namespaceOf, patternOf, Traffic } from '../../src/observe/traffic.ts'
import { Packet } from '../../src/query/packet.ts'
import { sockaddr } from '../../src/query/sockaddr.ts'
import { Sampler } from '../../src/serving/sampler.ts'
import { encodeQuestion } from '../support/dns-client.ts'
import { Random, seededRandom } from '../support/random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { recordingLog, recordingMeters } from '../support/words.ts'

const NXDOMAIN = 3
const ZONE = 'svc.cluster.local'
const CRAWLER = '10.244.3.7'
const PODS = new Map([[CRAWLER, 'shop/crawler-7']])
/** Queries of one kind: so many a second. */
interface Load {
  readonly perSecond: number
  readonly ask: (i: number) => readonly [client: string, name: string, rcode: number]
}

/** Two hundred clients that ask for three hundred names. */
const ordinary = (perSecond: number): Load => {
  const random = new Random(3)
  return {
    perSecond,
    ask: () => [`10.244.1.${random.below(200)}`, `s${random.below(300)}.ns${random.below(20)}.${ZONE}`, 0],
  }
}
const oneName = (perSecond: number, rcode: number): Load => ({
  perSecond,
  ask: () => [CRAWLER, `web.default.${ZONE}`, rcode],
})
const missingNames = (perSecond: number): Load => ({
  perSecond,
  ask: i => [CRAWLER, `x${i * 7919}.default.${ZONE}`, NXDOMAIN],
})

/** A server of two threads, whose clients' queries come to either by chance. */
function world() {
  const clock = new VirtualClock()
  const lines: string[] = []
  const registry = new Registry()
  const traffic = new Traffic({
    clock,
    log: recordingLog(lines),
    registry,
    podsOf: addresses => new Map([...PODS].filter(([address]) => addresses.has(address))),
  })
  const samplers = [0, 1].map(thread => {
    const sampler: Sampler = new Sampler({
      clock,
      meters: recordingMeters(new Map()),
      random: seededRandom(thread),
      send: (octets, periodMs) => {
        traffic.take(thread, octets, periodMs)
        sampler.acknowledge()
      },
    })
    return sampler
  })
  const random = new Random(11)
  const packet = new Packet()
  const put = (client: string, name: string, rcode: number): void => {
    const sampler = samplers[random.below(2)]!
    if (--sampler.countdown > 0) return
    packet.octets = encodeQuestion({ name }, 1)
    packet.start = 0
    packet.end = packet.octets.length
    packet.from = sockaddr(client, 4711)!
    packet.begin(0)
    packet.scan.read(packet.octets, 0, packet.end)
    sampler.see(packet, rcode)
  }
  /** Lets the loads come for so many seconds, a hundredth of a second after the other. */
  const run = (seconds: number, ...loads: readonly Load[]): void => {
    const due = loads.map(() => 0)
    const asked = loads.map(() => 0)
    for (let step = 0; step < seconds * 100; step++) {
      loads.forEach(({ perSecond, ask }, i) => {
        for (due[i]! += perSecond / 100; due[i]! >= 1; due[i]!--) put(...ask(asked[i]!++))
      })
      clock.advance(10)
    }
  }
  const gauge = (name: string) => registry.gather().find(({ family }) => family.name === name)?.samples ?? []
  return { run, lines, traffic, gauge, clock }
}

const rateIn = (line = ''): number => Number(/(\d+) times/.exec(line)?.[1])

const storms: readonly (readonly [title: string, load: Load, told: RegExp, over: RegExp])[] = [
  [
    '2,700 a second of one name',
    oneName(2700, 0),
    /^\[WARNING\] storm: Pod shop\/crawler-7 \(10\.244\.3\.7\) asks \d+ times a second for web\.default\.svc\.cluster\.local\.: \d+ % of all queries$/,
    /^\[INFO\] storm over: Pod shop\/crawler-7 \(10\.244\.3\.7\) asked \d+ times in \d+s for web\.default\.svc\.cluster\.local\.$/,
  ],
  [
    '3,000 a second of one missing name',
    oneName(3000, NXDOMAIN),
    /crawler-7 \(10\.244\.3\.7\) asks \d+ times a second for web\.default\.svc\.cluster\.local\., which does not exist: /,
    /storm over: .* for web\.default\.svc\.cluster\.local\., which does not exist$/,
  ],
  [
    '2,600 a second of random missing names by one Pod',
    missingNames(2600),
    /crawler-7 .* asks \d+ times a second for names that do not exist, \*\.default\.svc\.cluster\.local\. as x\d+\.default\.svc\.cluster\.local\.: /,
    /storm over: .* for names that do not exist, \*\.default\.svc\.cluster\.local\. as /,
  ],
]

for (const [title, load, told, over] of storms) {
  t.test(title, async t => {
    const { run, lines, gauge } = world()
    run(30, load, ordinary(1500))
    t.equal(lines.length, 1, 'one line')
    t.match(lines[0], told)
    t.ok(Math.abs(rateIn(lines[0]) / load.perSecond - 1) < 0.1, lines[0] ?? '')
    const [sample, ...others] = gauge('seamark_storm_queries_per_second')
    t.same(others, [])
    t.match(sample?.values.join(' '), /client_(?:name|pattern) 10\.244\.3\.7 shop\/crawler-7 \S+default/)
    t.ok(Math.abs(sample!.numbers[0]! / load.perSecond - 1) < 0.1, `${sample?.numbers}`)
    run(60, ordinary(1500))
    t.equal(lines.length, 2, 'and one at its end')
    t.match(lines[1], over)
    t.ok(Math.abs(rateIn(lines[1]) / (30 * load.perSecond) - 1) < 0.1, `${lines[1]}`)
    t.same(gauge('seamark_storm_queries_per_second'), [])
  })
}

t.test('a storm that outlasts the server is told at its stop', async t => {
  const { run, lines, traffic } = world()
  run(15, oneName(2700, NXDOMAIN), ordinary(1500))
  t.equal(lines.length, 1)
  traffic.stop()
  t.equal(lines.length, 2)
  t.match(
    lines[1],
    /^\[INFO\] storm at the stop: Pod shop\/crawler-7 .* asked \d+ times in \d+s for web\.default/,
  )
  t.ok(Math.abs(rateIn(lines[1]) / (15 * 2700) - 1) < 0.2, `${lines[1]}`)
  t.same(traffic.storms, [])
})

t.test('what is no storm', async t => {
  const cases: [title: string, loads: Load[]][] = [
    ['many clients and names', [ordinary(5000)]],
    ['a busy client among many', [ordinary(5000), oneName(600, 0)]],
    ['a small cluster, of which one client asks most', [oneName(100, 0), ordinary(50)]],
    ['a burst of a second', [{ ...oneName(1500, NXDOMAIN), perSecond: 75 }]],
  ]
  for (const [title, loads] of cases) {
    const { run, lines } = world()
    run(25, ...loads)
    t.same(lines, [], title)
  }
})

t.test('what many clients ask together, and what one asks of everything', async t => {
  const random = new Random(5)
  const cases: [load: Load, told: RegExp][] = [
    [
      { perSecond: 3000, ask: () => [`10.1.${random.below(90)}.1`, `db.default.${ZONE}`, 2] },
      /storm: clients ask \d+ times a second for db\.default\.svc\.cluster\.local\., which gets SERVFAIL/,
    ],
    [
      {
        perSecond: 3000,
        ask: i => [`10.1.${random.below(90)}.1`, `x${i}.default.${ZONE}`, NXDOMAIN],
      },
      /storm: clients ask \d+ times a second for names that do not exist, \*\.default/,
    ],
    [
      { perSecond: 4000, ask: i => ['fd00::7', `h${i % 1000}.z${i % 77}.example.org`, 0] },
      /storm: fd00::7 asks \d+ times a second for names of many kinds: /,
    ],
    [
      {
        perSecond: 4000,
        ask: i => [`10.1.${random.below(90)}.1`, `h${i % 1000}.shop.${ZONE}`, 0],
      },
      /storm: clients ask \d+ times a second for names of the namespace shop: /,
    ],
  ]
  for (const [load, told] of cases) {
    const { run, lines } = world()
    run(20, load, ordinary(1000))
    t.equal(lines.length, 1, `${told}`)
    t.match(lines[0], told)
  }
})

t.test('lists of the most frequent, with their errors, and what fails as a metric', async t => {
  const { run, traffic, gauge } = world()
  t.same(traffic.lists(3), { perSecond: 0, clients: [], names: [], failing: [] })
  run(11, ordinary(300), oneName(40, NXDOMAIN), {
    perSecond: 10,
    ask: () => ['10.9.9.9', 'Down.Example.ORG', 2],
  })
  const { perSecond, clients, names, failing } = traffic.lists(2)
  t.ok(Math.abs(perSecond / 350 - 1) < 0.1, `${perSecond}`)
  t.equal(clients[0]?.key, `${CRAWLER} (shop/crawler-7)`)
  t.equal(names[0]?.key, `web.default.${ZONE}.`)
  t.ok(Math.abs(names[0]!.perSecond / 40 - 1) < 0.3, `${names[0]?.perSecond}`)
  t.same(
    failing.map(({ key }) => key),
    [`web.default.${ZONE}. NXDOMAIN`, 'down.example.org. SERVFAIL'],
  )
  t.same(
    gauge('seamark_failing_name_queries_per_second').map(({ values }) => values),
    [
      ['down.example.org.', 'SERVFAIL'],
      [`web.default.${ZONE}.`, 'NXDOMAIN'],
    ],
  )
})

t.test('nothing is looked after while nobody asks', async t => {
  const { run, clock } = world()
  run(3, oneName(5, 0))
  clock.advance(60_000)
  t.equal(clock.pending, 0)
})

t.test('what names have in common', async t => {
  const cases: [name: string, pattern: string, namespace: string][] = [
    ['x.default.svc.cluster.local.', '*.default.svc.cluster.local.', 'default'],
    ['a.b.default.svc.cluster.local.', '*.default.svc.cluster.local.', 'default'],
    ['x.example.org.', '*.example.org.', ''],
    ['x.y.example.org.', '*.y.example.org.', ''],
    ['org.', '*..', ''],
    ['.', '*..', ''],
    ['svc.cluster.local.', '*.cluster.local.', ''],
  ]
  for (const [name, pattern, namespace] of cases) {
    t.equal(patternOf(name), pattern, name)
    t.equal(namespaceOf(name), namespace, name)
  }
})
