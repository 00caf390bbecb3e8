// The counting of one answered query in the families that every dashboard charts.

import { counterMemory, ThreadMeters } from '../../../src/observe/counters.ts'
import { pluginIndex, protoIndex, QueryMeters, qtypeIndex } from '../../../src/observe/query-meters.ts'
import type { MicroCase } from './case.ts'

export function countingCases(): MicroCase[] {
  const meters = new ThreadMeters(counterMemory(), () => undefined)
  const queries = new QueryMeters(meters, 'dns://:53', '.', '')
  const kubernetes = pluginIndex('kubernetes')
  const udp = protoIndex('udp')
  const durations = Float64Array.from({ length: 1024 }, (_, i) => 0.00001 + (i % 64 === 0 ? 0.004 : i * 1e-7))
  let i = 0
  const run = (): void => {
    i = (i + 1) & 0xffff
    const rcode = i % 5 === 0 ? 3 : 0
    const family = i % 3 === 0 ? 6 : 4
    const qtype = qtypeIndex(i & 1 ? 1 : 28)
    const dnssecOk = i % 7 === 0
    queries.count(
      qtype,
      family,
      udp,
      rcode,
      60 + (i & 31),
      100 + (i & 255),
      durations[i & 1023]!,
      kubernetes,
      dnssecOk,
    )
  }
  return [
    { title: 'counting of an answered query', run, budget: { file: 'observe/query-meters.ts', what: '' } },
  ]
}
