// What followers see of a thread's queries: filters, samples, bounds; and that nobody pays while nobody follows.

import t from 'tap'
import { pluginIndex } from '../../src/observe/query-meters.ts'
import { SILENT } from '../../src/observe/samples.ts'
import type { TapBatch, TapFilter } from '../../src/observe/tap.ts'
import { type Origin, Packet } from '../../src/query/packet.ts'
import { sockaddr } from '../../src/query/sockaddr.ts'
import { LINES_MAX, Tap } from '../../src/serving/tap.ts'
import { parseRcode } from '../../src/wire/rcode.ts'
import { parseType } from '../../src/wire/rrtype.ts'
import { encodeQuestion } from '../support/dns-client.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { recordingMeters, samplerInto } from '../support/words.ts'

/** `CLIENT NAME TYPE RCODE PLUGIN MS`. */
function asked(line: string, clock: VirtualClock): readonly [packet: Packet, rcode: number] {
  const [client = '', name = '', type = '', rcode = '', plugin = '', ms = ''] = line.split(' ')
  const packet = new Packet()
  packet.octets = encodeQuestion({ name, type }, 1)
  packet.end = packet.octets.length
  packet.from = sockaddr(client, 4711)!
  packet.origin = { transport: 'udp' } as Origin
  packet.begin(clock.nowMs() - Number(ms))
  packet.scan.read(packet.octets, 0, packet.end)
  packet.plugin = pluginIndex(plugin)
  packet.length = 99
  return [packet, rcode === '-' ? SILENT : parseRcode(rcode)!]
}

function following(...filters: Partial<TapFilter>[]) {
  const clock = new VirtualClock()
  const batches: TapBatch[] = []
  const counted = new Map<string, number>()
  const whole = filters.map((filter, i) => ({ id: i + 1, every: 1, ...filter }))
  const tap = new Tap(whole, {
    clock,
    meters: recordingMeters(counted),
    send: sent => batches.push(...sent),
  })
  return { tap, clock, batches, counted }
}

const QUERIES = [
  '10.0.0.7 Web.shop.svc.cluster.local A NOERROR kubernetes 0.25',
  '10.0.0.8 nope.shop.svc.cluster.local AAAA NXDOMAIN kubernetes 0',
  'fd00::7 www.example.org A SERVFAIL forward 4800',
  '10.1.0.9 example.org MX - acl 1',
]

t.test('what each filter lets through', async t => {
  const cases: [filter: Partial<TapFilter>, seen: number[]][] = [
    [{}, [0, 1, 2, 3]],
    [{ clients: ['10.0.0.8', 'fd00::7'] }, [1, 2]],
    [{ networks: ['10.0.0.0/16'] }, [0, 1]],
    [{ name: 'shop.svc.cluster.local' }, [0, 1]],
    [{ name: 'EXAMPLE.org.' }, [2, 3]],
    [{ qtype: parseType('MX')! }, [3]],
    [{ rcode: 3 }, [1]],
    [{ plugin: 'forward' }, [2]],
    [{ minMs: 1 }, [2, 3]],
    [{ every: 2 }, [1, 3]],
    [{ name: 'example.org', qtype: 1, clients: ['10.0.0.7'] }, []],
  ]
  for (const [filter, seen] of cases) {
    const { tap, clock, batches } = following(filter)
    for (const line of QUERIES) tap.see(...asked(line, clock))
    clock.advance(100)
    t.same(
      batches.flatMap(({ lines }) => lines.map(({ name }) => name)),
      seen.map(i => `${QUERIES[i]!.split(' ')[1]!.toLowerCase()}.`),
      JSON.stringify(filter),
    )
  }
})

t.test('a line', async t => {
  const { tap, clock, batches } = following({})
  tap.see(...asked(QUERIES[0]!, clock))
  tap.see(...asked(QUERIES[3]!, clock))
  clock.advance(100)
  t.same(batches[0]?.lines, [
    {
      time: new Date(clock.wallMs() - 100).toISOString(),
      client: '10.0.0.7',
      port: 4711,
      name: 'web.shop.svc.cluster.local.',
      type: 'A',
      proto: 'udp',
      rcode: 'NOERROR',
      plugin: 'kubernetes',
      durationMs: 0.25,
      octets: 99,
    },
    {
      ...batches[0]!.lines[0]!,
      client: '10.1.0.9',
      name: 'example.org.',
      type: 'MX',
      rcode: '-',
      plugin: 'acl',
      durationMs: 1,
      octets: 0,
    },
  ])
})

t.test('several followers, each its own; too many lines are dropped and counted', async t => {
  const { tap, clock, batches, counted } = following({}, { rcode: 3 })
  for (let i = 0; i < LINES_MAX + 7; i++) tap.see(...asked(QUERIES[0]!, clock))
  tap.see(...asked(QUERIES[1]!, clock))
  clock.advance(100)
  t.same(
    batches.map(({ id, lines, dropped }) => [id, lines.length, dropped]),
    [
      [1, LINES_MAX, 8],
      [2, 1, 0],
    ],
  )
  t.equal(counted.get('seamark_tap_dropped_lines_total'), 8)
  tap.see(...asked(QUERIES[0]!, clock))
  clock.advance(100)
  t.same(batches[2]?.lines.length, 1, 'and then there is room again')
})

t.test(
  'every query is seen while somebody follows, samples are taken as before, and nothing is seen then',
  async t => {
    const sent: Uint8Array[] = []
    const clock = new VirtualClock()
    const sampler = samplerInto(sent, clock)
    const pass = (): void => {
      if (--sampler.countdown <= 0) sampler.see(...asked(QUERIES[0]!, clock))
    }
    // Many queries, of which one in some is looked at.
    for (let i = 0; i < 3000; i++) pass()
    const { tap, batches, clock: tapClock } = following({ every: 100 })
    sampler.follow(tap)
    for (let i = 0; i < 1000; i++) pass()
    tapClock.advance(100)
    t.equal(batches[0]?.lines.length, 10)
    sampler.follow(undefined)
    for (let i = 0; i < 1000; i++) pass()
    tapClock.advance(100)
    t.equal(batches.length, 1)
  },
)
