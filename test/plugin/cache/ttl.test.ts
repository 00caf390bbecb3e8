// The TTL that answers leave the cache with where they never see its handler: those of the cluster's fast path.

import t from 'tap'
import { type CacheConfig, defaultConfig } from '../../../src/plugin/cache/config.ts'
import { ttlAt } from '../../../src/plugin/cache/entry.ts'
import { coverage, flattenedTtl } from '../../../src/plugin/cache/ttl.ts'

const CLUSTER = 'cluster.local.'
const stock = defaultConfig(['.'])
const capped: CacheConfig = {
  ...stock,
  success: { ...stock.success, ttlMaxSeconds: 30 },
  denial: { ...stock.denial, ttlMaxSeconds: 10, ttlMinSeconds: 0 },
}

t.test('flattenedTtl', t => {
  const disabled = {
    ...capped,
    success: { ...capped.success, exceptZones: [CLUSTER] },
    denial: { ...capped.denial, exceptZones: [CLUSTER] },
  }
  const cases: [string, CacheConfig, string, number, 'success' | 'denial', number][] = [
    ['within its bounds', capped, CLUSTER, 20, 'success', 20],
    ['lowered', capped, CLUSTER, 3600, 'success', 30],
    ['raised', capped, CLUSTER, 0, 'success', 5],
    ['a denial by its own bounds', capped, CLUSTER, 3600, 'denial', 10],
    ['and minimum', capped, CLUSTER, 0, 'denial', 0],
    ['disable stops storing, not flattening', disabled, CLUSTER, 3600, 'success', 30],
    ['nor of denials', disabled, CLUSTER, 3600, 'denial', 10],
    ['the cache of another zone', { ...capped, zones: ['example.org.'] }, CLUSTER, 3600, 'success', 3600],
    ['of a zone that only ends alike', { ...capped, zones: ['ster.local.'] }, CLUSTER, 3600, 'success', 3600],
    ['of the zone above', { ...capped, zones: ['local.'] }, CLUSTER, 3600, 'success', 30],
    ['of the zone itself', { ...capped, zones: ['example.org.', CLUSTER] }, CLUSTER, 3600, 'success', 30],
  ] // biome-ignore format: a table
  for (const [title, config, zone, ttl, kind, expected] of cases) {
    t.equal(flattenedTtl(config, zone, ttl, kind), expected, title)
  }
  t.end()
})

t.test('coverage', t => {
  const cases: [readonly string[], string][] = [
    [['.'], 'all'],
    [['local.'], 'all'],
    [[CLUSTER], 'all'],
    [['svc.cluster.local.'], 'some'],
    [['svc.cluster.local.', CLUSTER], 'all'],
    [['xcluster.local.'], 'none'],
    [['example.org.'], 'none'],
    [[], 'none'],
  ]
  for (const [zones, expected] of cases) {
    t.equal(coverage(defaultConfig(zones), CLUSTER), expected, zones.join(' ') || 'no zone')
  }
  t.end()
})

t.test(
  'a TTL never grows, also where another thread has stored the entry a moment later than now',
  async t => {
    const cases: [passedMs: number, left: number][] = [
      [-0.5, 30],
      [0, 30],
      [999, 30],
      [1000, 29],
      [31_000, -1],
    ]
    for (const [passedMs, left] of cases) t.equal(ttlAt(30, 5000, 5000 + passedMs), left, `${passedMs} ms`)
  },
)
