// A cached answer, from the query's octets to the reply's.

import { MISS } from '../../../src/plugin/cache/fast.ts'
import { Scan } from '../../../src/wire/scan.ts'
import { Bench, configOf, encodeQuery, positive, question } from '../../plugin/cache/cache-bench.ts'
import { shuffled } from '../common/queries.ts'
import { cycle, type MicroCase } from './case.ts'

const NAMES = 5000
const OUT_OCTETS = 4096

export async function cacheCases(): Promise<MicroCase[]> {
  const bench = new Bench(configOf(2 * NAMES))
  bench.upstream = positive(3600)
  const queries = Array.from({ length: NAMES }, (_, n) => question(`www-${n}.example.org`))
  for (const query of queries) await bench.ask(query)
  const path = bench.cache.fastPath('dns://:53', '', { shuffle: true, reasons: true, random: Math.random })
  const scan = new Scan()
  const out = new Uint8Array(OUT_OCTETS)
  const next = cycle(shuffled(queries.map(query => Uint8Array.from(encodeQuery(query)))))
  const run = (): number => {
    const packet = next()
    scan.read(packet, 0, packet.length)
    return path.answer(scan, packet, out, 0, OUT_OCTETS, 0)
  }
  if (run() === MISS) throw new TypeError('the cache has not what was put into it')
  const budget = { file: 'plugin/cache/fast.ts', what: '' }
  return [{ title: `cached answer among ${NAMES.toLocaleString('en')}, the scan included`, run, budget }]
}
