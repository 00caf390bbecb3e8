// A limit of memory or of processor time for a server, as a Pod has one: a control group of its own, by version 1 or 2 of the
// kernel's interface, where this process may make one.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const OCTETS_PER_MIB = 2 ** 20
const CPU_PERIOD_US = 100_000
const MOUNT = '/sys/fs/cgroup'

/** Where groups of one version may be made, and the names of its files. */
interface Version {
  readonly parents: readonly string[]
  readonly limit: string
  /** What is written there. */
  readonly text: string
  readonly processes: string
}

/** What is limited, by the file and text of either version. */
interface Limited {
  readonly controller: 'memory' | 'cpu'
  readonly v1: Pick<Version, 'limit' | 'text'>
  readonly v2: Pick<Version, 'limit' | 'text'>
}

function versions({ controller, v1, v2 }: Limited): Version[] {
  const lines = readFileSync('/proc/self/cgroup', 'latin1').split('\n')
  const own = (pattern: RegExp): string =>
    lines.map(line => pattern.exec(line)?.[1]).find(path => path) ?? '/'
  const first = join(MOUNT, controller, own(new RegExp(`^\\d+:[^:]*\\b${controller}\\b[^:]*:(.*)$`)))
  const second = join(MOUNT, own(/^0::(.*)$/))
  return [
    { parents: [first], ...v1, processes: 'tasks' },
    // Of version 2 a group that holds processes can have no limited groups in it; one above may.
    { parents: [second, dirname(second), MOUNT], ...v2, processes: 'cgroup.procs' },
  ]
}

/** Whether something went wrong that is no bug: we may not, or the kernel does it otherwise. */
const isRefusal = (error: unknown): boolean => (error as NodeJS.ErrnoException).code !== undefined

function makeGroup(folder: string, { limit, text, processes }: Version): string | undefined {
  try {
    mkdirSync(folder)
  } catch (error) {
    if (!isRefusal(error)) throw error
    return undefined
  }
  try {
    if (!existsSync(join(folder, limit))) throw Object.assign(new Error(`no ${limit}`), { code: 'ENOENT' })
    writeFileSync(join(folder, limit), text)
    return join(folder, processes)
  } catch (error) {
    rmdirSync(folder)
    if (!isRefusal(error)) throw error
    return undefined
  }
}

/** A group that programs are started in. */
export interface Limit {
  /** What to put before a command so that it may have so much: of memory it is killed when it needs more. */
  readonly words: readonly string[]
  /** Takes the group away; the programs in it must have ended. */
  remove(): void
}

/** Why no limit can be set here; false where one can. */
export function limitObstacle(): string | false {
  const limit = limitMemory(1)
  limit?.remove()
  return limit ? false : 'no memory group can be made here'
}

/** Makes a group of so much memory; undefined where that cannot be had. */
export function limitMemory(mib: number): Limit | undefined {
  const text = String(mib * OCTETS_PER_MIB)
  return limit({
    controller: 'memory',
    v1: { limit: 'memory.limit_in_bytes', text },
    v2: { limit: 'memory.max', text },
  })
}

/** Makes a group of so much of a core; undefined where that cannot be had. */
export function limitCpu(cores: number): Limit | undefined {
  const quotaUs = cores * CPU_PERIOD_US
  return limit({
    controller: 'cpu',
    v1: { limit: 'cpu.cfs_quota_us', text: String(quotaUs) },
    v2: { limit: 'cpu.max', text: `${quotaUs} ${CPU_PERIOD_US}` },
  })
}

function limit(limited: Limited): Limit | undefined {
  for (const version of versions(limited)) {
    for (const parent of version.parents) {
      if (!existsSync(parent)) continue
      const folder = join(parent, `seamark-test-${process.pid}-${Math.round(performance.now() * 1000)}`)
      const processes = makeGroup(folder, version)
      if (processes === undefined) continue
      return {
        words: ['sh', '-c', 'echo $$ > "$0" && exec "$@"', processes],
        remove: () => rmdirSync(folder),
      }
    }
  }
  return undefined
}
