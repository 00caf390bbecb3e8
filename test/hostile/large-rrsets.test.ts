// Large record sets (CVE-2024-1737, CVE-2024-11187): a name with thousands of records must not make each question for it
// dear. Over UDP a Service costs what fits into the answer, over TCP what is sent, on the fast path and down the chain alike.

import t, { type Test } from 'tap'
import { serverCosts } from '../support/cost.ts'
import { encodeQuestion, exchangeUdp, query, TcpClient } from '../support/dns-client.ts'
import { shortOrLong } from '../support/long.ts'
import type { Served } from '../support/served-corefile.ts'
import { a, nameOf, replyTo, UpstreamStub } from '../support/upstream-stub.ts'
import { headless, serve, unharmed } from './one-block.ts'

/** None of them fits into a datagram. */
const SIZES = [100, 1000, 5000]
const ROUNDS = shortOrLong(12, 24)
/** How many times as much as the first a size may cost: where records beyond a datagram cost nothing, and where they do. */
const FLAT = SIZES.map(() => 3)
const LINEAR = SIZES.map(size => (3 * size) / SIZES[0]!)
const SERVICES = SIZES.map(size => headless(`s${size}`, size)).join('')

/** Asks for names of all sizes, and holds what each costs the server against the first. */
async function check(
  t: Test,
  { port, server }: Served,
  question: { readonly type: string; name(size: number): string },
  udpBounds: readonly number[],
): Promise<void> {
  const { type, name } = question
  const packets = SIZES.map(size => encodeQuestion({ name: name(size), type, edns: true }, 1))
  const stream = await TcpClient.connect(port)
  t.teardown(() => stream.destroy())
  const overTcp = (packet: Uint8Array): Promise<Uint8Array> => {
    stream.send(packet)
    return stream.receive()
  }
  // What comes from an upstream is asked for once, over TCP, so that all of it is cached.
  for (const packet of packets) await overTcp(packet)
  const rows = [
    { transport: 'UDP', bounds: udpBounds, exchange: (packet: Uint8Array) => exchangeUdp(port, packet) },
    { transport: 'TCP', bounds: LINEAR, exchange: overTcp },
  ]
  for (const { transport, bounds, exchange } of rows) {
    const times = await serverCosts(
      packets.map(packet => ({ pid: server.child.pid!, ask: () => exchange(packet) })),
      ROUNDS,
    )
    const told = times.map(ms => `${ms.toFixed(2)} ms`).join(', ')
    t.ok(
      times.every((ms, i) => ms < bounds[i]! * times[0]!),
      `${type} over ${transport}: ${told}`,
    )
  }
  const reply = await query(port, { name: name(5000), type, edns: true })
  t.ok(reply.flags.tc && reply.bytes.length <= 1232, `${type} over UDP says that there is more`)
}

const inCluster = (size: number, zone = 'cluster.local'): string => `s${size}.default.svc.${zone}`

t.test('headless services', async t => {
  const served = await serve(t, 'loadbalance', {
    manifests: SERVICES,
    // `log` sees every answer: the zone has no fast path.
    blocks: ({ dns }) =>
      `other.local:${dns} {\nbind 127.0.0.1\nlog\nloadbalance\nkubernetes other.local {\nmanifests manifests\n}\n}`,
  })
  for (const [title, zone] of [
    ['on the fast path', 'cluster.local'],
    ['down the chain', 'other.local'],
  ] as const) {
    await t.test(title, async t => {
      await check(t, served, { type: 'A', name: size => inCluster(size, zone) }, FLAT)
      await check(t, served, { type: 'SRV', name: size => `_http._tcp.${inCluster(size, zone)}` }, FLAT)
      const seen = new Set<string>()
      for (let i = 0; i < 40; i++) {
        for (const record of (await query(served.port, { name: inCluster(5000, zone) })).answer)
          seen.add(record)
      }
      t.ok(seen.size > 300, `all endpoints have their turn: ${seen.size} in 40 answers`)
    })
  }
  await unharmed(t, served)
})

t.test('loadbalance prefer chooses among all endpoints, not among those that fit', async t => {
  const manifests = headless('s1000', 1000)
  const { port } = await serve(t, 'loadbalance {\nprefer 10.1.3.231/32\n}', { manifests })
  const { records } = await query(port, { name: inCluster(1000) })
  t.match(records.answer[0]?.text, / 10\.1\.3\.231$/, 'the last one, over UDP')
})

t.test('record sets of an upstream, out of the cache', async t => {
  const stub = await UpstreamStub.start((asked, back) => {
    const size = asked.transport === 'tcp' ? Math.min(3900, Number(/\d+/.exec(nameOf(asked)))) : 0
    const records = Array.from({ length: size }, (_, i) => a('.', 300, `192.0.${i >> 8}.${i & 255}`))
    // A pointer to the question: 16 octets a record.
    back.send(
      replyTo(asked, { answer: records.map(record => ({ ...record, owner: Uint8Array.of(0xc0, 12) })) }),
    )
  })
  t.teardown(() => stub.pause())
  for (const lines of ['cache', 'loadbalance\nlog\ncache']) {
    const served = await serve(t, `${lines}\nforward . ${stub.to}`)
    await check(t, served, { type: 'A', name: size => `s${size}.example.org` }, LINEAR)
    await unharmed(t, served)
  }
})
