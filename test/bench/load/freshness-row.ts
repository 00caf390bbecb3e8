// L5: how soon a change of the cluster is in the answers, while there are many changes and many questions. Every change stamps a
// number into the address of one endpoint; an asker sees from which moment on it is answered. The time counts from the return
// of the write of the event; each question is asked a millisecond after the last one's answer, which is part of the figures.

import { eventually } from '../../e2e/processes.ts'
import { Asker } from '../common/asker.ts'
import type { Subject } from '../common/servers.ts'
import { percentile } from '../common/statistics.ts'
import type { LoadContext, LoadRow } from './context.ts'
import { BOUNDS, promised } from './goals.ts'
import { addressesOf, ProbeService } from './probe-service.ts'

const UPDATES_PER_SECOND = 100
const QUERIES_PER_SECOND = 10_000
const SECONDS_MAX = 20
const PAUSE_MS = 1
/** 10.64.0.0 and on: the low 22 bits are the number of the change. */
const NETWORK = 0x0a400000
const NUMBER_MASK = 0x3fffff

const stamped = (number: number): string =>
  [10, 64 | (number >> 16), (number >> 8) & 255, number & 255].join('.')

/** The ms from each change until its number, or a later one, is answered. */
export async function freshness(context: LoadContext, subject: Subject, seconds: number): Promise<number[]> {
  const probe = new ProbeService(context.bench.world, 'fresh')
  const written: number[] = []
  const seen: number[] = []
  let stale = 0
  const change = (): void => {
    probe.point([stamped(written.length)])
    written.push(performance.now())
  }
  change()
  const asker = await Asker.start(
    subject.port,
    { name: probe.fqdn, type: 'A' },
    ({ octets, answeredMs }) => {
      const [address = 0] = addressesOf(octets) ?? []
      if ((address & ~NUMBER_MASK) !== NETWORK) return
      const number = address & NUMBER_MASK
      // Before a later one: the past came back.
      if (number < seen.length - 1) stale++
      while (seen.length <= number) seen.push(answeredMs - written[seen.length]!)
    },
    PAUSE_MS,
  )
  try {
    await eventually('the first change is seen', () => seen.length > 0)
    const load = context.load(subject, { rate: QUERIES_PER_SECOND, seconds })
    const timer = setInterval(change, 1000 / UPDATES_PER_SECOND)
    await load
    clearInterval(timer)
    await eventually('the last change is seen', () => seen.length === written.length)
  } finally {
    asker.stop()
    probe.delete()
  }
  if (stale > 0) throw new Error(`${stale} answers went back to an earlier state`)
  // The first one waited for the asker to begin.
  return seen.slice(1)
}

export const freshnessRow: LoadRow = {
  title: 'L5 freshness',
  async run(context) {
    const subject = await context.subject('seamark')
    const seconds = Math.min(SECONDS_MAX, context.effort.seconds)
    const sorted = (await freshness(context, subject, seconds)).toSorted((a, b) => a - b)
    const at = `from an event to its first answer, ${QUERIES_PER_SECOND.toLocaleString('en')} q/s (${sorted.length} events in ${seconds} s)`
    const line = (words: string, value: number, most: number) =>
      promised({ title: `L5 ${words} ${at}`, unit: 'ms', values: { seamark: value }, most })
    return [
      line('p50', percentile(sorted, 0.5), BOUNDS.freshP50Ms),
      line('p99', percentile(sorted, 0.99), BOUNDS.freshP99Ms),
      line('longest', percentile(sorted, 1), BOUNDS.freshMaxMs),
    ]
  },
}
