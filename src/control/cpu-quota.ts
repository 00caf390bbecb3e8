// How much processor time the container's limit leaves, in cores: cgroup v2 as `cpu.max`, v1 as `cpu.cfs_quota_us` and
// `cpu.cfs_period_us`. Node tells whole cores alone, and on some machines none of v1.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where v1 has its controller: a folder of its own, or together with the accounting. */
const V1_FOLDERS = ['cpu', 'cpu,cpuacct']

/**
 * The cores that this process and its cgroup may use: 0.1 is the limit of `100m`. Infinity without a limit, and where no
 * cgroup can be read. Limits of the groups around it count, as far as they are seen from here.
 *
 * @param root - where /proc and /sys are
 */
export function cpuQuotaCores(root = '/'): number {
  let cores = Number.POSITIVE_INFINITY
  for (const line of (read(join(root, 'proc/self/cgroup')) ?? '').split('\n')) {
    const [, hierarchy, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? []
    if (path === undefined) continue
    if (hierarchy === '0' && controllers === '')
      cores = Math.min(cores, smallest(join(root, 'sys/fs/cgroup'), path, coresOfV2))
    else if (controllers!.split(',').includes('cpu'))
      for (const folder of V1_FOLDERS)
        cores = Math.min(cores, smallest(join(root, 'sys/fs/cgroup', folder), path, coresOfV1))
  }
  return cores
}

/** Of a group and those around it. A path from outside of the container leads nowhere here: then its own root counts. */
function smallest(mount: string, path: string, coresOf: (folder: string) => number): number {
  let cores = Number.POSITIVE_INFINITY
  for (let at = path; ; at = dirname(at)) {
    cores = Math.min(cores, coresOf(join(mount, at)))
    if (at === '/') return cores
  }
}

const coresOfV2 = (folder: string): number => share(...(read(join(folder, 'cpu.max')) ?? '').split(' '))

const coresOfV1 = (folder: string): number =>
  share(read(join(folder, 'cpu.cfs_quota_us')), read(join(folder, 'cpu.cfs_period_us')))

/** `max` and -1 are no limit. */
function share(quota = '', period = ''): number {
  const cores = Number(quota) / Number(period)
  return quota !== '' && cores > 0 ? cores : Number.POSITIVE_INFINITY
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1').trim()
  } catch {
    return undefined
  }
}
