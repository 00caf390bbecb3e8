// What a scrape reads of the process and of Node rather than counts: processor time, memory, file descriptors from
// /proc where it exists (proc(5)), heap and event loop delay of the control thread. Without /proc those samples are
// left out, as in Prometheus's own client libraries.
//
//   /proc/self/stat     … field 22 start time in ticks since boot, 23 virtual memory in octets, 24 resident pages
//   /proc/stat          btime SECONDS, when the machine booted
//   /proc/self/limits   Max open files   1024   4096   files

import { readdirSync, readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { lazy } from '../shared/lazy.ts'
import { familyNamed } from './families.ts'
import type { Collector, Registry } from './registry.ts'

/** USER_HZ, the unit of /proc/self/stat, is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** How fine the event loop's delay is measured: ten timers a second cost nothing that anybody could measure. */
const LAG_RESOLUTION_MS = 100

/** One value that /proc gives, by metric family. */
export type ProcValues = Readonly<Record<string, number>>

/** Reads what `directory` (/proc) says of this process; what cannot be read is left out. */
export function readProc(
  directory: string,
  bootSeconds: number | undefined = readBootSeconds(directory),
): ProcValues {
  const values: Record<string, number> = {}
  const stat = readOr(join(directory, 'self/stat'))
  // The second field is the program's name in parentheses, which may hold blanks and parentheses itself.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields !== undefined && fields.length > 21) {
    values.process_virtual_memory_bytes = Number(fields[20])
    if (bootSeconds !== undefined) {
      values.process_start_time_seconds = bootSeconds + Number(fields[19]) / TICKS_PER_SECOND
    }
  }
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readOr(join(directory, 'self/status')) ?? '')
  if (resident !== null) values.process_resident_memory_bytes = Number(resident[1]) * 1024
  const files = /^Max open files\s+(\d+|unlimited)/m.exec(readOr(join(directory, 'self/limits')) ?? '')
  if (files !== null) {
    values.process_max_fds = files[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(files[1])
  }
  const open = countEntries(join(directory, 'self/fd'))
  if (open !== undefined) values.process_open_fds = open
  return values
}

function readBootSeconds(directory: string): number | undefined {
  const line = /^btime (\d+)$/m.exec(readOr(join(directory, 'stat')) ?? '')
  return line === null ? undefined : Number(line[1])
}

/** Not a swallowed error: a system without /proc, or a hidden one, is one without these metrics. */
function readOr(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function countEntries(directory: string): number | undefined {
  try {
    return readdirSync(directory).length
  } catch {
    return undefined
  }
}

/**
 * The memory that the process may take, in octets.
 * @param container - the limit of the cgroup; 0 is none, and cgroup v1 says none by more than the machine has
 */
export const memoryLimit = (container: number, machine: number): number =>
  container > 0 && container < machine ? container : machine

/** Publishes the process's and Node's own metrics before every scrape, from `start` to `stop`. */
export class ProcessStats {
  readonly #registry: Registry
  readonly #directory: string
  #lag: ReturnType<typeof monitorEventLoopDelay> | undefined
  #end: (() => void) | undefined
  /** Set by `runtime_metrics` in any prometheus directive: heap use per space too. */
  detailed = false

  /** `directory` is /proc except in tests. */
  constructor(registry: Registry, directory = '/proc') {
    this.#registry = registry
    this.#directory = directory
  }

  /** Begins to measure; a second call does nothing. */
  start(): void {
    if (this.#end !== undefined) return
    this.#lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
    this.#lag.enable()
    this.#end = this.#registry.collect(this.#collector)
  }

  /** Ends measuring; the metrics keep the values of the last scrape. */
  stop(): void {
    this.#end?.()
    this.#end = undefined
    this.#lag?.disable()
    this.#lag = undefined
  }

  readonly #collector: Collector = registry => {
    const { user, system } = process.cpuUsage()
    const memory = process.memoryUsage()
    const values: Record<string, number> = {
      process_cpu_seconds_total: (user + system) / 1e6,
      process_resident_memory_bytes: memory.rss,
      process_start_time_seconds: performance.timeOrigin / 1000,
      nodejs_heap_size_total_bytes: memory.heapTotal,
      nodejs_heap_size_used_bytes: memory.heapUsed,
      nodejs_external_memory_bytes: memory.external,
      seamark_memory_limit_bytes: memoryLimit(process.constrainedMemory(), totalmem()),
      ...readProc(this.#directory),
    }
    if (this.#lag !== undefined) {
      values.nodejs_eventloop_lag_max_seconds = lagSeconds(this.#lag.max)
      values.nodejs_eventloop_lag_p99_seconds = lagSeconds(this.#lag.percentile(99))
      this.#lag.reset()
    }
    for (const [name, value] of Object.entries(values)) {
      if (familyNamed(name) !== undefined) registry.publish(name, [{ labels: {}, value }])
    }
    if (!this.detailed) return
    registry.publish(
      'nodejs_heap_space_size_used_bytes',
      lazy.v8.getHeapSpaceStatistics().map(space => ({
        labels: { space: space.space_name },
        value: space.space_used_size,
      })),
    )
  }
}

/** Delays are measured from one timer to the next, so the timer's own period is not one; none measured yet is 0. */
const lagSeconds = (nanoseconds: number): number =>
  nanoseconds > 0 && nanoseconds < 1e15 ? Math.max(0, nanoseconds / 1e6 - LAG_RESOLUTION_MS) / 1000 : 0
