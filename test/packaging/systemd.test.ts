// The unit for machines with systemd: taken by it as it is, hardened by its own measure, and started by options that there are.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseFlags } from '../../src/flags.ts'
import { absent } from '../support/system-program.ts'
import { ROOT, run } from './bundle.ts'

const UNIT = join(ROOT, 'config', 'systemd', 'seamark.service')
/** On systemd's scale from 0 to 100: "OK" begins at 49, an ordinary service without any setting has 96. */
const EXPOSURE_MAX = 20

const settings = readFileSync(UNIT, 'utf8')
  .split('\n')
  .filter(line => /^\w+=/.test(line))
  .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const)
const value = (name: string): string | undefined => settings.find(([key]) => key === name)?.[1]

t.test('the command line is one that Seamark takes', async t => {
  const [, , ...flags] = value('ExecStart')!.split(' ')
  t.match(parseFlags(flags), {
    command: 'serve',
    conf: '/etc/seamark/Corefile',
    lastGood: '/var/lib/seamark/Corefile',
  })
})

t.test('binds port 53 as nobody, and compiles code: what Node needs is left to it', async t => {
  t.equal(value('DynamicUser'), 'yes')
  t.equal(value('AmbientCapabilities'), 'CAP_NET_BIND_SERVICE')
  t.equal(value('CapabilityBoundingSet'), 'CAP_NET_BIND_SERVICE')
  t.equal(value('MemoryDenyWriteExecute'), undefined)
})

t.test('systemd takes it', { skip: absent('systemd-analyze') }, async t => {
  const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', UNIT])
  // Of other units of the machine it may say something, too.
  const told = `${stdout}${stderr}`.split('\n').filter(line => line.includes('seamark'))
  t.same(told, [])
  // Its exit status says whether the exposure is above the threshold.
  const judged = await run('systemd-analyze', [
    'security',
    '--offline=true',
    `--threshold=${EXPOSURE_MAX}`,
    '--no-pager',
    UNIT,
  ])
  t.match(judged.stdout, /Overall exposure level for seamark\.service: [01]\./)
})
