// Token buckets by address: what a bucket lets pass over any sequence of moments, and who is forgotten in a full table.

import t from 'tap'
import { BUCKET, Buckets, bucketMemory } from '../../../src/plugin/ratelimit/buckets.ts'
import { sockaddr } from '../../../src/query/sockaddr.ts'
import { seededRandom } from '../../support/random.ts'

const NOW_MS = Date.UTC(2026, 0, 1)
const client = (address: string): Uint8Array => sockaddr(address, 40212)!
/** ::ffff:10.0.0.7, as a socket of both families has it. */
const MAPPED = Uint8Array.of(
  10,
  0,
  0,
  53,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  255,
  255,
  10,
  0,
  0,
  7,
  0,
  0,
  0,
  0,
)

function bucketsOf(clients = 1024): { buckets: Buckets; forgotten: () => number } {
  let forgotten = 0
  const counter = {
    add(n = 1) {
      forgotten += n
    },
  }
  return { buckets: new Buckets(bucketMemory(clients), counter), forgotten: () => forgotten }
}

/** How many of so many queries in one moment find a token. */
function burst(
  buckets: Buckets,
  from: Uint8Array,
  nowMs: number,
  allowance = { perSecond: 10, burst: 5 },
): number {
  let taken = 0
  for (let i = 0; i < 50; i++) {
    const place = buckets.placeOf(from, 0, nowMs)
    if (buckets.take(place, BUCKET.QUERIES, allowance, nowMs)) taken++
  }
  return taken
}

t.test('a burst at once, then what the rate gives', async t => {
  const { buckets } = bucketsOf()
  const rows: [afterMs: number, taken: number][] = [[0, 5], [0, 0], [99, 0], [100, 1], [300, 2], [800, 5], [9000, 5]] // biome-ignore format: a table
  for (const [afterMs, taken] of rows)
    t.equal(burst(buckets, client('10.0.0.7'), NOW_MS + afterMs), taken, `${afterMs} ms`)
})

t.test('each address has its own, an IPv4 one the same however it is written', async t => {
  const { buckets } = bucketsOf()
  t.equal(burst(buckets, client('10.0.0.7'), NOW_MS), 5)
  t.equal(burst(buckets, MAPPED, NOW_MS), 0)
  for (const address of ['10.0.0.8', 'fd00::7', 'fd00::8'])
    t.equal(burst(buckets, client(address), NOW_MS), 5, address)
})

t.test('the buckets of one address are apart', async t => {
  const { buckets } = bucketsOf()
  burst(buckets, client('10.0.0.7'), NOW_MS)
  const place = buckets.placeOf(client('10.0.0.7'), 0, NOW_MS)
  const allowance = { perSecond: 10, burst: 1 }
  for (const bucket of [BUCKET.QUERIES_CUT, BUCKET.MISSES, BUCKET.MISSES_CUT]) {
    t.ok(buckets.take(place, bucket, allowance, NOW_MS))
    t.notOk(buckets.take(place, bucket, allowance, NOW_MS))
  }
})

t.test(
  'over any moments no more than the burst and the rate, and no less where it was asked for',
  async t => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = seededRandom(seed)
      const allowance = { perSecond: 1 + Math.floor(random() * 500), burst: 1 + Math.floor(random() * 50) }
      const { buckets } = bucketsOf()
      let nowMs = NOW_MS
      let taken = 0
      for (let i = 0; i < 500; i++) {
        if (random() < 0.1) nowMs += Math.floor(random() * 200)
        const place = buckets.placeOf(client('10.0.0.7'), 0, nowMs)
        if (buckets.take(place, BUCKET.QUERIES, allowance, nowMs)) taken++
      }
      const most = allowance.burst + ((nowMs - NOW_MS) * allowance.perSecond) / 1000
      t.ok(taken <= most + 1e-6, `${seed}: ${taken} of at most ${most}`)
      t.ok(taken >= Math.min(500, allowance.burst), `${seed}: ${taken} of at least the burst`)
    }
  },
)

t.test('a clock that is set back fills the buckets instead of holding them empty', async t => {
  const { buckets } = bucketsOf()
  burst(buckets, client('10.0.0.7'), NOW_MS)
  t.equal(burst(buckets, client('10.0.0.7'), NOW_MS - 3_600_000), 5)
})

t.test('threads share one table', async t => {
  const memory = bucketMemory(1024)
  const [one, other] = [0, 0].map(() => new Buckets(memory, { add: () => undefined }))
  t.equal(burst(one!, client('10.0.0.7'), NOW_MS), 5)
  t.equal(burst(other!, client('10.0.0.7'), NOW_MS), 0)
})

t.test('addresses that are made up make nobody forget what a client owes', async t => {
  const { buckets, forgotten } = bucketsOf()
  const patient = { perSecond: 1, burst: 100 }
  t.equal(burst(buckets, client('10.0.0.7'), NOW_MS, patient), 50)
  for (let i = 0; i < 20_000; i++) {
    const place = buckets.placeOf(client(`172.16.${i >> 8}.${i & 255}`), 0, NOW_MS)
    buckets.take(place, BUCKET.QUERIES, patient, NOW_MS)
  }
  t.ok(forgotten() > 10_000, `${forgotten()} forgotten`)
  t.equal(burst(buckets, client('10.0.0.7'), NOW_MS, patient), 50, 'the other 50 of its burst')
  t.equal(burst(buckets, client('10.0.0.7'), NOW_MS, patient), 0)
})

t.test('memory is what was asked for, in sets of eight', async t => {
  for (const [clients, octets] of [[1024, 65_600], [1025, 131_136], [16_384, 1_048_640]] as const) // biome-ignore format: a table
    t.equal(bucketMemory(clients).byteLength, octets, `${clients}`)
})
