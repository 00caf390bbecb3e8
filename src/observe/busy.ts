// How busy each thread was since the last scrape, out of Node's own account of the time its event loop waited
// (performance.eventLoopUtilization): near 1 a serving thread has no room left. Costs the threads nothing.

import type { EventLoopUtilization } from 'node:perf_hooks'
import type { Registry } from './registry.ts'

/** A thread and its account; `worker.performance.eventLoopUtilization` for a worker. */
export interface BusyThread {
  /** The label `thread`: `control`, `0`, `1`, … */
  readonly name: string
  utilization(): EventLoopUtilization
}

/** Publishes seamark_thread_busy_ratio of the threads there are at each scrape; the result ends that. */
export function watchBusy(registry: Registry, threads: () => readonly BusyThread[]): () => void {
  let before = new Map<string, EventLoopUtilization>()
  return registry.collect(into => {
    const now = new Map(threads().map(thread => [thread.name, thread.utilization()]))
    into.publish(
      'seamark_thread_busy_ratio',
      [...now].map(([thread, account]) => ({
        labels: { thread },
        value: busyRatio(account, before.get(thread)),
      })),
    )
    before = now
  })
}

/** A thread that was replaced under the same name has a smaller account than before: then it counts from its start. */
function busyRatio(now: EventLoopUtilization, before: EventLoopUtilization | undefined): number {
  const comparable = before !== undefined && before.active <= now.active && before.idle <= now.idle
  const active = now.active - (comparable ? before.active : 0)
  const idle = now.idle - (comparable ? before.idle : 0)
  return active + idle > 0 ? active / (active + idle) : 0
}
