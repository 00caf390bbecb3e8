// A memory limit for a server, as a Pod has one: a control group of its own, by version 1 or 2 of the kernel's interface, where
// this process may make one.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const OCTETS_PER_MIB = 2 ** 20
const MOUNT = '/sys/fs/cgroup'

/** Where groups of one version may be made, and the names of its files. */
interface Version {
  readonly parents: readonly string[]
  readonly limit: string
  readonly processes: string
}

function versions(): Version[] {
  const lines = readFileSync('/proc/self/cgroup', 'latin1').split('\n')
  const own = (pattern: RegExp): string =>
    lines.map(line => pattern.exec(line)?.[1]).find(path => path) ?? '/'
  const v1 = join(MOUNT, 'memory', own(/^\d+:[^:]*\bmemory\b[^:]*:(.*)$/))
  const v2 = join(MOUNT, own(/^0::(.*)$/))
  return [
    { parents: [v1], limit: 'memory.limit_in_bytes', processes: 'tasks' },
    // Of version 2 a group that holds processes can have no limited groups in it; one above may.
    { parents: [v2, dirname(v2), MOUNT], limit: 'memory.max', processes: 'cgroup.procs' },
  ]
}

/** Whether something went wrong that is no bug: we may not, or the kernel does it otherwise. */
const isRefusal = (error: unknown): boolean => (error as NodeJS.ErrnoException).code !== undefined

function makeGroup(folder: string, { limit, processes }: Version, mib: number): string | undefined {
  try {
    mkdirSync(folder)
  } catch (error) {
    if (!isRefusal(error)) throw error
    return undefined
  }
  try {
    if (!existsSync(join(folder, limit)))
      throw Object.assign(new Error('no memory group'), { code: 'ENOENT' })
    writeFileSync(join(folder, limit), String(mib * OCTETS_PER_MIB))
    return join(folder, processes)
  } catch (error) {
    rmdirSync(folder)
    if (!isRefusal(error)) throw error
    return undefined
  }
}

/** A group that programs are started in. */
export interface MemoryLimit {
  /** What to put before a command so that it may have so much memory, and is killed when it needs more. */
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
export function limitMemory(mib: number): MemoryLimit | undefined {
  for (const version of versions()) {
    for (const parent of version.parents) {
      if (!existsSync(parent)) continue
      const folder = join(parent, `seamark-test-${process.pid}-${Math.round(performance.now() * 1000)}`)
      const processes = makeGroup(folder, version, mib)
      if (processes === undefined) continue
      return {
        words: ['sh', '-c', 'echo $$ > "$0" && exec "$@"', processes],
        remove: () => rmdirSync(folder),
      }
    }
  }
  return undefined
}
