// Storms: one client that asks for one missing name for ever. Each question costs what a cached answer costs, a metric counts
// them, and one line names the client and the name, whichever way the denial is answered. What else is a storm:
// test/observe/storms.test.ts.

import t from 'tap'
import { serverCosts } from '../support/cost.ts'
import { encodeQuestion, TcpClient } from '../support/dns-client.ts'
import { until } from '../support/until.ts'
import { a, nameOf, replyTo, type Script, soa, UpstreamStub } from '../support/upstream-stub.ts'
import { clusterIp, floodFrom, serve, unharmed } from './one-block.ts'

const CLIENT = '127.0.0.9'
const MISSING = 'nope.default.svc.cluster.local'
const STORM = 6000
/** Queries that are sent before their answers are waited for: fewer than any socket holds. */
const PACE = 200
const MANIFESTS = clusterIp('web', '10.96.0.7')

const upstream: Script = (asked, back) =>
  back.send(
    nameOf(asked).startsWith('nope.')
      ? replyTo(asked, { rcode: 3, authority: [soa('test', 300)] })
      : replyTo(asked, { answer: [a(nameOf(asked), 300)] }),
  )

const ways: readonly (readonly [title: string, lines: string, name: string])[] = [
  ['a name of the cluster', 'errors\ncache', MISSING],
  ['a name of an upstream, out of the cache', 'errors\ncache', 'nope.test'],
  ['a name of the cluster, down the chain', 'errors\nlog\ncache', MISSING],
  ['a name of an upstream, down the chain', 'errors\nlog\ncache', 'nope.test'],
]

for (const [title, lines, name] of ways) {
  t.test(title, async t => {
    const stub = await UpstreamStub.start(upstream)
    t.teardown(() => stub.pause())
    const served = await serve(t, `${lines}\nforward . ${stub.to}`, { manifests: MANIFESTS })
    const client = await floodFrom(t, served, CLIENT)
    for (let sent = 0; sent < STORM; sent += PACE) {
      for (let i = 0; i < PACE; i++) client.send(name)
      await until(`${sent + PACE} answers`, async () => client.replies(3) >= sent + PACE)
    }
    await until('the line', async () => served.server.output().includes('storm: '))
    const told = served.server.output().match(/^.*storm: .*$/gm)
    t.equal(told?.length, 1, 'one line')
    t.match(
      told?.[0],
      new RegExp(
        `storm: ${CLIENT} asks \\d+ times a second for ${name}\\., which does not exist: \\d+ % of all queries`,
      ),
    )
    await until('the count', async () => (await served.counted('seamark_storm_queries_total')) > STORM / 2)
    // Of many queries samples are taken.
    const counted = await served.counted('seamark_storm_queries_total')
    t.ok(counted <= 1.2 * STORM, `${counted} counted`)
    t.ok(stub.asked.length <= 1, 'the upstream was asked at most once')
    await unharmed(t, served)
  })
}

t.test('a denial costs what a cached answer costs', async t => {
  const stub = await UpstreamStub.start(upstream)
  t.teardown(() => stub.pause())
  const { port, server } = await serve(t, `cache\nforward . ${stub.to}`, { manifests: MANIFESTS })
  const client = await TcpClient.connect(port)
  t.teardown(() => client.destroy())
  /** A hundred such questions at once. */
  const hundred = async (name: string): Promise<void> => {
    const packet = encodeQuestion({ name }, 1)
    const frames = Buffer.concat(
      Array.from({ length: 100 }, () => [Uint8Array.of(0, packet.length), packet]).flat(),
    )
    client.sendRaw(frames)
    for (let i = 0; i < 100; i++) await client.receive()
  }
  const names = ['www.test', MISSING, 'nope.test']
  const [cached, ...denials] = await serverCosts(
    names.map(name => ({ pid: server.child.pid!, ask: () => hundred(name) })),
    100,
    0.05,
  )
  for (const [i, ms] of denials.entries()) {
    t.ok(ms < 2 * cached!, `${names[i + 1]}: ${ms.toFixed(2)} ms, a cached answer ${cached!.toFixed(2)} ms`)
  }
})
