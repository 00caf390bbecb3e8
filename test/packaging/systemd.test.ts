// The unit for machines with systemd: taken by it as it is, hardened by its own measure, and started by options that there are.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseFlags } from '../../src/flags.ts'
import { bindParts } from '../../src/listen/listener.ts'
import { passedFor, unasked } from '../../src/listen/passed-sockets.ts'
import { absent } from '../support/system-program.ts'
import { ROOT, run } from './bundle.ts'

const UNIT = join(ROOT, 'config', 'systemd', 'seamark.service')
const SOCKET = join(ROOT, 'config', 'systemd', 'seamark.socket')
/** On systemd's scale from 0 to 100: "OK" begins at 49, an ordinary service without any setting has 96. */
const EXPOSURE_MAX = 20

const settingsIn = (file: string): (readonly [key: string, value: string])[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => /^\w+=/.test(line))
    .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const)
const settings = settingsIn(UNIT)
const value = (name: string): string | undefined => settings.find(([key]) => key === name)?.[1]

t.test('the command line is one that Seamark takes', async t => {
  const [, , ...flags] = value('ExecStart')!.split(' ')
  t.match(parseFlags(flags), {
    command: 'serve',
    conf: '/etc/seamark/Corefile',
    lastGood: '/var/lib/seamark/Corefile',
  })
})

t.test('says when it serves, and is told to end once, also where an older Node passes that on', async t => {
  t.match(Object.fromEntries(settings), { Type: 'notify', NotifyAccess: 'all', KillMode: 'mixed' })
})

t.test('binds port 53 as nobody, and compiles code: what Node needs is left to it', async t => {
  t.equal(value('DynamicUser'), 'yes')
  t.equal(value('AmbientCapabilities'), 'CAP_NET_BIND_SERVICE')
  t.equal(value('CapabilityBoundingSet'), 'CAP_NET_BIND_SERVICE')
  t.equal(value('MemoryDenyWriteExecute'), undefined)
})

t.test('its sockets are those of a block on port 53', async t => {
  const sockets = settingsIn(SOCKET).flatMap(([key, value]) => {
    const [, kind] = /^Listen(Stream|Datagram)$/.exec(key) ?? []
    const [, address = '', port] = /^\[?([\d.:]+?)\]?:(\d+)$/.exec(value) ?? []
    return kind === undefined
      ? []
      : [
          {
            fd: 3,
            name: '',
            transport: kind === 'Stream' ? 'tcp' : 'udp',
            address,
            port: Number(port),
          } as const,
        ]
  })
  t.equal(sockets.length, 4)
  t.same(unasked(sockets, [{ scheme: 'dns', address: '', port: 53 }]), [])
  for (const transport of ['udp', 'tcp'] as const)
    for (const part of bindParts(''))
      t.ok(passedFor(sockets, transport, part, 53), `${transport} ${part.address}`)
  t.match(Object.fromEntries(settingsIn(SOCKET)), { BindIPv6Only: 'ipv6-only' })
})

t.test('systemd takes it', { skip: absent('systemd-analyze') }, async t => {
  const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', UNIT, SOCKET])
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
