// Upstreams that change while serving: files that are read again, host names that are looked up.

import { rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { forwardWord } from '../../../src/plugin/forward/forward.ts'
import { ForwardHandler } from '../../../src/plugin/forward/handler.ts'
import { lookupHost } from '../../../src/plugin/forward/lookup-host.ts'
import { parseResolvConf } from '../../../src/plugin/forward/resolv-conf.ts'
import {
  FILE_INTERVAL_MS,
  HOST_INTERVAL_MS,
  HOST_RETRY_MS,
} from '../../../src/plugin/forward/upstream-set.ts'
import { failure } from '../../support/reply.ts'
import { askHandler } from '../../support/road.ts'
import { until } from '../../support/until.ts'
import { a, nameOf, replyTo, UpstreamStub } from '../../support/upstream-stub.ts'
import { parseWord, query, testThread } from '../../support/words.ts'
import { startBench, startStub } from './forward-bench.ts'

const files: readonly [string, string, readonly string[]][] = [
  [
    'the usual',
    'nameserver 10.0.0.2\nnameserver 10.0.0.3\nsearch a b\noptions ndots:5\n',
    ['10.0.0.2', '10.0.0.3'],
  ],
  [
    'blanks, tabs, CRLF',
    '  nameserver\t10.0.0.2 \r\nnameserver 10.0.0.3 # mine\r\n',
    ['10.0.0.2', '10.0.0.3'],
  ],
  ['comments', '# nameserver 10.0.0.2\n; nameserver 10.0.0.3\n', []],
  ['IPv6 and zone identifiers', 'nameserver fd00::1\nnameserver fe80::1%eth0\n', ['fd00::1', 'fe80::1%eth0']],
  ['what is no address', 'nameserver ns.example.org\nnameserver\nnameserver 10.0.0.300\n', []],
  ['the same twice', 'nameserver 10.0.0.2\nnameserver 10.0.0.2\n', ['10.0.0.2']],
  ['no final line break', 'nameserver 10.0.0.2', ['10.0.0.2']],
  ['nothing', '', []],
]

for (const [name, text, addresses] of files) {
  t.test(`resolv.conf: ${name}`, async t => {
    t.strictSame(
      parseResolvConf(text).map(({ address }) => address),
      addresses,
    )
    t.ok(parseResolvConf(text).every(({ port, protocol }) => port === 53 && protocol === 'dns'))
  })
}

t.test('a file is read again when it changes, and kept when it cannot be read', async t => {
  const path = `${t.testdir({ 'resolv.conf': 'nameserver 127.0.0.2\n' })}/resolv.conf`
  const bench = startBench(t, `forward . ${path}`)
  const lines = bench.thread.lines
  const told = async (count: number): Promise<void> => {
    bench.clock.advance(FILE_INTERVAL_MS)
    await until('a line in the log', () => lines.length === count)
  }
  writeFileSync(path, 'nameserver 127.0.0.3\nnameserver 127.0.0.2\n')
  await told(1)
  t.match(
    lines[0],
    `[INFO] plugin/forward: ${path} has changed: upstreams are now 127.0.0.3:53, 127.0.0.2:53`,
  )
  writeFileSync(path, '# being written\n')
  await told(2)
  t.match(
    lines[1],
    /^\[WARNING\] plugin\/forward: .*: no nameserver in it; upstreams stay 127\.0\.0\.3:53, 127\.0\.0\.2:53$/,
  )
  rmSync(path)
  await told(3)
  t.match(lines[2], /ENOENT.*upstreams stay 127\.0\.0\.3:53, 127\.0\.0\.2:53$/)
  bench.clock.advance(FILE_INTERVAL_MS)
  writeFileSync(path, 'nameserver 127.0.0.4\n')
  await until('a line in the log', () => {
    bench.clock.advance(FILE_INTERVAL_MS)
    return lines.length === 4
  })
  t.match(lines[3], /upstreams are now 127\.0\.0\.4:53$/)
})

t.test('a host name: nothing before it is known, then its addresses, then new ones', async t => {
  const [one, two] = [await startStub(t), await UpstreamStub.start()]
  t.teardown(() => two.pause())
  two.script = one.script = (asked, back) => back.send(replyTo(asked, { answer: [a(nameOf(asked), 30)] }))
  const lookups: string[] = []
  let addresses: readonly string[] | undefined
  const lookup = async (host: string, resolvers: readonly string[]): Promise<readonly string[]> => {
    lookups.push([host, ...resolvers].join(' '))
    if (addresses === undefined) throw new Error('getaddrinfo ENOTFOUND')
    return addresses
  }
  const corefile = `forward . ns.example.org:${one.port} {\nresolver 10.0.0.1\n}`
  const bench = startBench(t, corefile, undefined, { lookup })
  t.match(await bench.ask('www.example.org A'), {
    rcode: 2,
    error: 'no healthy proxies',
    extendedError: { code: 22 },
  })
  t.strictSame(lookups, ['ns.example.org 10.0.0.1'])
  await until('a warning', () => bench.thread.lines.length === 1)
  t.match(bench.thread.lines[0], /ns\.example\.org: getaddrinfo ENOTFOUND; upstreams stay none$/)
  addresses = ['127.0.0.1']
  bench.clock.advance(HOST_RETRY_MS)
  await until('an address', () => bench.thread.lines.length === 2)
  t.equal((await bench.ask('www.example.org A')).rcode, 0)
  addresses = ['127.0.0.9', '127.0.0.1']
  bench.clock.advance(HOST_INTERVAL_MS)
  await until('two addresses', () => bench.thread.lines.length === 3)
  t.match(bench.thread.lines[2], `upstreams are now 127.0.0.9:${one.port}, 127.0.0.1:${one.port}`)
  addresses = undefined
  bench.clock.advance(HOST_INTERVAL_MS)
  await until('a warning', () => bench.thread.lines.length === 4)
  t.match(bench.thread.lines[3], /upstreams stay 127\.0\.0\.9/)
  addresses = ['127.0.0.9', '127.0.0.1']
  bench.clock.advance(HOST_INTERVAL_MS)
  await until('a line in the log', () => bench.thread.lines.length === 5)
  t.match(bench.thread.lines[4], /ns\.example\.org is as it was before$/)
})

t.test('an upstream that leaves ends what it has under way first', async t => {
  const held: (() => void)[] = []
  const stub = await startStub(t, (asked, back) =>
    held.push(() => back.send(replyTo(asked, { answer: [a(nameOf(asked), 30)] }))),
  )
  let addresses = ['127.0.0.1']
  const bench = startBench(t, `forward . ns.example.org:${stub.port}`, undefined, {
    lookup: async () => addresses,
  })
  await until('an address', () => bench.thread.lines.length === 1)
  bench.clock.advance(HOST_INTERVAL_MS - 100)
  const asking = bench.line('www.example.org A')
  await until('the query', () => held.length === 1)
  addresses = ['127.0.0.9']
  bench.clock.advance(100)
  await until('the change', () => bench.thread.lines.length === 2)
  held[0]!()
  t.equal(await asking, 'NOERROR ra | www.example.org. 30 A c0000201')
})

t.test('the same upstream twice is one', async t => {
  const stub = await startStub(t)
  await stub.pause()
  const bench = startBench(t, `forward . ${stub.to} dns://${stub.to} {\nmax_fails 0\n}`)
  await bench.ask('www.example.org A')
  t.equal(bench.count('coredns_proxy_conn_cache_misses_total'), 2)
})

t.test('lookupHost: the machine’s names, or other servers’', async t => {
  t.ok((await lookupHost('localhost', [])).some(address => address === '127.0.0.1' || address === '::1'))
  const stub = await startStub(t, (asked, back) =>
    back.send(
      asked.what.endsWith(' A') && nameOf(asked) === 'ns.example.org.'
        ? replyTo(asked, { answer: [a(nameOf(asked), 30, '192.0.2.7')] })
        : replyTo(asked, { rcode: 3 }),
    ),
  )
  t.strictSame(await lookupHost('ns.example.org', [stub.to]), ['192.0.2.7'])
  await t.rejects(lookupHost('no.example.org', [stub.to]), { code: 'ENOTFOUND' })
})

t.test('a host name that is known from the start is asked at once, and looked up again later', async t => {
  const stub = await startStub(t, (asked, back) =>
    back.send(replyTo(asked, { answer: [a(nameOf(asked), 30)] })),
  )
  const { config } = parseWord(forwardWord, `forward . ns.example.org:${stub.port}`)
  const rules = config!.rules.map(rule => ({
    ...rule,
    to: rule.to.map(to => (to.kind === 'host' ? { ...to, addresses: ['127.0.0.1'] } : to)),
  }))
  const thread = testThread()
  let lookups = 0
  const lookup = async (): Promise<readonly string[]> => {
    lookups++
    return ['127.0.0.9']
  }
  const handler = new ForwardHandler({ rules }, thread.context, { lookup })
  t.teardown(() => handler.stop())
  const outcome = await askHandler(handler, query('www.example.org A'), () => failure(10))
  t.match(outcome, { rcode: 0 })
  t.equal(lookups, 0)
  thread.clock.advance(HOST_INTERVAL_MS)
  await until('the change', () => thread.lines.length === 1)
  t.match(thread.lines[0], `upstreams are now 127.0.0.9:${stub.port}`)
})
