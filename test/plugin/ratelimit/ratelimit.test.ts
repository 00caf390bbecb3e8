// A client beyond its share: told to come over TCP, then dropped, on the fast path and before an upstream is asked.

import t from 'tap'
import { ratelimitWord } from '../../../src/plugin/ratelimit/ratelimit.ts'
import type { Coming } from '../../support/asking.ts'
import { decodeMessage } from '../../support/dns-message.ts'
import { encodeQuestion } from '../../support/dns-question.ts'
import { extendedError } from '../../support/extended-error.ts'
import { ServerBlock } from '../../support/server-block.ts'
import { SlimCluster, slimPod, slimService } from '../../support/slim-cluster.ts'
import { parseWord } from '../../support/words.ts'

const COOKIE = 10
const FOUND = 'web.demo.svc.cluster.local'
const MISSED = 'www.example.org'
const client = (address: string): NonNullable<Coming['client']> => ({
  address,
  port: 5353,
  family: address.includes(':') ? 6 : 4,
})

/** `answer`, `TC`, `REFUSED` or `silence`. */
function outcome(block: ServerBlock, name: string, how: Coming = {}): string {
  const reply = block.ask(encodeQuestion({ name, edns: true }), how)
  if (reply === undefined) return 'silence'
  if ((reply[3]! & 15) === 5) return 'REFUSED'
  return (reply[2]! & 2) !== 0 ? 'TC' : 'answer'
}

/** What so many queries in one moment get, counted in the order in which they got it: `2 answer, 3 TC`. */
function run(block: ServerBlock, n: number, name: string, how: Coming = {}): string {
  const runs: { what: string; n: number }[] = []
  for (let i = 0; i < n; i++) {
    const what = outcome(block, name, how)
    const last = runs.at(-1)
    if (last?.what === what) last.n++
    else runs.push({ what, n: 1 })
  }
  return runs.map(({ what, n }) => `${n} ${what}`).join(', ')
}

const blockOf = (options: string, more = ''): ServerBlock =>
  new ServerBlock(`ratelimit {\n${options}\n}\nkubernetes cluster.local\n${more}`)

t.test('over UDP: answers, TC, silence; then what the rate gives', async t => {
  const block = blockOf('queries 10 4')
  t.equal(run(block, 20, FOUND), '4 answer, 4 TC, 12 silence')
  block.thread.clock.advance(100)
  t.equal(run(block, 5, FOUND), '1 answer, 1 TC, 3 silence')
  block.thread.clock.advance(10_000)
  t.equal(run(block, 10, FOUND), '4 answer, 4 TC, 2 silence')
  await block.stop()
})

t.test('setting the time of day neither gives anybody anything nor takes it', async t => {
  const block = blockOf('queries 10 4')
  const { clock } = block.thread
  t.equal(run(block, 10, FOUND), '4 answer, 4 TC, 2 silence')
  for (const hours of [1, -2, 1]) {
    clock.stepWall(hours * 3_600_000)
    t.equal(run(block, 2, FOUND), '2 silence')
    clock.advance(100)
    t.equal(run(block, 3, FOUND), '1 answer, 1 TC, 1 silence')
  }
  await block.stop()
})

t.test('over a connection: as many again, then REFUSED', async t => {
  for (const transport of ['tcp', 'tls', 'https'] as const) {
    const block = blockOf('queries 10 4')
    t.equal(run(block, 4, FOUND), '4 answer')
    t.equal(run(block, 10, FOUND, { transport }), '4 answer, 6 REFUSED', transport)
    t.equal(run(block, 5, FOUND), '4 TC, 1 silence')
    await block.stop()
  }
})

t.test('who makes up an address takes nothing from the client that has it, and shows it', async t => {
  for (const line of ['queries 10 4', 'misses 10 4']) {
    const block = blockOf(line)
    const name = line.startsWith('misses') ? MISSED : FOUND
    const asked = (data: Uint8Array, address?: string): Uint8Array | undefined => {
      const packet = encodeQuestion({ name, edns: { options: [{ code: COOKIE, data }] } })
      return block.ask(packet, address === undefined ? {} : { client: client(address) })
    }
    const cookieOf = (octets: Uint8Array): Uint8Array =>
      decodeMessage(octets).edns!.options.find(({ code }) => code === COOKIE)!.data
    const cookie = cookieOf(asked(new Uint8Array(8))!)
    t.equal(run(block, 9, name), '3 answer, 4 TC, 2 silence', 'others in its name')
    for (let i = 0; i < 4; i++) t.equal(asked(cookie)![2]! & 2, 0, 'it has a cookie')
    t.equal(asked(cookie), undefined, 'its share of those')
    t.equal(
      asked(Uint8Array.of(...cookie.subarray(0, 16), 1, 2, 3, 4, 5, 6, 7, 8)),
      undefined,
      'made up, too',
    )
    block.thread.clock.advance(400)
    t.equal(run(block, 9, name), '4 answer, 4 TC, 1 silence')
    t.equal(run(block, 5, name, { transport: 'tcp' }), '4 answer, 1 REFUSED', 'it comes over TCP')
    await block.stop()
  }
})

