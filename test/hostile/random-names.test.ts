// Memory under names that nobody asks twice (CoreDNS issue 6002: log, cache and forward ran out of memory under a load test).
// The caches are full soon; from then on the process does not grow, over UDP and on one pipelined connection alike, and no
// name becomes a metric.

import t, { type Test } from 'tap'
import { encodeQuestion, TcpClient } from '../support/dns-client.ts'
import { shortOrLong } from '../support/long.ts'
import { residentMib } from '../support/process-stat.ts'
import type { Served } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'
import { a, nameOf, replyTo, type Script, soa, UpstreamStub } from '../support/upstream-stub.ts'
import { clusterIp, floodFrom, serve, unharmed } from './one-block.ts'

/** Entries of each half of the cache: few, so that it is full soon. */
const ENTRIES = shortOrLong(256, 2048)
const WARM_UP = shortOrLong(3000, 15_000)
const NAMES = shortOrLong(5000, 40_000)
/** Sent before their answers are waited for: fewer than any socket holds. */
const PACE = 100
const CACHE = `cache {\nsuccess ${ENTRIES}\ndenial ${ENTRIES}\n}`
/** More than a KiB of each name. */
const GROWTH_MAX_MIB = 8
/** V8's heaps take their time to find their size; what leaks grows every time. */
const FLOODS_MAX = 8
const skip = process.platform === 'linux' ? false : 'needs /proc'

const residentOf = ({ server }: Served): number => residentMib(server.child.pid!)

/** Samples, but for those of the storm that this is, which names what the names have in common. */
const series = async (served: Served): Promise<number> =>
  (await served.metrics()).split('\n').filter(line => !/^(?:#|$|seamark_storm_)/.test(line)).length

let random = 0
/** Every third name is one of the cluster's that does not exist, one is an upstream's, one an upstream's that does not exist. */
function nextName(): string {
  random++
  const label = `${random.toString(36)}-${((random * 2654435761) >>> 0).toString(36)}`
  return [`${label}.default.svc.cluster.local`, `${label}.example.org`, `nx-${label}.example.org`][
    random % 3
  ]!
}

const upstream: Script = (asked, back) =>
  back.send(
    nameOf(asked).startsWith('nx-')
      ? replyTo(asked, { rcode: 3, authority: [soa('example.org', 300)] })
      : replyTo(asked, { answer: [a(nameOf(asked), 300)] }),
  )

/** Asks for that many names. */
type Ask = (count: number) => Promise<void>

const transports: readonly (readonly [title: string, open: (t: Test, served: Served) => Promise<Ask>])[] = [
  [
    'over UDP',
    async (t, served) => {
      const client = await floodFrom(t, served, '127.0.0.2')
      let asked = 0
      return async count => {
        for (const end = asked + count; asked < end; asked += PACE) {
          for (let i = 0; i < PACE; i++) client.send(nextName())
          await until('the answers', async () => client.replies(0) + client.replies(3) >= asked + PACE)
        }
      }
    },
  ],
  [
    'pipelined on one connection',
    async (t, { port }) => {
      const client = await TcpClient.connect(port)
      t.teardown(() => client.destroy())
      return async count => {
        for (let asked = 0; asked < count; asked += PACE) {
          const packets = Array.from({ length: PACE }, (_, i) => encodeQuestion({ name: nextName() }, i))
          client.sendRaw(Buffer.concat(packets.flatMap(packet => [Uint8Array.of(0, packet.length), packet])))
          for (let i = 0; i < PACE; i++) await client.receive()
        }
      }
    },
  ],
]

for (const [title, open] of transports) {
  t.test(title, { skip }, async t => {
    const stub = await UpstreamStub.start((asked, back) => {
      stub.asked = []
      upstream(asked, back)
    })
    t.teardown(() => stub.pause())
    const served = await serve(t, `errors\nlog\n${CACHE}\nforward . ${stub.to}`, {
      manifests: clusterIp('web', '10.96.0.7'),
    })
    const ask = await open(t, served)
    await ask(WARM_UP)
    const warmSeries = await series(served)
    const grownMib: number[] = []
    do {
      const before = residentOf(served)
      await ask(NAMES)
      grownMib.push(residentOf(served) - before)
    } while (grownMib.at(-1)! > GROWTH_MAX_MIB && grownMib.length < FLOODS_MAX)
    const told = grownMib.map(mib => mib.toFixed(1)).join(', ')
    t.ok(grownMib.at(-1)! <= GROWTH_MAX_MIB, `MiB more after ${NAMES} names each: ${told}`)
    t.equal(await series(served), warmSeries, 'no name became a metric')
    t.ok((await served.counted('coredns_cache_evictions_total')) > 0, 'the cache was full')
    await unharmed(t, served)
  })
}
