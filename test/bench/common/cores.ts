// Which processor does what: the server under test has the first core to itself, the load another one, and everything
// else (API server, upstream, this process) stays off the first. Figures of different servers are comparable only so.

import { readFileSync } from 'node:fs'
import { ToolsError } from './tools.ts'

/** Set for the inner process of a run, whose own cores are no longer all. */
const CORES = 'SEAMARK_BENCH_CORES'

/** The cores of a run, as `taskset -c` takes them. */
export interface Cores {
  readonly count: number
  /** For a server with one serving thread. */
  readonly server: string
  /** For a server with two serving threads. */
  readonly twoServers: string
  /** For dnsperf. */
  readonly load: string
  /** For a generator beside two busy cores; undefined where there is no room. */
  readonly spareLoad: string | undefined
  /** For all the rest. */
  readonly others: string
}

/** The numbers in `0-3,8`, the form of /proc/PID/status. */
export function parseCores(list: string): number[] {
  return list
    .trim()
    .split(',')
    .flatMap(part => {
      const [from, to = from] = part.split('-').map(Number) as [number, number?]
      return Array.from({ length: to! - from + 1 }, (_, i) => from + i)
    })
}

const allowedCores = (): string =>
  /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'

/** The environment that tells the inner process of all cores. */
export const coresEnvironment = (): NodeJS.ProcessEnv => ({ [CORES]: allowedCores() })

/** The cores of this machine, or of the container that runs us. Throws ToolsError where there is only one. */
export function readCores(list = process.env[CORES] ?? allowedCores()): Cores {
  const all = parseCores(list)
  if (all.length < 2)
    throw new ToolsError('the benchmarks need two cores: one for the server, one for the load')
  return {
    count: all.length,
    server: String(all[0]),
    twoServers: `${all[0]},${all[1]}`,
    load: String(all[1]),
    spareLoad: all.length >= 4 ? `${all[2]},${all[3]}` : undefined,
    others: all.slice(1).join(','),
  }
}