t.test('IPv6 addresses of one network are one client where that is written', async t => {
  const rows: [prefix: string, second: string, outcome: string][] = [
    ['', 'fd00::8', '4 answer, 1 TC'],
    ['ipv6_prefix 64', 'fd00::8', '4 TC, 1 silence'],
    ['ipv6_prefix 64', 'fd00:0:0:1::7', '4 answer, 1 TC'],
    ['ipv6_prefix 60', 'fd00:0:0:f::7', '4 TC, 1 silence'],
    ['ipv6_prefix 60', 'fd00:0:0:10::7', '4 answer, 1 TC'],
    ['ipv6_prefix 64', '10.0.0.8', '4 answer, 1 TC'],
  ]
  for (const [line, second, expected] of rows) {
    const block = blockOf(`queries 10 4\n${line}`)
    run(block, 4, FOUND, { client: client('fd00::7') })
    t.equal(run(block, 5, FOUND, { client: client(second) }), expected, `${line} ${second}`)
    await block.stop()
  }
})

t.test('one client costs the others nothing', async t => {
  const block = blockOf('queries 10 4')
  run(block, 20, FOUND)
  for (const address of ['10.0.0.8', 'fd00::7'])
    t.equal(run(block, 5, FOUND, { client: client(address) }), '4 answer, 1 TC', address)
  await block.stop()
})

t.test('misses are counted apart: what the cluster answers costs none', async t => {
  const block = blockOf('misses 10 3')
  t.equal(run(block, 100, FOUND), '100 answer')
  t.equal(run(block, 10, MISSED), '3 answer, 3 TC, 4 silence')
  t.equal(run(block, 100, FOUND), '100 answer')
  t.equal(run(block, 100, 'nobody.demo.svc.cluster.local'), '100 answer', 'names that the cluster denies')
  await block.stop()
})

t.test('a miss costs a token of both', async t => {
  const block = blockOf('queries 10 5\nmisses 10 3')
  t.equal(run(block, 4, MISSED), '3 answer, 1 TC')
  t.equal(run(block, 2, FOUND), '1 answer, 1 TC')
  await block.stop()
})

t.test(
  'what another handler in front of the cluster takes from the fast path is limited all the same',
  async t => {
    const block = blockOf('queries 10 4', 'rewrite name exact a.example b.example\ntemplate IN MX')
    t.equal(run(block, 20, FOUND), '4 answer, 4 TC, 12 silence')
    await block.stop()
  },
)

t.test('exempt networks', async t => {
  const block = blockOf('queries 10 4\nmisses 10 4\nexempt 169.254.20.10 192.168.0.0/16\nexempt fd00::/64')
  for (const address of ['169.254.20.10', '192.168.3.4', 'fd00::7']) {
    t.equal(run(block, 20, FOUND, { client: client(address) }), '20 answer', address)
    t.equal(run(block, 20, MISSED, { client: client(address) }), '20 answer', address)
  }
  t.equal(run(block, 5, FOUND, { client: client('192.169.0.1') }), '4 answer, 1 TC')
  await block.stop()
})

t.test('without the word nobody is limited', async t => {
  const block = new ServerBlock('kubernetes cluster.local')
  t.equal(run(block, 500, FOUND), '500 answer')
  await block.stop()
})

t.test('who is limited is told why, and it is counted', async t => {
  const block = blockOf('queries 1 1\nmisses 1 1')
  const reason = (name: string, how?: Coming): string =>
    extendedError(decodeMessage(block.ask(encodeQuestion({ name, edns: true }), how)!).edns)
  t.equal(reason(MISSED), '')
  t.equal(reason(FOUND), '0 this client asks more than ratelimit lets it')
  t.equal(block.ask(encodeQuestion({ name: FOUND })), undefined)
  t.equal(reason(FOUND, { transport: 'tcp' }), '')
  t.equal(reason(FOUND, { transport: 'tcp' }), '0 this client asks more than ratelimit lets it')
  block.thread.clock.advance(1000)
  const { counted } = block.thread
  const limited = [...counted].filter(([key]) => key.includes('ratelimit'))
  t.strictSame(limited, [
    ['seamark_ratelimit_limited_total{server=dns://:53,by=client,kind=queries,result=truncated}', 1],
    ['seamark_ratelimit_limited_total{server=dns://:53,by=client,kind=queries,result=dropped}', 1],
    ['seamark_ratelimit_limited_total{server=dns://:53,by=client,kind=queries,result=refused}', 1],
  ])
  await block.stop()
})

