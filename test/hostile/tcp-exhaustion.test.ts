// TCP exhaustion (CVE-2025-68151: no bounds; slow loris): a thousand connections that begin a query and never end it cost
// nobody else anything: not UDP, not the next connection, and no more descriptors than allowed.

import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { STREAM_LIMITS } from '../../src/listen/stream-limits.ts'
import { type Asked, serverCosts } from '../support/cost.ts'
import { encodeQuestion, query } from '../support/dns-client.ts'
import { shortOrLong } from '../support/long.ts'
import type { Served } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'
import { answerAll, nameOf, UpstreamStub } from '../support/upstream-stub.ts'
import { clusterIp, serve, unharmed } from './one-block.ts'

const NAME = 'web.default.svc.cluster.local'
const STALLED = 1000
const ROUNDS = shortOrLong(30, 60)
/** How many times as much as without them an answer may cost beside them. */
const TIMES_MAX = 3
const MANIFESTS = clusterIp('web', '10.96.0.7')
/** Descriptors that a process opens now and then beside its connections. */
const OTHER_DESCRIPTORS = 20
const skip = process.platform === 'linux' ? false : 'needs /proc'

const descriptors = ({ server }: Served): number => readdirSync(`/proc/${server.child.pid}/fd`).length

/** Connects so often, from that address, and sends these octets on each. */
async function stall(
  t: Test,
  { port }: Served,
  count: number,
  localAddress: string,
  octets: Uint8Array,
): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1', localAddress }))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  await Promise.all(
    sockets.map(async socket => {
      // The server may take it, or end it at once where it has too many.
      socket.on('error', () => undefined)
      await new Promise(resolve => socket.once('connect', resolve).once('close', resolve))
      socket.pause()
      socket.write(octets)
    }),
  )
  return sockets
}

/** Asks one server as a client that comes anew. */
const asking = ({ port, server }: Served, tcp = false): Asked => ({
  pid: server.child.pid!,
  async ask() {
    const { rcode } = await query(port, { name: NAME, tcp })
    if (rcode !== 'NOERROR') throw new Error(rcode)
  },
})

const packet = encodeQuestion({ name: NAME }, 1)
const frame = Uint8Array.of(0, packet.length, ...packet)

const ways: readonly (readonly [title: string, octets: Uint8Array])[] = [
  ['half of a query', frame.slice(0, 20)],
  ['a length and no query', Uint8Array.of(0xff, 0xff)],
  ['a query, and then nothing', frame],
]

for (const [title, octets] of ways) {
  t.test(`a thousand connections: ${title}`, { skip }, async t => {
    const served = await serve(t, '', { manifests: MANIFESTS })
    // A server without such connections, asked in turns with the other.
    const reference = await serve(t, '', { manifests: MANIFESTS })
    for (const server of [served, reference]) for (let i = 0; i < 100; i++) await asking(server).ask()
    const before = descriptors(served)
    const sockets = await stall(t, served, STALLED, '127.0.0.2', octets)
    for (const [over, tcp] of [
      ['UDP', false],
      ['a new connection', true],
    ] as const) {
      const costs = await serverCosts([asking(served, tcp), asking(reference, tcp)], ROUNDS, 0)
      const [beside = 0, alone = 0] = costs
      t.ok(
        beside < TIMES_MAX * alone,
        `${over}: ${alone.toFixed(2)} ms alone, ${beside.toFixed(2)} ms beside them`,
      )
    }
    const during = descriptors(served)
    t.ok(
      during <= before + STALLED + OTHER_DESCRIPTORS,
      `${before} descriptors before, ${during} beside them`,
    )
    for (const socket of sockets) socket.destroy()
    await until('they are closed', () => descriptors(served) <= before + OTHER_DESCRIPTORS)
    await unharmed(t, served)
  })
}

t.test('two clients that hold all places with a slow question each', { skip }, async t => {
  const stub = await UpstreamStub.start((asked, back) => {
    if (nameOf(asked) === 'quick.test.') answerAll(asked, back)
  })
  t.teardown(() => stub.pause())
  const served = await serve(t, `forward . ${stub.to}`, { manifests: MANIFESTS, pod: true })
  const slow = encodeQuestion({ name: 'slow.test' }, 1)
  for (const address of ['127.0.0.2', '127.0.0.3'])
    await stall(t, served, STALLED, address, Uint8Array.of(0, slow.length, ...slow))
  for (let i = 0; i < 15; i++) {
    for (const name of ['quick.test', NAME]) {
      const { rcode } = await query(served.port, { name, tcp: true, localAddress: '127.0.0.4' })
      t.equal(rcode, 'NOERROR', `${name} of a third client, ${i}`)
    }
  }
  await unharmed(t, served)
})

t.test('more connections than a thread takes', { skip }, async t => {
  const served = await serve(t, '', { manifests: MANIFESTS })
  const before = descriptors(served)
  const { connectionsMax, connectionsPerClientMax } = STREAM_LIMITS
  for (const address of ['127.0.0.2', '127.0.0.3', '127.0.0.4']) {
    await stall(t, served, connectionsPerClientMax + 100, address, ways[0]![1])
    const during = descriptors(served)
    t.ok(during <= before + connectionsMax + OTHER_DESCRIPTORS, `${during} descriptors`)
  }
  const fresh = await query(served.port, { name: NAME, tcp: true })
  t.equal(fresh.rcode, 'NOERROR', 'a new connection')
  t.equal((await query(served.port, { name: NAME })).rcode, 'NOERROR')
  t.ok(
    (await served.counted('seamark_listen_events_total', { event: 'tcp-refused-client' })) >= 100,
    'counted',
  )
  await unharmed(t, served)
})
