// How long QueryMeters.count takes (budget: 60 ns) and that it allocates nothing. Run: node scripts/bench/query-meters.ts

import { counterMemory, ThreadMeters } from '../../src/observe/counters.ts'
import { pluginIndex, protoIndex, QueryMeters, qtypeIndex } from '../../src/observe/query-meters.ts'

const ROUNDS = 7
const QUERIES = 5_000_000
const meters = new ThreadMeters(counterMemory(), () => {})
const queries = new QueryMeters(meters, 'dns://:53', '.', '')
const kubernetes = pluginIndex('kubernetes')
const udp = protoIndex('udp')
const durations = Float64Array.from({ length: 1024 }, (_, i) => 0.00001 + (i % 64 === 0 ? 0.004 : i * 1e-7))

for (let round = 0; round < ROUNDS; round++) {
  const heapBefore = process.memoryUsage().heapUsed
  const startMs = performance.now()
  for (let i = 0; i < QUERIES; i++) {
    const rcode = i % 5 === 0 ? 3 : 0
    const family = i % 3 === 0 ? 6 : 4
    queries.count(
      qtypeIndex(i & 1 ? 1 : 28),
      family,
      udp,
      rcode,
      60 + (i & 31),
      100 + (i & 255),
      durations[i & 1023],
      kubernetes,
      i % 7 === 0,
    )
  }
  const nsPerQuery = ((performance.now() - startMs) * 1e6) / QUERIES
  const octetsPerQuery = (process.memoryUsage().heapUsed - heapBefore) / QUERIES
  console.log(`${nsPerQuery.toFixed(1)} ns, ${octetsPerQuery.toFixed(3)} octets a query`)
}