t.test('all Pods of a namespace together', async t => {
  const config = { verifiedPods: true, clients: { podNames: false, hosts: false, labels: [] } }
  const made = new SlimCluster(config, { kinds: ['Service', 'EndpointSlice', 'Namespace', 'Pod'] })
  made.cluster.replace('Pod', [
    slimPod('demo/a', '10.1.0.1'),
    slimPod('demo/b', '10.1.0.2'),
    slimPod('other/a', '10.1.0.3'),
    slimPod('demo/h', '192.168.0.1', { hostNetwork: true }),
  ])
  made.list(['demo'], [slimService('demo/web', '10.0.0.1')])
  const lines =
    'ratelimit {\nqueries 10 5\nnamespace_queries 10 6\n}\nkubernetes cluster.local {\npods verified\n}'
  const block = new ServerBlock(lines, made)
  t.equal(run(block, 4, FOUND, { client: client('10.1.0.1') }), '4 answer')
  t.equal(run(block, 4, FOUND, { client: client('10.1.0.2') }), '2 answer, 2 TC')
  t.equal(run(block, 6, FOUND, { client: client('10.1.0.3') }), '5 answer, 1 TC', 'another namespace')
  t.equal(run(block, 6, FOUND, { client: client('192.168.0.1') }), '5 answer, 1 TC', 'a node')
  t.equal(run(block, 6, FOUND, { client: client('10.9.9.9') }), '5 answer, 1 TC', 'nobody')
  t.equal(block.thread.counted.get('seamark_ratelimit_limited_total{server=dns://:53,by=namespace,kind=queries,result=truncated}'), 2) // biome-ignore format: one line
  await block.stop()
})

t.test('the configuration', async t => {
  const read = (text: string) => parseWord(ratelimitWord, text)
  const { config, complaints } = read(
    'ratelimit {\nqueries 500\nmisses 20 7\nexempt 10.1.2.3/8 FD00::1\nclients 2000\n}',
  )
  t.same(complaints, [])
  t.match(config, {
    client: { queries: { perSecond: 500, burst: 1000 }, misses: { perSecond: 20, burst: 7 } },
    exempt: ['10.0.0.0/8', 'fd00::1/128'],
  })
  t.equal(config?.table.byteLength, 64 * (1 + 2048))
  t.equal(structuredClone(config)?.table instanceof SharedArrayBuffer, true, 'plain data')
})

t.test('mistakes', async t => {
  const cases: [text: string, complaint: RegExp][] = [
    ['ratelimit', /^2:1: error: ratelimit needs queries or misses/],
    ['ratelimit {\nexempt 10.0.0.1\n}', /^2:1: error: ratelimit needs queries or misses/],
    ['ratelimit 10', /takes no arguments|needs queries/],
    ['ratelimit {\nqueries\n}', /^3:1: error: queries needs queries a second/],
    ['ratelimit {\nqueries 0\n}', /^3:9: error: queries a second must be an integer from 1 to 1000000 \(found "0"/],
    ['ratelimit {\nqueries 1 many\n}', /^3:11: error: queries at once must be an integer/],
    ['ratelimit {\nqueries 1 1 1\n}', /^3:13: error: too many arguments for queries/],
    ['ratelimit {\nqueries 1\nqueries 2\n}', /^4:1: error: queries is given twice/],
    ['ratelimit {\nqueries 1\nexempt web\n}', /^4:8: error: this is neither a network nor an address \(found "web"/],
    ['ratelimit {\nnamespace_misses 1\n}', /^2:1: error: limits of namespaces need `pods verified` in kubernetes/],
    ['ratelimit {\nqueries 1\nexempt\n}', /^4:1: error: exempt needs a network/],
    ['ratelimit {\nqueries 1\nipv6_prefix 16\n}', /^4:13: error: the bits of a network must be an integer from 32 to 128/],
    ['ratelimit {\nqueries 1\nclients 5\n}', /^4:9: error: how many clients are remembered must be an integer from 1024/],
    ['ratelimit {\nqueries 1\nslip 2\n}', /^4:1: error: unknown property of ratelimit \(found "slip"; allowed: clients, exempt, ipv6_prefix, misses, namespace_misses, namespace_queries, queries/],
    ['ratelimit {\nqueries 1\n}\nratelimit {\nqueries 2\n}', /^5:1: error: ratelimit is given twice/],
  ] // biome-ignore format: a table
  for (const [text, complaint] of cases)
    t.match(parseWord(ratelimitWord, text).complaints[0], complaint, text)
})
