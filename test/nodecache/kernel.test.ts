// The interface and the rules, in a network namespace of the test's own; and that a process which may not is told so.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { ensureNotrack, notrackRules } from '../../src/nodecache/notrack.ts'

const MAIN = join(import.meta.dirname, 'kernel-main.ts')

/** How a program gets a network namespace of its own, with `lo` up; undefined where it gets none. */
function namespaced(): string[] | undefined {
  const ways = [['--net'], ['--user', '--map-root-user', '--net']]
  const flags = ways.find(
    each => spawnSync('unshare', [...each, 'ip', 'link', 'set', 'lo', 'up']).status === 0,
  )
  return flags && ['unshare', ...flags]
}

const unshare = namespaced()
t.test(
  'interface and rules are made once, made anew when they are others, and leave nothing behind',
  { skip: unshare ? false : 'no network namespace can be made here' },
  async t => {
    const [command, ...args] = [...unshare!, process.execPath, '--disable-warning=ExperimentalWarning', MAIN]
    const { stdout, stderr, status } = spawnSync(command!, args, { encoding: 'utf8' })
    t.equal(status, 0, stderr)
    const steps = JSON.parse(stdout) as Record<string, unknown>
    for (const [family, count] of [
      ['4', 2],
      ['6', 1],
    ] as const)
      t.strictSame(
        steps[family],
        {
          interface: [true, false],
          there: Array(count).fill(true),
          rules: [true, false],
          otherRules: count === 2,
          gone: true,
          left: Array(count).fill(false),
          rulesAnew: true,
        },
        `IPv${family}`,
      )
  },
)

t.test(
  'what goes to an address and what comes from it, over UDP and TCP, and the kubelet’s probes',
  async t => {
    const rules = notrackRules({ addresses: ['169.254.20.10'], family: 4, port: 53, healthPort: 8080 })
    t.strictSame(
      rules.map(({ chain, protocol, side, port }) => `${chain} ${protocol} ${side} ${port}`),
      [
        'prerouting tcp destination 53',
        'output tcp source 53',
        'output tcp destination 53',
        'prerouting udp destination 53',
        'output udp source 53',
        'output udp destination 53',
        'output tcp destination 8080',
        'output tcp source 8080',
      ],
    )
  },
)

t.test(
  'without the capability: the error says what was being done, and the system’s name of it',
  { skip: process.getuid?.() === 0 ? 'root may' : false },
  async t => {
    const wanted = { addresses: ['169.254.20.10'], family: 4, port: 53, healthPort: 8080 } as const
    await t.rejects(ensureNotrack(wanted), { code: 'EPERM', message: /out of connection tracking: EPERM/ })
  },
)
