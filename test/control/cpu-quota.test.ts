import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { cpuQuotaCores } from '../../src/control/cpu-quota.ts'

const NONE = Number.POSITIVE_INFINITY

t.test('the limit of processor time, in cores', async t => {
  const cases: [name: string, files: Record<string, string>, cores: number][] = [
    ['no cgroups', {}, NONE],
    ['v2 without a limit', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': 'max 100000\n' }, NONE],
    ['v2, 100m', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '10000 100000\n' }, 0.1],
    [
      'v2, a group inside of one with less',
      {
        'proc/self/cgroup': '0::/pod/container\n',
        'sys/fs/cgroup/pod/container/cpu.max': '200000 100000\n',
        'sys/fs/cgroup/pod/cpu.max': '150000 100000\n',
      },
      1.5,
    ],
    [
      'v2, a path that only the host has',
      { 'proc/self/cgroup': '0::/../../pod1\n', 'sys/fs/cgroup/cpu.max': '50000 100000\n' },
      0.5,
    ],
    [
      'v1 without a limit',
      {
        'proc/self/cgroup': '4:memory:/x\n3:cpu,cpuacct:/\n0::/\n',
        'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      NONE,
    ],
    [
      'v1, seen from inside of the container',
      {
        'proc/self/cgroup': '3:cpu,cpuacct:/kubepods/pod1/c1\n',
        'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '25000\n',
        'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      },
      0.25,
    ],
    ['nonsense', { 'proc/self/cgroup': 'x\n0::/\n', 'sys/fs/cgroup/cpu.max': '0 0\n' }, NONE],
  ]
  for (const [at, [name, files, cores]] of cases.entries()) {
    const root = join(t.testdirName, String(at))
    t.testdir()
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    t.equal(cpuQuotaCores(root), cores, name)
  }
})
